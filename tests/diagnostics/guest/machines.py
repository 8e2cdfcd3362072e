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
TOOLS = """awk base64 bzip2 cat cksum cut date dd df grep gzip head id kill ls sed sh sleep sort
    stat tail tee timeout tr true uname wc xz zstd"""
TREE = ("etc", "var", "root", "home", "sys")
# A shell, and whose tools it finds: the small ones know other options and print other formats.
KITS = {
    "gnu": {"sh": "dash", "awk": "gawk"},
    "bash": {"sh": "bash", "awk": "mawk"},
    "busybox": dict.fromkeys(TOOLS.split(), "busybox"),
}
WALLS = "bwrap --unshare-all --die-with-parent --clearenv --proc /proc --dev /dev --tmpfs /tools"


@dataclass
class Machine:
    """A file tree under `root`, read-only to the script, and tools of one kit without some."""

    root: Path
    booted_at: int = field(default_factory=lambda: int(time.time()) - UP)
    without: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    kit: str = "gnu"
    walls: tuple[str, ...] = ()
    typed: str = ""  # instead of running the script

    def write(self, path: str, content: str | bytes, at: float | None = None) -> Path:
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        if at is not None:
            os.utime(file, (at, at))
        return file

    def tool(self, name: str, script: str) -> None:
        """A tool that the host has not, or one that misbehaves."""
        self.write(f"own/{name}", "#!/tools/sh\n" + script).chmod(0o755)

    def stamp(self, after_boot: float, form: str = "%b %e %H:%M:%S") -> str:
        return time.strftime(form, time.gmtime(self.booted_at + after_boot))

    def command(self) -> list[str]:
        script = self.write("collect.sh", scripts.text("linux"))
        self.write("proc/uptime", f"{int(time.time()) - self.booted_at}.00 100.00\n")
        command = WALLS.split()
        for place in ("/usr/lib", "/usr/lib64", "/lib", "/lib64"):
            if os.path.exists(place):
                command += ["--ro-bind", place, place]
        for place in TREE:
            (self.root / place).mkdir(exist_ok=True)
            command += ["--ro-bind", str(self.root / place), f"/{place}"]
        for file in sorted((self.root / "proc").rglob("*")):
            if file.is_file():
                command += ["--ro-bind", str(file), f"/{file.relative_to(self.root)}"]
        for name, real in self.tools().items():
            command += ["--ro-bind", real, f"/tools/{name}"]
        command += ["--ro-bind", str(script), "/collect.sh", *self.walls, "--remount-ro", "/"]
        for name, value in {"PATH": "/tools", "TZ": "UTC", **self.env}.items():
            command += ["--setenv", name, value]
        return [*command, "/tools/sh", *(["-c", self.typed] if self.typed else ["/collect.sh"])]

    def tools(self) -> dict[str, str]:
        kit = KITS[self.kit]
        real = {name: shutil.which(kit.get(name, name)) for name in TOOLS.split()}
        found = {name: os.path.realpath(path) for name, path in real.items() if path}
        if (self.root / "own").is_dir():
            found |= {file.name: str(file) for file in (self.root / "own").iterdir()}
        lacking = set(self.without) | (lacked_by_busybox() if self.kit == "busybox" else set())
        return {name: path for name, path in found.items() if name not in lacking}

    def run(self, timeout: float = 60) -> bytes:
        command = self.command()
        return subprocess.run(command, capture_output=True, timeout=timeout, check=True).stdout


def lacked_by_busybox() -> set[str]:
    """Each distribution builds it with other tools."""
    listed = subprocess.run(["busybox", "--list"], capture_output=True, check=True).stdout
    return set(TOOLS.split()) - set(listed.decode().split())
