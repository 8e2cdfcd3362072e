"""No PowerShell runs here: a grammar, rules and the shared table check the script."""

import re

import pytest

from diagnostics import scripts
from diagnostics.readers import windows_fields

SCRIPT = scripts.text("windows")
CODE = re.sub(r"'[^']*'|\"[^\"]*\"", "''", re.sub(r"(?m)^\s*#.*$", "", SCRIPT))


def test_the_grammar_accepts_it():
    import tree_sitter_powershell
    from tree_sitter import Language, Parser

    def wrong(node):
        if node.type == "ERROR" or node.is_missing:
            yield node
        for child in node.children:
            yield from wrong(child)

    parser = Parser(Language(tree_sitter_powershell.language()))
    places = [str(n.start_point) for n in wrong(parser.parse(SCRIPT.encode()).root_node)]
    assert places == []


def test_the_grammar_would_notice_a_lost_bracket():
    import tree_sitter_powershell
    from tree_sitter import Language, Parser

    parser = Parser(Language(tree_sitter_powershell.language()))
    broken = SCRIPT.replace("foreach ($query in $queries) {", "foreach ($query in $queries {", 1)
    assert broken != SCRIPT
    assert parser.parse(broken.encode()).root_node.has_error


def test_it_fits_into_a_call():
    assert len(SCRIPT.encode("ascii")) <= 18_000


def test_script_and_readers_share_one_table():
    assert SCRIPT.split("# table\n")[1] == windows_fields.powershell()


@pytest.mark.parametrize(
    "construct",
    [
        r"[^<>=!]==[^=]",  # no comparison of PowerShell
        r",\s*,",
        r"\?\?|\?\.|&&|\|\|",  # PowerShell 7
        r"\bclass\s+\w+|\benum\s+\w+|::new\(",  # PowerShell 5
        r"@\(\$(notes|plain|events)\)",  # fails on lists in PowerShell 5.1
        r"Get-Random|Start-Sleep|Invoke-Expression|iex\b",
        r"Set-|Remove-|Out-File|Add-Content|New-Item|Clear-|Restart-|Stop-Computer|>\s*\S",
    ],
)
def test_constructs_that_it_must_not_use(construct):
    assert re.search(construct, CODE.replace("-gt", "").replace("->", "")) is None


def test_every_try_has_its_end():
    tries = len(re.findall(r"\btry\b", CODE))
    assert tries == len(re.findall(r"\}\s*(?:catch|finally)\b", CODE)) > 0
