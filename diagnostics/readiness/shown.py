"""An instance's readiness as its pages show it, in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from diagnostics.readiness.checks import ADVISED, KINDS, MISSING, OK, STATES, UNKNOWN
from diagnostics.readiness.fixes import steps
from diagnostics.readiness.models import Readiness
from diagnostics.speech import spoken, spoken_lines
from diagnostics.wording import unpacked

TONES = {MISSING: "attention", UNKNOWN: "unknown", OK: "good"}


def words(state: str) -> str:
    return {MISSING: _("missing"), UNKNOWN: _("unknown"), OK: _("ok")}[state]


def title(name: str) -> str:
    return spoken(KINDS[name].title) if name in KINDS else name


@dataclass(frozen=True, slots=True)
class CheckShown:
    """One check, with why it matters and what to do about it."""

    name: str
    title: str
    state: str
    found: str
    line: str
    why: str
    steps: list[str]
    advised: bool

    @property
    def tone(self) -> str:
        return "unknown" if self.advised and self.state == MISSING else TONES[self.state]

    @property
    def word(self) -> str:
        return words(self.state)


@dataclass(frozen=True, slots=True)
class ReadinessShown:
    """`row` is None for an instance that was never asked."""

    row: Readiness | None

    @property
    def known(self) -> bool:
        return self.row is not None and self.row.as_of is not None

    @property
    def as_of(self) -> datetime | None:
        return self.row.as_of if self.row else None

    @property
    def trouble(self) -> str:
        """Why the last try brought no answer."""
        return self.row.trouble if self.row else ""

    @property
    def state(self) -> str:
        if not self.known:
            return UNKNOWN
        if self.row.lacks:
            return MISSING
        return UNKNOWN if self.row.unknown.strip() else OK

    @property
    def tone(self) -> str:
        return TONES[self.state]

    @property
    def word(self) -> str:
        if not self.known:
            return _("never checked") if self.row is None else _("no answer")
        if self.row.lacks:
            return _("%d missing") % self.row.lacks
        return _("ready") if self.state == OK else _("not all known")

    @property
    def needed(self) -> list[str]:
        """Titles of what is needed and missing."""
        return [title(name) for name in self._names("missing") if name not in ADVISED]

    @property
    def advised(self) -> list[str]:
        return [title(name) for name in self._names("missing") if name in ADVISED]

    @property
    def unknown(self) -> list[str]:
        return [title(name) for name in self._names("unknown")]

    def _names(self, state: str) -> list[str]:
        return getattr(self.row, state).split() if self.row else []

    @property
    def checks(self) -> list[CheckShown]:
        """Missing first, then unknown, then ok; what is only advised at the end of each."""
        if self.row is None:
            return []
        found = [self._check(told) for told in self.row.checks if told["name"] in KINDS]
        return sorted(found, key=lambda check: (STATES.index(check.state), check.advised))

    def _check(self, told: dict) -> CheckShown:
        kind = KINDS[told["name"]]
        return CheckShown(
            name=told["name"],
            title=spoken(kind.title),
            state=told["state"],
            found=spoken(unpacked(told["found"])),
            line=told["line"],
            why=spoken(kind.why),
            steps=spoken_lines(steps(told["fix"], self.row.family)),
            advised=kind.advised,
        )


@dataclass(frozen=True, slots=True)
class Tally:
    """How many instances stand where with one check."""

    name: str
    title: str
    advised: bool
    missing: int
    unknown: int
    ok: int


def tallies(counts: dict[str, dict[str, int]]) -> list[Tally]:
    """The needed ones first, each with most missing first."""
    found = [
        Tally(
            name=name,
            title=title(name),
            advised=name in ADVISED,
            missing=states[MISSING],
            unknown=states[UNKNOWN],
            ok=states[OK],
        )
        for name, states in counts.items()
    ]
    return sorted(found, key=lambda each: (each.advised, -each.missing, -each.unknown))
