import os
import shutil

import pytest

from tests.sizes import sample

from .machines import Machine


def wanted(program: str, name: str) -> None:
    """Skip where the program is not installed, unless this run is to show everything."""
    if shutil.which(program):
        return
    lacking = f"{program} is not installed: the script cannot be run so"
    if name in os.environ.get("PORTAL_TEST_REQUIRE", "").split(","):
        pytest.fail(lacking)
    pytest.skip(lacking)


@pytest.fixture
def machine(tmp_path, sandbox_needed):
    """A small machine of the RHEL family that booted an hour ago, in a real sandbox."""
    machine = Machine(tmp_path)
    machine.write("etc/os-release", 'ID="alinux"\nID_LIKE="rhel fedora"\nPRETTY_NAME="A Linux 3"\n')
    machine.write("proc/cmdline", "BOOT_IMAGE=/vmlinuz root=/dev/vda1 crashkernel=auto\n")
    return machine


@pytest.fixture(params=sample(["gnu", "bash", "busybox"], 3))
def kit(request, machine):
    """The same machine with the shell and tools of one family after the other."""
    if request.param != "gnu":
        wanted(request.param, "shells")
    machine.kit = request.param
    return machine
