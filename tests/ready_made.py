"""SQLite databases that were migrated once for a whole run of the tests, and are copied.

`manage.py migrate` takes three seconds of work; a dozen portals and every test worker need what it
makes. PostgreSQL is migrated wherever it is used.
"""

import atexit
import fcntl
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STACK_KEY = "of-no-worth-outside-this-test-" + "x" * 30  # seals the audit of every stack
FOLDER = "PORTAL_TEST_FOLDER"  # the first process of a run makes it, the others inherit its name


AHEAD = "from tests import ready_made; ready_made.database(people=True)"
_ahead: list[subprocess.Popen[bytes]] = []


def begin(*, ahead: bool = False) -> None:
    """`ahead`: the databases will be wanted, so they are made while the tests are collected."""
    os.environ[FOLDER] = tempfile.mkdtemp(prefix="portal-tests-")
    if ahead:
        _ahead.append(subprocess.Popen([sys.executable, "-c", AHEAD], cwd=ROOT))


def end() -> None:
    while _ahead:
        _ahead.pop().wait()
    shutil.rmtree(os.environ.pop(FOLDER))


def database(*, people: bool = False) -> Path:
    """A file to copy: what `migrate` makes of nothing, with the demo's people if they are wanted.

    Whoever asks first makes it, the others wait.
    """
    if FOLDER not in os.environ:  # no run of the tests, such as a benchmark
        begin()
        atexit.register(end)
    folder = Path(os.environ[FOLDER])
    made = folder / ("people.sqlite3" if people else "empty.sqlite3")
    with (folder / f"{made.name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            begun = folder / f"begun-{made.name}"
            if people:
                copy_to(begun)
            _manage(begun, "demo_users" if people else "migrate")
            begun.rename(made)
    return made


def copy_to(path: Path, *, people: bool = False) -> None:
    shutil.copyfile(database(people=people), path)


def load_into(connection: sqlite3.Connection) -> None:
    with closing(sqlite3.connect(database())) as source:
        source.backup(connection)


def _manage(path: Path, command: str) -> None:
    environment = os.environ | {
        "DATABASE_URL": f"sqlite:///{path}",
        "ECS_ENDPOINT": "http://127.0.0.1:1",  # a demo: its people may be made
        "SECRET_KEY": STACK_KEY,
    }
    words = [sys.executable, "manage.py", command, "-v0"]
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
