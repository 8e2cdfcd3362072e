"""What reading the evidence of a case gives, for either system."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from diagnostics.facts import Boot, Capture
from diagnostics.findings import Analysis, Verdict, Window
from diagnostics.wording import Text

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reading:
    """`guest` None: nothing in the guest's output could be read; `problems` says why.

    `state` is the readers' LinuxState or WindowsState. `handed` names the files that people gave;
    `origins` tells in which evidence a quoted line (its section, its text) stands, where that is
    one of them.
    """

    guest: Analysis | None = None
    console: Analysis | None = None
    state: object | None = None
    capture: Capture | None = None
    boot: Boot | None = None
    earlier_boots: tuple[Window, ...] = ()
    complete: bool = True
    reaches_back: bool = True
    problems: tuple[str | Text, ...] = ()
    os: str = ""  # linux | windows, as the evidence itself tells
    handed: tuple[str, ...] = ()
    by_hand_alone: bool = False  # the portal itself brought nothing from the guest
    scripted: bool = False  # an output of the collection script is among what was read
    origins: Mapping[tuple[str, str], str] = field(default_factory=dict)


def guarded(name: str, judge: Callable[[], Analysis]) -> Analysis:
    """An analyzer that raises is a broken check beside the others, never the end of the case."""
    try:
        return judge()
    except Exception as error:
        log.exception("analysis %s broke", name)
        return Analysis(Verdict("undetermined"), broken={name: repr(error)})
