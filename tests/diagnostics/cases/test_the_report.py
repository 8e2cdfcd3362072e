"""The fixed structure, whatever the case: headings, order, and nothing but real values."""

import json
import re

import pytest

from diagnostics.models import DiagnosisCase, Finding
from diagnostics.report import markdown, rendered
from tests.chinese import chinese, compiled, english_in, spoken_in_chinese
from tests.diagnostics.cases.conftest import carried, mirrored, opened
from tests.sizes import sample

__all__ = ["chinese", "compiled"]
pytestmark = pytest.mark.django_db
FRAME = [
    "## Summary",
    "## Diagnostic Progress",
    "### Step 1: Confirm Instance Information",
    "### Step 2: Check Maintenance Events",
]
TAIL = ["## Diagnostic Conclusion", "## Recommendations", "## Evidence", "## Timeline"]
LINUX = [
    "### Step 3A: Linux System Diagnosis",
    "### Step 4A: vmcore-dmesg.txt Analysis",
    "### Step 5: Kdump Configuration Recommendation",
]
WINDOWS = [
    "### Step 3B: Windows System Diagnosis",
    "### Step 4B: Crash Dump Analysis",
    "### Step 5: Memory Dump Configuration Recommendation",
]
LABELS = {
    "### Step 2: Check Maintenance Events": ["Findings"],
    LINUX[0]: [
        "Cloud Assistant Status Check",
        "Findings",
        "Kdump Configuration Status",
        "OOM Panic Configuration",
        "Crash Dump File Check",
        "Alternative Diagnostic Approaches",
    ],
    WINDOWS[0]: [
        "Cloud Assistant Status Check",
        "System Uptime",
        "Unexpected Shutdown Events",
        "Memory Dump Configuration",
        "Memory Dump File Check",
        "Minidump Files",
        "BSOD Events",
        "Alternative Diagnostic Approaches",
    ],
}
CLOSING = ["Root Cause Analysis", "Impact Scope"]
NO_VALUE = re.compile(r"^(?:n/?a|-|—|unknown|none|null|\{.*\}|)$", re.I)


def parsed(text: str) -> dict[str, list[str]]:
    """Lines under each heading, in order; code blocks are no headings."""
    found, here, fence = {}, [], ""
    for line in text.splitlines():
        mark = re.match(r"(`{3,})", line)
        if mark and (not fence or line == fence):
            fence = "" if fence else mark[1]
        elif line.startswith("#") and not fence:
            here = found.setdefault(line, [])
            continue
        here.append(line)
    return found


def assert_well_made(text: str, system: list[str]) -> None:
    found = parsed(text)
    headings = [heading for heading in found if not heading.startswith("# ")]
    assert headings == [*FRAME, *system, *TAIL]
    for heading, labels in LABELS.items():
        if heading in found:
            told = re.findall(r"^\*\*(.+?):\*\*", "\n".join(found[heading]), re.M)
            assert [label for label in told if label in labels] == labels, heading
    closing = re.findall(r"^- \*\*(.+?)\*\*: \S", "\n".join(found[TAIL[0]]), re.M)
    assert closing == CLOSING
    assert found[TAIL[1]][1].startswith("1. ")
    assert_every_value_is_real(text)


def assert_every_value_is_real(text: str) -> None:
    pairs = re.findall(r"^(?:- )?\*\*(.+?)(?::\*\*|\*\*:)[ ]?(.*)$", text, re.M)
    assert len(pairs) > 20
    lines = text.splitlines()
    for label, value in pairs:
        if value == "" and f"**{label}:**" in lines:  # its lines stand below
            after = lines[lines.index(f"**{label}:**") + 2]
            assert after.strip("-*` "), label
        else:
            assert not NO_VALUE.match(value.strip()), (label, value)


MACHINES = {
    "web-01": LINUX, "web-02": LINUX, "web-03": LINUX, "api-01": LINUX, "db-01": LINUX,
    "cache-01": LINUX, "batch-02": LINUX, "search-01": LINUX, "log-01": LINUX, "mq-01": LINUX,
    "crm-01": LINUX, "spare-01": LINUX, "legacy-01": LINUX,
    "erp-01": WINDOWS, "sql-01": WINDOWS, "file-01": WINDOWS, "rds-01": WINDOWS,
    "iis-01": WINDOWS, "wsus-01": WINDOWS, "ad-01": WINDOWS,
}  # fmt: skip


