"""Imports point down; the SDK stays behind one module."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LEAVES = {
    "portal.kept",
    "portal.access",
    "portal.bodies",
    "portal.checks",
    "portal.cli",
    "portal.lists",
    "portal.owners",
    "portal.patterns",
    "portal.queue",
    "portal.records",
    "portal.retention",
    "portal.rows",
    "portal.secrets",
    "portal.transitions",
    "portal.work",
}
BELOW = {
    "portal/audit": set(),
    "portal/notices": {"portal.audit"} | LEAVES,
    "simulator": set(),
    "instances": {"portal.audit", "portal.notices"} | LEAVES,
    "commands": {"instances", "portal.audit", "portal.notices"} | LEAVES,
    "diagnostics": {"commands", "instances", "portal.audit", "portal.notices"} | LEAVES,
}
OURS = {"portal", "instances", "commands", "diagnostics", "simulator"}


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in names if name.partition(".")[0] in OURS}


def allowed(name: str, app: str) -> bool:
    rooms = BELOW[app] | {app.replace("/", ".")}
    return any(name == room or name.startswith(room + ".") for room in rooms)


@pytest.mark.parametrize("app", BELOW)
def test_imports_point_down(app):
    for path in (ROOT / app).rglob("*.py"):
        for name in imported(path) - {"portal"}:
            assert allowed(name, app), f"{path.relative_to(ROOT)} imports {name}"


def test_only_the_gateway_knows_the_sdk():
    for app in OURS:
        for path in (ROOT / app).rglob("*.py"):
            if path in (ROOT / "instances" / "ecs_sdk.py", ROOT / "instances" / "actiontrail.py"):
                continue
            text = path.read_text()
            assert "alibabacloud" not in text and "darabonba" not in text, path


def test_only_the_bell_and_the_cluster_know_the_queue_library():
    for app in OURS:
        for path in (ROOT / app).rglob("*.py"):
            if path.name in {"queue.py", "cluster.py"} and "portal" in path.parts:
                continue
            if path.name == "settings.py":
                continue
            assert "from django_q" not in path.read_text(), path
