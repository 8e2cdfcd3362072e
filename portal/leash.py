"""No child outlives its parent, not even one whose parent was killed with -9."""

from __future__ import annotations

import ctypes
import os
import signal

_SET_PDEATHSIG = 1  # prctl(2), Linux
_libc = ctypes.CDLL(None, use_errno=True)


def die_with(parent: int) -> None:
    """Have the kernel kill this process when `parent`, the process that forked it, is gone.

    Survives exec. The parent may be gone already: then this process ends here.
    """
    if hasattr(_libc, "prctl"):
        _libc.prctl(_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
