"""The system inside a Linux machine: its file tree and what answers for it in the sandbox."""

import gzip
import os
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from simulator import sandbox
from simulator.machine import Machine, Ran, refused

NO_SANDBOX = (
    "the simulator cannot run shell scripts on this host: it offers neither bubblewrap nor user"
    " namespaces, and no answer to this script was recorded"
)


@dataclass(frozen=True, slots=True)
class File:
    """One file of a tree. `size` beyond the content makes it sparse, as dumps are in the demo."""

    content: bytes
    changed: datetime | None = None
    mode: int = 0o644
    size: int = 0


Tree = dict[str, File]  # absolute path -> file; a path that ends in / is an empty folder


@dataclass(slots=True, weakref_slot=True)
class LinuxGuest:
    """A Linux system. `tree` is made when the first script comes, not before."""

    tree: Callable[[Machine], Tree]
    console_text: Callable[[Machine], str]
    root: Path | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _finalizer: object = field(default=None, repr=False)

    def run(
        self,
        machine: Machine,
        script: str,
        *,
        timeout: float,
        username: str,
        working_dir: str,
        stop: threading.Event,
    ) -> Ran:
        if not sandbox.offered():
            return refused("ExecutionException", NO_SANDBOX)
        root = self._root(machine)
        user = _account(root, username or "root")
        if user is None:
            return refused("AccountNotExists", "the specified account does not exists")
        directory = os.path.normpath(f"/{working_dir or user.home}").replace("//", "/")
        if not _is_folder(root / directory[1:]):
            return refused("DirectoryNotExists", "the specified directory does not exists")
        with tempfile.TemporaryDirectory(prefix="proc-", dir=sandbox.workshop()) as folder:
            over = _proc(machine, root, Path(folder))
            result = sandbox.run(
                sandbox.Room(root, machine.hostname, over),
                script,
                timeout=timeout,
                stop=stop,
                user=user.name,
                uid=user.uid,
                home=user.home,
                directory=directory,
            )
        return Ran(
            result.exit_code,
            result.output,
            "sandbox",
            timed_out=result.timed_out,
            stopped=result.stopped,
            dropped=result.dropped,
        )

    def console(self, machine: Machine) -> bytes:
        return self.console_text(machine).encode()

    def _root(self, machine: Machine) -> Path:
        with self._lock:
            if self.root is None:
                root = Path(tempfile.mkdtemp(prefix="machine-", dir=sandbox.workshop()))
                self._finalizer = weakref.finalize(self, shutil.rmtree, root, ignore_errors=True)
                sandbox.skeleton(root)
                write(root, self.tree(machine))
                self.root = root
            return self.root


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # such as a name that is too long for any folder
        return False


def write(root: Path, tree: Tree) -> None:
    """Put the tree on disk, with the times that its files are to have."""
    for path, file in tree.items():
        target = root / path.lstrip("/")
        if path.endswith("/"):
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.content)
        if file.size > len(file.content):
            os.truncate(target, file.size)
        target.chmod(file.mode)
        if file.changed is not None:
            os.utime(target, (file.changed.timestamp(), file.changed.timestamp()))


def packed(text: str) -> bytes:
    """As logrotate would leave it; the same bytes at each start."""
    return gzip.compress(text.encode(), mtime=0)


@dataclass(frozen=True, slots=True)
class Account:
    name: str
    uid: int
    home: str


def _account(root: Path, name: str) -> Account | None:
    for line in (root / "etc/passwd").read_text().splitlines():
        fields = line.split(":")
        if len(fields) >= 6 and fields[0] == name:
            return Account(name, int(fields[2]), fields[5])
    return None


def _proc(machine: Machine, root: Path, folder: Path) -> dict[str, Path]:
    """The files that cover the host's /proc: the machine's own, and those that move with time."""
    up = (datetime.now(UTC) - machine.boot.started_at).total_seconds()
    moving = {
        "/proc/uptime": f"{up:.2f} {up * machine.cpu * 0.93:.2f}\n",
        "/proc/loadavg": "0.08 0.11 0.09 1/143 4711\n",
        "/proc/stat": _stat(machine, up),
        "/proc/1/comm": "systemd\n",  # nor does the sandbox's own first process show through
        "/proc/1/cmdline": "/usr/lib/systemd/systemd\0--switched-root\0--system\0",
        "/proc/1/environ": "HOME=/\0TERM=linux\0",
    }
    over = {}
    for path, text in moving.items():
        over[path] = folder / path.strip("/").replace("/", "-")
        over[path].write_text(text)
    for own in (root / "run/machine/proc").iterdir():
        if own.is_file() and Path("/proc", own.name).exists():
            over[f"/proc/{own.name}"] = own
    over["/proc/sys"] = _sysctls(machine, root, folder / "sys")
    return over


def _stat(machine: Machine, up: float) -> str:
    idle = int(up * 93)
    cpus = "".join(f"cpu{n} {idle // 20} 0 {idle // 40} {idle} 0 0 0 0 0 0\n" for n in range(2))
    return (
        f"{cpus}ctxt 48151623\nbtime {int(machine.boot.started_at.timestamp())}\nprocesses 4711\n"
    )


def _sysctls(machine: Machine, root: Path, folder: Path) -> Path:
    """/proc/sys as a whole: nothing of the host's kernel shows through, and the boot id moves."""
    if (own := root / "run/machine/proc/sys").is_dir():
        shutil.copytree(own, folder)
    random = folder / "kernel/random"
    random.mkdir(parents=True, exist_ok=True)
    (random / "boot_id").write_text(machine.boot.boot_id + "\n")
    (folder / "kernel/hostname").write_text(machine.hostname + "\n")
    return folder
