"""No PowerShell runs here: a grammar, rules and the shared table check what is sent to Windows."""

import re

import pytest
import tree_sitter_powershell
from tree_sitter import Language, Parser

from commands.reboots import proof
from diagnostics import scripts
from diagnostics.readers import windows_fields
from diagnostics.scripts import shared

SCRIPT = scripts.text("windows")
SENT = {"collection": SCRIPT, "readiness": shared.readiness("windows"), "probe": proof.WINDOWS}
PARSER = Parser(Language(tree_sitter_powershell.language()))

every = pytest.mark.parametrize("name", SENT)


def wrong_places(script: str) -> list[str]:
    def wrong(node):
        if node.type == "ERROR" or node.is_missing:
            yield str(node.start_point)
        for child in node.children:
            yield from wrong(child)

    return list(wrong(PARSER.parse(script.encode()).root_node))


def code(script: str) -> str:
    """Without comments, and with nothing in its strings."""
    return re.sub(r"'[^']*'|\"[^\"]*\"", "''", re.sub(r"(?m)^\s*#.*$", "", script))


@every
def test_the_grammar_accepts_it(name):
    assert wrong_places(SENT[name]) == []


@pytest.mark.parametrize(
    ("name", "sound", "broken"),
    [
        ("collection", "foreach ($query in $queries) {", "foreach ($query in $queries {"),
        ("readiness", "foreach ($name in @('System',", "foreach ($name in @('System,"),
        ("probe", "([DateTimeKind]::Utc)", "([DateTimeKind]::Utc"),
    ],
)
def test_the_grammar_would_notice_a_lost_mark(name, sound, broken):
    assert sound in SENT[name]
    assert wrong_places(SENT[name].replace(sound, broken, 1))


@every
def test_it_fits_into_a_call(name):
    assert len(SENT[name].encode("ascii")) <= 18_000


def test_script_and_readers_share_one_table():
    assert SCRIPT.split("# table\n")[1] == windows_fields.powershell()


FORBIDDEN = {
    "no comparison of PowerShell": (r"[^<>=!]==[^=]", "if ($a == $b) {}"),
    "an empty element": (r",\s*,", "@(1, , 2)"),
    "7: a choice in one expression": (r"\s\?\s", "$a ? 1 : 2"),
    "7: operators": (r"\?\?|\?\.|&&|\|\|", "$a ?? 1"),
    "7: loops side by side": (r"-Parallel\b|-ThrottleLimit\b", "$a | ForEach-Object -Parallel {}"),
    "6: which system": (r"\$Is(Windows|Linux|MacOS)\b", "if ($IsWindows) {}"),
    "6: parameters": (
        r"-(AsUTC|AsHashtable|AsByteStream|Top|LeafBase|SkipLast|EscapeHandling)\b",
        "$a | Sort-Object -Top 3",
    ),
    "5: types": (r"(?m)^\s*(class|enum|using)\s+\w", "class Boot {}"),
    "5: constructors": (r"::new\(", "[datetime]::new(1970, 1, 1)"),
    "5: commands": (
        r"\b(Get-ComputerInfo|New-Guid|Write-Information|Expand-Archive|New-TemporaryFile)\b",
        "Get-ComputerInfo",
    ),
    "fails on lists in 5.1": (r"@\(\$(notes|plain|events)\)", "@($notes)"),
    "chance, waiting, text as code": (
        r"Get-Random|Start-|Invoke-|\biex\b",
        "Invoke-Expression $text",
    ),
    "a write": (
        r"\b(Set|Remove|Clear|Restart|Stop|Disable|Enable|Rename|Move|Copy|Register)-\w"
        r"|\bAdd-(?!Type)\w|New-Item|Out-File|Tee-Object|(?<!-)>\s*\S",
        "Restart-Computer",
    ),
}


@every
@pytest.mark.parametrize("rule", FORBIDDEN)
def test_it_uses_nothing_that_it_must_not(name, rule):
    found = re.search(FORBIDDEN[rule][0], code(SENT[name]), re.IGNORECASE)
    assert found is None, found


@pytest.mark.parametrize("rule", FORBIDDEN)
def test_each_rule_notices_what_it_forbids(rule):
    pattern, example = FORBIDDEN[rule]
    assert re.search(pattern, code(example), re.IGNORECASE)


@every
def test_every_try_has_its_end(name):
    tries = len(re.findall(r"\btry\b", code(SENT[name])))
    assert tries == len(re.findall(r"\}\s*(?:catch|finally)\b", code(SENT[name])))
    assert tries or name == "probe"
