"""Runs shell scripts inside a machine's own small file tree, apart from the host.

Nothing of the host is there but its programs: /usr/bin, /usr/sbin and /usr/lib*, read-only. No
network, own processes, own /proc/sys, own host name. What shells cannot fake by files, stand-in
tools tell (see standins/); they read the machine's data and know no script.
"""

import atexit
import functools
import os
import selectors
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote

from simulator.offspring import PROCESSES, overgrown

STANDINS = Path(__file__).with_name("standins")
SCRIPT = "/usr/local/share/aliyun-assist/work/script/task.sh"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MEMORY = 1 << 30  # address space of each process, bytes
FILE_SIZE = 64 << 20
OPEN_FILES = 256
CPU_SECONDS = 120
LIMITS = [
    "prlimit",
    f"--as={MEMORY}",
    f"--fsize={FILE_SIZE}",
    f"--nofile={OPEN_FILES}",
    f"--nproc={PROCESSES}",
    f"--cpu={CPU_SECONDS}",
    "--core=0",
]
HEAD, TAIL = 256 << 10, 768 << 10  # of a huge output, this much of either end is kept
LOOK = 0.1  # seconds between two looks at the clock, the stop flag and the size
LATE, STOPPED, KILLED = "late", "stopped", 137
HOST_PROGRAMS = ("/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libexec")
ALTERNATIVES = ("awk", "nawk", "pager", "which")


# A process started by another thread while a script is being written would hold that file open for
# writing for a moment, and the script could not be executed: "Text file busy".
STARTING = threading.Lock()


@dataclass(frozen=True, slots=True)
class Room:
    """Where a script runs: the file tree, the host name, and files that cover parts of /proc."""

    root: Path
    hostname: str
    over: dict[str, Path] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Result:
    """How a script ended. `exit_code` is None when it was killed for its time or by request."""

    exit_code: int | None
    output: bytes
    dropped: int
    timed_out: bool
    stopped: bool


def run(
    room: Room,
    script: str,
    *,
    timeout: float,
    stop: threading.Event,
    uid: int = 0,
    home: str = "/root",
    user: str = "root",
    directory: str = "/root",
) -> Result:
    """Run `script` as Cloud Assistant does: as a file, through sh, so that its #! line counts."""
    names = {"HOME": home, "USER": user, "LOGNAME": user, "PWD": directory}
    surroundings = names | {"PATH": PATH, "LANG": "C.UTF-8"}
    with _script_file(script) as path:
        walls = _way()(room, path, uid, directory, surroundings)
        return _watch([*LIMITS, *walls, "/bin/sh", "-c", SCRIPT], timeout, stop)


def _mounts(room: Room, script: Path) -> list[tuple[str, str]]:
    """What is bound read-only over the machine's own tree, in this order: (source, target)."""
    mounts = [(folder, folder) for folder in HOST_PROGRAMS if Path(folder).is_dir()]
    mounts += [(str(tool), target) for target, tool in _standins_over_the_hosts()]
    mounts += [(str(STANDINS), "/usr/local/bin"), (str(STANDINS), "/sbin")]
    return [*mounts, (str(script), SCRIPT)]


def _bubblewrap(
    room: Room, script: Path, uid: int, directory: str, surroundings: dict[str, str]
) -> list[str]:
    walls = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    walls += ["--unshare-user", "--uid", str(uid), "--gid", str(uid), "--hostname", room.hostname]
    walls += ["--bind", str(room.root), "/"]
    for source, target in _mounts(room, script):
        walls += ["--ro-bind", source, target]
    walls += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", "/dev/shm"]
    for target, source in room.over.items():
        walls += ["--ro-bind", str(source), target]
    walls += ["--chdir", directory, "--clearenv"]
    for name, value in surroundings.items():
        walls += ["--setenv", name, value]
    return walls


