import os
import shutil

import pytest

from .machines import Machine


@pytest.fixture
def machine(tmp_path):
    """A small machine of the RHEL family that went down an hour ago, in a real sandbox."""
    if not shutil.which("bwrap"):
        lacking = "bubblewrap (bwrap) is not installed: the script cannot be run in a sandbox"
        if "sandbox" in os.environ.get("PORTAL_TEST_REQUIRE", "").split(","):
            pytest.fail(lacking)
        pytest.skip(lacking)
    machine = Machine(tmp_path)
    machine.write("etc/os-release", 'ID="alinux"\nID_LIKE="rhel fedora"\nPRETTY_NAME="A Linux 3"\n')
    machine.write("proc/cmdline", "BOOT_IMAGE=/vmlinuz root=/dev/vda1 crashkernel=auto\n")
    return machine
