"""The stages of a diagnosis, in the order that is never changed and never skipped silently."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

INSTANCE, WINDOW, OWN, EVENTS, AGENT = "instance", "window", "own", "events", "agent"
GUEST, DUMPS, VERDICT, ADVICE, REPORT = "guest", "dumps", "verdict", "advice", "report"

TITLES = {
    INSTANCE: _("Confirm the instance"),
    WINDOW: _("When did it go down"),
    OWN: _("Did we do it"),
    EVENTS: _("Platform events"),
    AGENT: _("Agent status"),
    GUEST: _("Evidence from the guest"),
    DUMPS: _("Crash dumps"),
    VERDICT: _("Verdict"),
    ADVICE: _("Recommendations"),
    REPORT: _("Report"),
}
ORDER = tuple(TITLES)