def _namespaces(
    room: Room, script: Path, uid: int, directory: str, surroundings: dict[str, str]
) -> list[str]:
    """The same walls from util-linux alone, for hosts without bubblewrap."""
    root = str(room.root)
    lines = ["set -e", f"mount --rbind {quote(root)} {quote(root)}"]
    for source, target in _mounts(room, script):
        lines.append(_bound(source, root + target, read_only=True))
    lines += [f"mount -t proc proc {quote(root)}/proc", f"mount -t tmpfs tmpfs {quote(root)}/dev"]
    for device in ("null", "zero", "full", "random", "urandom", "tty"):
        inside = quote(f"{root}/dev/{device}")
        lines.append(f"touch {inside}; mount --bind /dev/{device} {inside}")
    lines += [f"ln -s /proc/self/fd {quote(root)}/dev/fd", f"mkdir {quote(root)}/dev/shm"]
    lines.append(f"mount -t tmpfs -o mode=1777 tmpfs {quote(root)}/tmp")
    lines += [_bound(str(source), root + target) for target, source in room.over.items()]
    lines += [f"hostname {quote(room.hostname)}", f"cd {quote(root)}", "mkdir -p .old"]
    lines += ["pivot_root . .old", f"cd {quote(directory)}", "umount -l /.old", "rmdir /.old"]
    # Only root may mount, so another user comes into being afterwards, in a namespace within.
    other = f"unshare --user --map-user={uid} --map-group={uid} --keep-caps " if uid else ""
    lines.append(f'exec {other}setpriv --bounding-set=-all --inh-caps=-all --no-new-privs "$@"')
    walls = ["unshare", "--user", "--mount", "--pid", "--net", "--ipc", "--uts", "--fork"]
    walls += ["--map-root-user", "--kill-child=KILL", "--propagation=private"]
    walls += ["/bin/sh", "-c", "\n".join(lines), "sh"]
    return [*walls, "env", "-i", *(f"{name}={value}" for name, value in surroundings.items())]


def _bound(source: str, target: str, *, read_only: bool = False) -> str:
    line = f"mount --bind {quote(source)} {quote(target)}"
    if read_only:
        line += f"; mount -o remount,bind,ro,nosuid,nodev {quote(target)}"
    return line


@functools.cache
def _standins_over_the_hosts() -> tuple[tuple[str, Path], ...]:
    """Tools called by their full path must be stand-ins too, where the host has such a file."""
    return tuple(
        (f"{folder}/{tool.name}", tool)
        for tool in sorted(STANDINS.iterdir())
        for folder in ("/usr/bin", "/usr/sbin")
        if Path(folder, tool.name).is_file() and not Path(folder, tool.name).is_symlink()
    )


@functools.cache
def workshop() -> Path:
    """This process's folder for trees and scripts. Those of processes that were killed go."""
    for left in Path(tempfile.gettempdir()).glob("ecs-simulator-*-*"):
        with suppress(FileNotFoundError):  # another simulator may be sweeping, too
            ours = left.lstat().st_uid == os.getuid()
            if ours and not Path("/proc", left.name.split("-")[2]).exists():
                shutil.rmtree(left, ignore_errors=True)
    mine = Path(tempfile.mkdtemp(prefix=f"ecs-simulator-{os.getpid()}-"))
    atexit.register(shutil.rmtree, mine, ignore_errors=True)
    return mine


@contextmanager
def _script_file(script: str) -> Iterator[Path]:
    with STARTING:
        handle, name = tempfile.mkstemp(prefix="task-", suffix=".sh", dir=workshop())
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(script)
    try:
        os.chmod(name, 0o755)
        yield Path(name)
    finally:
        os.unlink(name)


def _watch(command: list[str], timeout: float, stop: threading.Event) -> Result:
    """Collect the output until the script ends, its time is up, or somebody stops it."""
    with STARTING:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={"PATH": os.environ.get("PATH", PATH)},
            close_fds=True,
        )
    kept, deadline = Kept(), time.monotonic() + timeout
    with process:
        end = _collect(process, kept, deadline, stop)
        if end:
            _kill(process)
            kept.drain(process.stdout.fileno())
        code = process.wait()
    if end and end not in (LATE, STOPPED):
        kept.add(f"simulator: the script was killed, {end}\n".encode())
        code = KILLED
    cut_short = end in (LATE, STOPPED)
    exit_code = None if cut_short else code
    return Result(exit_code, kept.text(), kept.dropped, end == LATE, end == STOPPED)


