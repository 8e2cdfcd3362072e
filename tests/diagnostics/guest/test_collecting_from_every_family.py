"""One crash, kept as each family keeps it, comes to the same verdict whatever the machine lacks."""

import pytest

from diagnostics import reading, scripts
from diagnostics.readers import bundle, linux_state
from tests.sizes import LONG, long_only, sample

from .conftest import wanted
from .families import FAMILIES, PANIC

FULL = {
    "walls": ("--size", "65536", "--tmpfs", "/tmp"),
    "env": {"TMPDIR": "/tmp"},
    "typed": "cat /dev/zero > /tmp/fill; echo x > /tmp/more || exec sh /collect.sh",
}
WRITABLE = ("--tmpfs", "/tmp")
CHINESE = {"LANG": "zh_CN.UTF-8", "LC_ALL": "zh_CN.UTF-8", "LANGUAGE": "zh_CN:zh"}
TROUBLES = {
    "none": {},
    "no gzip": {"without": ("gzip",)},
    "no base64": {"without": ("base64",)},
    "no awk": {"without": ("awk",)},
    "no journal and no last": {"without": ("journalctl", "last")},
    "no systemd": {"without": ("systemctl", "journalctl")},
    "a full disk": FULL,
    "in Chinese": {"env": CHINESE},
}
# Troubles on the first family, every family without one: the rest in the long form.
QUICK = [("alinux", name) for name in sample(TROUBLES, 2)] + [(name, "none") for name in FAMILIES]
PAIRS = [(family, trouble) for family in FAMILIES for trouble in TROUBLES] if LONG else QUICK
NOT_TO_BE_FOUND = {("alpine", "no awk")}  # nothing there can tell which of its logs it is


@pytest.fixture
def made(machine):
    def make(family: str, **trouble):
        FAMILIES[family](machine)
        for name, value in trouble.items():
            setattr(machine, name, value)
        if machine.kit == "busybox":
            wanted("busybox", "shells")
        return machine

    return make


def verdict(output: bytes) -> tuple[str | None, str | None]:
    assert len(output) < 24_000
    found = reading.read({"guest_output": output}, "linux", None)
    assert found.complete
    return found.guest.verdict.kind, found.guest.verdict.function


@pytest.mark.parametrize(("family", "trouble"), sorted({*PAIRS} - NOT_TO_BE_FOUND))
def test_the_crash_is_judged(made, family, trouble):
    output = made(family, **TROUBLES[trouble]).run()
    assert verdict(output) == ("kernel_panic", "acs_stats_update")


@pytest.mark.parametrize(
    ("family", "told", "service", "dump", "lacking"),
    [
        ("alinux", "rhel", "kdump", "vmcore", ()),
        ("debian", "debian", "kdump-tools", "dump", ("journal_previous",)),
        ("alpine", "other", "none", None, ("journal_previous", "last", "boots")),
    ],
)
def test_what_a_family_has_is_read_and_what_it_has_not_is_said(
    made, family, told, service, dump, lacking
):
    found = bundle.read(made(family).run()).sections
    state = linux_state.read(found)
    assert (state.family, state.kdump.service) == (told, service)
    assert [d.type for d in state.dumps] == ([dump] if dump else [])
    assert PANIC.splitlines()[-1] in found["vmcore_dmesg" if dump else "messages"]
    assert not set(lacking) & set(found)
    assert all(f"{name}: " in found["collection"] for name in lacking)


def test_every_tool_is_asked_to_speak_english(made):
    found = bundle.read(made("alinux", env=CHINESE).run()).sections
    assert "system boot" in found["last"]


def test_a_full_disk_is_seen_where_dumps_would_go(made):
    machine = made("alinux", **FULL)
    machine.write("etc/kdump.conf", "path /tmp/not/yet\n")
    kdump = linux_state.read(bundle.read(machine.run()).sections).kdump
    assert (kdump.core_path, kdump.space_free_kb) == ("/tmp/not/yet", 0)


@pytest.mark.parametrize("family", sample(FAMILIES, 4))
def test_the_line_typed_on_the_machine_brings_the_same(made, family):
    (way,) = scripts.ways(7, "linux")
    machine = made(family, typed=way.line, walls=WRITABLE)
    assert verdict(machine.run()) == ("kernel_panic", "acs_stats_update")


def test_without_gzip_the_file_brings_what_the_line_cannot(made):
    (way,) = scripts.ways(7, "linux")
    machine = made("alinux", without=("gzip",), typed=way.line, walls=WRITABLE)
    assert machine.run() == b""
    machine.typed = way.from_file.replace("linux.sh", "/collect.sh")
    output = machine.run()
    assert output.startswith(b"#ecs-bundle 1 linux plain\n")
    assert verdict(output) == ("kernel_panic", "acs_stats_update")


@long_only
def test_tools_that_hang_together_hold_the_run_up_for_less_than_30_seconds(made):
    machine = made("alinux")
    for tool in ("systemctl", "journalctl", "last", "dmesg", "df"):
        machine.tool(tool, "while :; do sleep 100; done")
    output = machine.run(timeout=30)
    assert verdict(output) == ("kernel_panic", "acs_stats_update")
    gaps = bundle.read(output).sections["collection"]
    assert "kdump: stopped after 4 s" in gaps and "journal_previous: stopped after 6 s" in gaps


@long_only
def test_a_tool_that_never_stops_printing_fills_nothing(made):
    machine = made("alinux")
    for tool in ("last", "dmesg"):
        machine.tool(tool, f"while :; do echo '{PANIC.splitlines()[4]}' $$; done")
    assert verdict(machine.run())[0] == "kernel_panic"
