"""The figures of the corpus's own score.py over today's verdicts.

    python -m benchmarks.corpus [FOLDER]

FOLDER is the corpus (default: ../shared/corpus beside the checkout). A fixed list of 28 kernel
phrases scores kind~ 95.3, subkind~ 80.0 and function 0 on the Linux part.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.record import ROOT, recorded

PARTS = {
    "Linux, both files": ("linux/reports.jsonl", "linux/syzkaller.jsonl"),
    "Linux, reports.jsonl alone": ("linux/reports.jsonl",),
    "Windows": ("windows/cases.jsonl",),
}


def verdicts(files: list[Path], system: str) -> bytes:
    text = b"".join(file.read_bytes() for file in files)
    command = [sys.executable, "manage.py", "analyze", "--jsonl", "--os", system, "-"]
    return subprocess.run(command, cwd=ROOT, input=text, capture_output=True, check=True).stdout


def main() -> None:
    corpus = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT.parent / "shared" / "corpus")
    with recorded("corpus"):
        for title, names in PARTS.items():
            files = [corpus / name for name in names]
            told = verdicts(files, "windows" if title == "Windows" else "linux")
            score = [sys.executable, str(corpus / "score.py"), *map(str, files)]
            done = subprocess.run(score, input=told, capture_output=True, check=True)
            print(f"\n{title}\n{done.stdout.decode()}")


if __name__ == "__main__":
    main()
