"""What a machine is set up like, and why a value is not known. Nothing is guessed."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnostics.readers import linux_state

from .fuzzing import fuzz

SECTIONS = {
    "system": """\
hostname=web01
kernel=5.10.134-16.al8.x86_64
arch=x86_64
boot_id=0f3c2a52-96c1-4dd8-8f6a-1f2e3d4c5b6a
boot_time=1790000000
now=1790003600
uptime_s=3600
timezone=+0800
os_id=alinux
os_like=rhel fedora centos anolis
os_pretty=Alibaba Cloud Linux 3
agent_version=2.2.3.857""",
    "cmdline": "BOOT_IMAGE=/vmlinuz root=/dev/vda1 crashkernel=256M quiet",
    "sysctl": "kernel.panic=10\nvm.panic_on_oom=1\nkernel.hung_task_panic=0",
    "kdump": """\
service=kdump
active=active
enabled=enabled
crash_size=268435456
crash_loaded=1
config_path=/etc/kdump.conf
core_path=/var/crash
target=
space_free_kb=31457280""",
    "dumps": "1789990000 4000 /var/crash/b/vmcore\n1789999999 5000 /var/crash/202609212333/dump.1",
    "vmcore_dmesg": "# /var/crash/b/vmcore-dmesg.txt\n[ 1.0] Kernel panic",
    "history": "sysrq-trigger /root/.bash_history:2",
    "collection": "last: last is not installed",
}


def state(**changes):
    wanted = SECTIONS | changes
    return linux_state.read({name: text for name, text in wanted.items() if text is not None})


def test_a_machine_tells_what_it_is():
    read = state()
    assert (read.family, read.hostname) == ("rhel", "web01")
    assert read.boot_id == "0f3c2a52-96c1-4dd8-8f6a-1f2e3d4c5b6a"
    assert read.booted_at == datetime.fromtimestamp(1790000000, UTC)
    assert read.uptime == timedelta(hours=1)
    assert read.reasons == {}


def test_kdump_is_ready_when_its_kernel_is_loaded():
    kdump = state().kdump
    assert (kdump.service, kdump.active, kdump.crashkernel) == ("kdump", "active", "256M")
    assert kdump.ready is True


def test_kdump_is_not_ready_without_reserved_memory():
    loose = SECTIONS["kdump"].replace("crash_loaded=1", "crash_loaded=")
    assert state(kdump=loose, cmdline="quiet").kdump.ready is False
    assert state(kdump=loose).kdump.ready is None


def test_what_an_oom_does_is_said_in_words():
    assert "the kernel panics" in state().panic_on_oom_means


def test_dumps_come_newest_first_with_their_kind():
    assert [(dump.type, dump.size) for dump in state().dumps] == [("dump", 5000), ("vmcore", 4000)]


def test_a_section_that_was_not_asked_leaves_none_and_the_reason():
    read = state(dumps=None, collection="dumps: stat is not installed")
    assert read.dumps is None
    assert read.reasons["dumps"] == "stat is not installed"


def test_a_section_that_was_asked_and_empty_is_no_gap():
    read = state(dumps="", history="")
    assert (read.dumps, read.history) == ((), ())
    assert "dumps" not in read.reasons


@pytest.mark.parametrize("bad", ["", "unknown", "0F3C2A52", "0f3c2a52-96c1-4dd8-8f6a", "x" * 36])
def test_only_a_well_formed_boot_id_counts(bad):
    system = SECTIONS["system"].replace("0f3c2a52-96c1-4dd8-8f6a-1f2e3d4c5b6a", bad)
    read = state(system=system)
    assert read.boot_id is None and "boot_id" in read.reasons


@pytest.mark.parametrize(
    "os_id, like, family",
    [
        ("ubuntu", "debian", "debian"),
        ("debian", "", "debian"),
        ("sles", "suse", "suse"),
        ("rocky", "rhel centos fedora", "rhel"),
        ("custom", "fedora", "rhel"),
        ("alpine", "", "other"),
    ],
)
def test_the_family_decides_which_steps_are_advised(os_id, like, family):
    assert state(system=f"os_id={os_id}\nos_like={like}").family == family


sections = st.dictionaries(
    st.sampled_from([*SECTIONS, "who"]),
    st.one_of(st.text(), st.sampled_from(list(SECTIONS.values()))),
)


@fuzz(500)
@given(sections)
def test_no_answer_of_a_machine_breaks_the_reader(texts):
    linux_state.read(texts)