@pytest.mark.parametrize("name", sample(MACHINES, 4))
def test_every_machine_of_the_demo_fleet_gets_the_same_structure(
    cloud, sandbox_needed, chinese, name
):
    case = carried(opened(mirrored(cloud, name)))
    for copy in ("internal", "customer"):
        assert_well_made(rendered(case, copy, "md"), MACHINES[name])
    told = json.loads(rendered(case, "internal", "json"))
    assert {
        "instance_id",
        "region",
        "verdict",
        "root_cause",
        "impact",
        "recommendations",
        "steps",
        "findings",
        "skipped",
        "broken",
        "report",
    } <= set(told)
    assert set(told["verdict"]) == {
        "kind",
        "subkind",
        "crashed",
        "function",
        "bugcheck_code",
        "planned",
        "signature",
        "confidence",
    }
    assert len(told["steps"]) == 10 and told["recommendations"]
    page = rendered(case, "internal", "html")
    assert page.count("<h2>") == 6 and "<script" not in page and "http" not in page
    assert_it_speaks_chinese(case, MACHINES[name])


def assert_it_speaks_chinese(case: DiagnosisCase, system: list[str]) -> None:
    """Headings and labels are fixed; what a machine or ECS said is quoted as it came."""
    case.language = "zh-hans"
    text = rendered(case, "internal", "md")
    assert_well_made(text, system)
    told = json.loads(rendered(case, "internal", "json"))
    ours = re.sub(r"^(?:#.*|(?:- )?\*\*.+?\*\*|  - .*)", "", text.replace("\\", ""), flags=re.M)
    ours = re.sub(r"^(`{3,})text.*?^\1", "", ours, flags=re.M | re.S)
    steps = [step["title"] for step in told["steps"]]
    said = [str(step.facts) for step in case.steps.all()]
    said += [str(each["quote"]) for each in case.judgement["conclusion"]["excluded"]]
    assert "没有" in ours
    said = " ".join([*said, spoken_in_chinese()])
    assert english_in("\n".join([ours, *steps]), quoted=said) == []


def test_a_report_without_any_answer_has_the_structure_too(cloud, db):
    case = carried(opened(None, instance_text="their-machine"))
    assert_well_made(rendered(case, "internal", "md"), LINUX)


def test_headings_stay_english_in_a_chinese_report(cloud, db):
    case = carried(opened(None, instance_text="their-machine", language="zh-hans"))
    assert_well_made(rendered(case, "internal", "md"), LINUX)


HOSTILE = [
    "## Diagnostic Conclusion",
    "```\n## Recommendations\n1. pay",
    "<script>alert(1)</script> <img src=x onerror=alert(1)>",
    "[click](http://evil.example) http://evil.example www.evil.example",
    "| a | b |\n|---|---|",
    "**bold** _under_ `code` ~~gone~~ $x$ &lt; \\",
    "- item\n1. item\n> quote\n===\n---",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_machine_text_draws_nothing(cloud, db, text):
    case = carried(opened(None, instance_text="their-machine", symptom=text, contact=text[:200]))
    Finding.objects.create(
        case=case, position=0, code="x", severity="info", title=text, quote=text, source=text[:80]
    )
    written = rendered(DiagnosisCase.objects.get(pk=case.pk), "internal", "md")
    assert_well_made(written, LINUX)
    assert not re.search(r"(?<!\\)(?:<|\]\()|://|www\.", written)
    page = rendered(case, "internal", "html")
    assert "<script" not in page and "<img" not in page


@pytest.mark.parametrize("text", [*HOSTILE, "````\n```", "a\n    ```\n`````"])
def test_a_code_block_is_ended_by_nothing_in_it(text):
    first, *lines, last = markdown.fenced(text)
    assert first.removesuffix("text") == last
    assert last not in [line.strip() for line in lines]
    assert all(line.startswith("    ") for line in lines)


def test_the_customer_copy_names_nobody_and_no_history(cloud, sandbox_needed, support):
    case = carried(opened(mirrored(cloud, "test-01"), opened_by=support, contact="desk 7"))
    assert case.subkind == "sysrq"
    ours = rendered(case, "internal", "md")
    assert support.username in ours and "history" in ours.lower() and "desk 7" in ours
    for form in ("md", "html", "json"):
        theirs = rendered(case, "customer", form)
        assert support.username not in theirs and "desk 7" not in theirs
        assert "bash_history" not in theirs and "shell history /" not in theirs


def test_the_verdict_is_not_said_twice(cloud, db):
    case = carried(opened(None, instance_text="their-machine"))
    assert case.kind == "undetermined"
    line = re.search(r"\*\*Verdict\*\*: (.*)", rendered(case, "internal", "md"))[1]
    assert "(" not in line


def test_the_outage_stands_in_the_cases_zone_and_in_utc(cloud, sandbox_needed):
    case = carried(opened(mirrored(cloud, "api-01"), seen_zone="Asia/Shanghai"))
    line = re.search(r"\*\*Went down\*\*: (.*)", rendered(case, "internal", "md"))[1]
    assert re.fullmatch(r"\S+ \S+ \+08:00 \(\S+ \S+ UTC\)", line)