def _collect(
    process: subprocess.Popen, kept: "Kept", deadline: float, stop: threading.Event
) -> str:
    """Read until the script ends by itself (""), or tell why it must not go on."""
    pipe = process.stdout.fileno()
    next_look = time.monotonic() + LOOK
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while (now := time.monotonic()) < deadline:
            if stop.is_set():
                return STOPPED
            if now >= next_look:
                next_look = now + LOOK
                if why := overgrown(process.pid):
                    return why
            if selector.select(min(LOOK, max(0.0, deadline - now))):
                if not (piece := os.read(pipe, 65536)):
                    return ""
                kept.add(piece)
    return LATE


def _kill(process: subprocess.Popen) -> None:
    """End the sandbox; its init dies with it, and with that every process inside."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


class Kept:
    """The two ends of an output that may be endless."""

    def __init__(self) -> None:
        self.head, self.tail, self.dropped = bytearray(), bytearray(), 0

    def add(self, piece: bytes) -> None:
        room = HEAD - len(self.head)
        self.head += piece[: max(room, 0)]
        self.tail += piece[max(room, 0) :]
        if (over := len(self.tail) - TAIL) > 0:
            del self.tail[:over]
            self.dropped += over

    def drain(self, handle: int) -> None:
        """What was written before the end; a survivor that keeps the pipe open must not hold us."""
        os.set_blocking(handle, False)
        try:
            while piece := os.read(handle, 65536):
                self.add(piece)
        except BlockingIOError:
            return

    def text(self) -> bytes:
        return bytes(self.head + self.tail)


Way = Callable[[Room, Path, int, str, dict[str, str]], list[str]]
WAYS: dict[str, Way] = {"bwrap": _bubblewrap, "unshare": _namespaces}


@functools.cache
def way_here() -> str:
    """How this host sets scripts apart, found by really running one: bwrap, unshare, or ""."""
    return next((name for name in WAYS if _works(name)), "")


def offered() -> bool:
    """Whether scripts can run on this host at all."""
    return bool(way_here())


def _way() -> Way:
    return WAYS[way_here()]


def _works(name: str) -> bool:
    if not (shutil.which(name) and shutil.which("prlimit")):
        return False
    with tempfile.TemporaryDirectory(prefix="probe-", dir=workshop()) as folder:
        skeleton(Path(folder))
        with _script_file("test $$ -gt 0\n") as script:
            walls = WAYS[name](Room(Path(folder), "probe"), script, 0, "/root", {"PATH": PATH})
            command = [*LIMITS, *walls, "/bin/sh", "-c", SCRIPT]
            try:
                return _watch(command, 10, threading.Event()).exit_code == 0
            except OSError:
                return False


def skeleton(root: Path) -> None:
    """The folders and links which every tree needs before anything can be mounted in it."""
    for folder in (*HOST_PROGRAMS, "/usr/local/bin", "/sbin", "/proc", "/dev", "/tmp", "/root"):
        (root / folder[1:]).mkdir(parents=True, exist_ok=True)
    root.chmod(0o755)
    (root / "tmp").chmod(0o1777)
    (root / "etc/alternatives").mkdir(parents=True, exist_ok=True)
    for name in ALTERNATIVES:  # hosts that choose their awk and others by such links
        link = Path("/etc/alternatives", name)
        if link.is_symlink() and not (root / "etc/alternatives" / name).is_symlink():
            (root / "etc/alternatives" / name).symlink_to(os.readlink(link))
    (root / SCRIPT[1:]).parent.mkdir(parents=True, exist_ok=True)
    (root / SCRIPT[1:]).touch()
    for link in ("bin", "lib", "lib32", "lib64"):
        if Path("/", link).exists() and not (root / link).exists():
            (root / link).symlink_to(f"usr/{link}")
