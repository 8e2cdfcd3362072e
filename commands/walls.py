"""Walls in the database behind the two people of a reboot and its one power act.

The code asks first and says it kindly; these triggers hold against everything else that can write:
a shell, the record room, a mistake. They stand after every `migrate`, on SQLite and on PostgreSQL.
While SQLite rebuilds tables they are down, because it cannot rebuild what triggers speak of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connections

APPROVAL, DECISION = "commands_approval", "commands_decision"
BATCH, ITEM = "commands_rebootbatch", "commands_rebootitem"


@dataclass(frozen=True)
class Wall:
    """Refuses each row for which `wrong` holds; NEW and OLD as in SQL."""

    name: str
    table: str
    when: str  # such as "UPDATE OF state"
    wrong: str
    says: str

    def on(self, vendor: str) -> list[str]:
        if vendor == "sqlite":
            return [
                f"CREATE TRIGGER IF NOT EXISTS {self.name} BEFORE {self.when} ON {self.table} "
                f"FOR EACH ROW WHEN {self.wrong} BEGIN SELECT RAISE(ABORT, '{self.says}'); END"
            ]
        return [
            f"CREATE OR REPLACE FUNCTION {self.name}() RETURNS trigger LANGUAGE plpgsql AS $$ "
            f"BEGIN IF {self.wrong} THEN RAISE EXCEPTION '{self.says}' "
            "USING ERRCODE = 'check_violation'; END IF; RETURN NEW; END $$",
            f"CREATE OR REPLACE TRIGGER {self.name} BEFORE {self.when} ON {self.table} "
            f"FOR EACH ROW EXECUTE FUNCTION {self.name}()",
        ]


def _same(column: str) -> str:
    return f"COALESCE(NEW.{column}, 0) = COALESCE(OLD.{column}, 0)"


# Whoever asked for it, and whoever wrote what runs: person or author of the rule.
_INVOLVED = f"""EXISTS (
    SELECT 1 FROM {APPROVAL} a
    LEFT JOIN {BATCH} b ON b.id = a.batch_id
    LEFT JOIN commands_invocation i ON i.id = a.invocation_id
    LEFT JOIN commands_commandrevision r
        ON r.id IN (b.pre_revision_id, b.post_revision_id, i.revision_id)
    LEFT JOIN commands_autopass p ON p.id = NEW.rule_id
    WHERE a.id = NEW.approval_id
    AND COALESCE(NEW.person_id, p.author_id) IN (a.requester_id, r.author_id))"""

_YESES = f"""(SELECT COUNT(*) FROM {DECISION} d LEFT JOIN commands_autopass p ON p.id = d.rule_id
    WHERE d.approval_id = NEW.id AND d.yes
    AND (NEW.requester_id IS NULL OR COALESCE(d.person_id, p.author_id) <> NEW.requester_id))"""


def _approved(more: str = "") -> str:
    return f"""EXISTS (SELECT 1 FROM {APPROVAL} a
    WHERE a.batch_id = NEW.id AND a.state = 'approved' AND a.digest = NEW.digest {more})"""


_WHOLE = f"""AND NOT EXISTS (SELECT 1 FROM {DECISION} d
    WHERE d.approval_id = a.id AND d.yes AND d.canary_only)"""
_CANARIES = f"""(SELECT COUNT(*) FROM {ITEM} c JOIN commands_rebootwave cw ON cw.id = c.wave_id
    WHERE c.batch_id = NEW.batch_id AND cw.canary AND c.id <> NEW.id)"""
_UNCLEARED = f"""NOT EXISTS (SELECT 1 FROM {BATCH} b
    LEFT JOIN commands_rebootwave w ON w.id = NEW.wave_id
    WHERE b.id = NEW.batch_id AND (b.cleared = 'all'
        OR (b.cleared = 'canary' AND w.canary AND {_CANARIES} < b.canary)))"""

WALLS = (
    Wall(
        "decision_of_nobody_involved",
        DECISION,
        "INSERT",
        _INVOLVED,
        "whoever asks for it or wrote what runs cannot decide it",
    ),
    Wall(
        "decision_is_never_changed",
        DECISION,
        "UPDATE",
        f"NOT ({' AND '.join(_same(c) for c in ('approval_id', 'person_id', 'rule_id'))}"
        " AND NEW.yes = OLD.yes AND NEW.canary_only = OLD.canary_only"
        f" AND NEW.accepted = OLD.accepted AND {_same('may_shrink')})",
        "a decision is never changed",
    ),
    Wall(
        "approval_is_frozen",
        APPROVAL,
        "UPDATE",
        f"NOT ({' AND '.join(_same(c) for c in ('requester_id', 'batch_id', 'invocation_id'))}"
        " AND NEW.digest = OLD.digest AND NEW.quorum >= OLD.quorum)"
        " OR (OLD.state <> 'waiting' AND NEW.state <> OLD.state)",
        "what is to be approved, and by how many, is never changed",
    ),
    Wall(
        "approval_by_enough_others",
        APPROVAL,
        "UPDATE OF state",
        f"NEW.state = 'approved' AND OLD.state <> 'approved' AND {_YESES} < NEW.quorum",
        "too few others have said yes",
    ),
    Wall(
        "approval_begins_waiting",
        APPROVAL,
        "INSERT",
        "NEW.state = 'approved'",
        "too few others have said yes",
    ),
    Wall(
        "reboot_batch_cleared_by_approval",
        BATCH,
        "UPDATE OF cleared",
        "NEW.cleared <> OLD.cleared AND NOT NEW.emergency AND ("
        f"(NEW.cleared = 'canary' AND NOT {_approved()})"
        f" OR (NEW.cleared = 'all' AND NOT {_approved(_WHOLE)}))",
        "nobody has approved it",
    ),
    Wall(
        "reboot_batch_begins_uncleared",
        BATCH,
        "INSERT",
        "NEW.cleared <> '' AND NOT NEW.emergency",
        "nobody has approved it",
    ),
    Wall(
        "reboot_batch_is_frozen",
        BATCH,
        "UPDATE",
        "(OLD.digest <> '' AND NEW.digest <> OLD.digest)"
        f" OR NEW.emergency <> OLD.emergency OR NOT {_same('asked_by_id')}",
        "what was asked for, by whom and how is never changed",
    ),
    Wall(
        "reboot_item_goes_down_cleared",
        ITEM,
        "UPDATE OF state",
        f"NEW.state IN ('preparing', 'asked') AND NEW.state <> OLD.state AND {_UNCLEARED}",
        "nobody has approved it",
    ),
    Wall(
        "reboot_item_begins_planned",
        ITEM,
        "INSERT",
        f"NEW.state IN ('preparing', 'asked', 'checking') AND {_UNCLEARED}",
        "nobody has approved it",
    ),
    Wall(
        "reboot_item_joins_no_frozen_batch",
        ITEM,
        "INSERT",
        f"EXISTS (SELECT 1 FROM {BATCH} b WHERE b.id = NEW.batch_id AND b.digest <> '')",
        "no instance joins a batch that was asked for",
    ),
    Wall(
        "reboot_emergency_is_of_one",
        ITEM,
        "INSERT",
        f"EXISTS (SELECT 1 FROM {BATCH} b JOIN {ITEM} i ON i.batch_id = b.id"
        " WHERE b.id = NEW.batch_id AND b.emergency)",
        "an emergency takes down one instance",
    ),
    Wall(
        "reboot_item_never_goes_back",
        ITEM,
        "UPDATE OF state, instance_id, batch_id",
        "(OLD.state = 'asked' AND NEW.state NOT IN ('asked', 'checking', 'over'))"
        " OR (OLD.state = 'checking' AND NEW.state NOT IN ('checking', 'over'))"
        " OR (OLD.state = 'over' AND NEW.state <> 'over')"
        " OR NEW.instance_id <> OLD.instance_id OR NEW.batch_id <> OLD.batch_id",
        "no way leads back from the power call",
    ),
    Wall(
        "reboot_item_keeps_its_verdict",
        ITEM,
        "UPDATE OF verdict",
        "OLD.verdict <> '' AND NEW.verdict <> OLD.verdict",
        "a verdict is never overwritten",
    ),
)


def put_up(using: str = "default", **_signal: Any) -> None:
    """After `migrate`, as far as the tables are there."""
    connection = connections[using]
    with connection.cursor() as cursor:
        there = set(connection.introspection.table_names(cursor))
        if not {APPROVAL, DECISION, BATCH, ITEM, "commands_autopass"} <= there:
            return
        for wall in WALLS:
            for statement in wall.on(connection.vendor):
                cursor.execute(statement)


def take_down(using: str = "default", **_signal: Any) -> None:
    """Before `migrate` on SQLite."""
    connection = connections[using]
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        for wall in WALLS:
            cursor.execute(f"DROP TRIGGER IF EXISTS {wall.name}")
