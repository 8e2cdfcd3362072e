"""Machines made of a file tree and a few tools, to run the collection script in a sandbox."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from diagnostics import scripts

UP = 3600
TOOLS = [
    "dash",
    "bash",
    "sh",
    "cat",
    "head",
    "tail",
    "sed",
    "tr",
    "cut",
    "grep",
    "sort",
    "ls",
    "date",
    "id",
    "uname",
    "stat",
    "dd",
    "df",
    "gzip",
    "base64",
    "cksum",
    "timeout",
    "awk",
    "mawk",
    "gawk",
    "sleep",
    "true",
    "printf",
    "env",
    "wc",
    "rm",
    "touch",
    "mkdir",
]


@dataclass
class Machine:
    """A file tree under `root`; `without` names tools that it lacks."""

    root: Path
    booted_at: int = field(default_factory=lambda: int(time.time()) - UP)
    without: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    shell: str = "dash"

    def write(self, path: str, content: str | bytes, at: float | None = None) -> Path:
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        if at is not None:
            os.utime(file, (at, at))
        return file

    def tool(self, name: str, script: str) -> None:
        self.write(f"tools/{name}", "#!/bin/sh\n" + script).chmod(0o755)

    def stamp(self, after_boot: float, form: str = "%b %e %H:%M:%S") -> str:
        return time.strftime(form, time.gmtime(self.booted_at + after_boot))

    def run(self, timeout: float = 60) -> bytes:
        self.prepare()
        script = self.write("tools/collect.sh", scripts.text("linux"))
        command = [*self.sandbox(), "/tools/" + self.shell, f"/tools/{script.name}"]
        return subprocess.run(command, capture_output=True, timeout=timeout, check=True).stdout

    def prepare(self) -> None:
        for name in TOOLS:
            real = shutil.which(name)
            file = self.root / "tools" / name
            if real and name not in self.without and not file.exists():
                file.parent.mkdir(parents=True, exist_ok=True)
                file.symlink_to(os.path.realpath(real))
        for name in ("etc", "var", "root", "home", "sys"):
            (self.root / name).mkdir(exist_ok=True)
        self.write("proc/uptime", f"{int(time.time()) - self.booted_at}.00 100.00\n")

    def sandbox(self) -> list[str]:
        command = [
            "bwrap",
            "--unshare-all",
            "--die-with-parent",
            "--clearenv",
            "--proc",
            "/proc",
            "--dev",
            "/dev",
        ]
        for place in ("/usr", "/lib", "/lib64", "/bin"):
            if os.path.exists(place):
                command += ["--ro-bind", place, place]
        for place in ("etc", "var", "root", "home", "sys", "tools"):
            command += ["--ro-bind", str(self.root / place), f"/{place}"]
        for file in sorted((self.root / "proc").rglob("*")):
            if file.is_file():
                command += ["--ro-bind", str(file), f"/{file.relative_to(self.root)}"]
        for name, value in {"PATH": "/tools", "TZ": "UTC", **self.env}.items():
            command += ["--setenv", name, value]
        return command
