"""The measuring corpus, where it lies beside the checkout, and the table of its own scorer."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sizes import LONG

ROOT = Path(__file__).parent.parent.parent
CORPUS = Path(os.environ.get("PORTAL_CORPUS", ROOT.parent / "shared" / "corpus"))

WHY_NOT = (
    f"no corpus at {CORPUS}: nothing to measure against"
    if LONG
    else "only in the long form (PORTAL_TEST_LONG=1)"
)
needs_corpus = pytest.mark.skipif(not LONG or not (CORPUS / "score.py").exists(), reason=WHY_NOT)


def scored(*names: str) -> dict:
    """The scorer's figures for these files of the corpus, judged by `manage.py analyze`."""
    files = [str(CORPUS / f"{name}.jsonl") for name in names]
    texts = "".join(Path(file).read_text() for file in files)
    manage = [sys.executable, str(ROOT / "manage.py"), "analyze", "--jsonl", "-"]
    ended = subprocess.run(manage, input=texts, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    score = [sys.executable, str(CORPUS / "score.py"), *files]
    table = subprocess.run(score, input=ended.stdout, capture_output=True, text=True, timeout=60)
    print(table.stdout)
    return json.loads(table.stdout.splitlines()[-1])
