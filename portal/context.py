"""What every page knows: where it stands, who looks, which nouns there are."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from instances.models import CloudAccount, scopes_of

THEMES = (("auto", _("System")), ("light", _("Light")), ("dark", _("Dark")))
MEANINGS = {
    "observe": _("only looks"),
    "diagnose": _("looks, and runs the read-only diagnosis script"),
    "commands": _("looks and runs commands"),
    "full": _("looks, runs commands, starts, stops and reboots"),
}
# url name, label, permission, begins a new block
NOUNS = (
    ("home", _("Home"), "", False),
    ("diagnostics:list", _("Cases"), "diagnostics.view_diagnosiscase", False),
    ("readiness:list", _("Readiness"), "diagnostics.view_readiness", False),
    ("commands:runs", _("Runs"), "commands.view_invocation", True),
    ("commands:reboots", _("Reboots"), "commands.view_rebootbatch", False),
    ("commands:approvals", _("Approvals"), "commands.view_approval", False),
    ("commands:schedules", _("Schedules"), "commands.view_schedule", False),
    ("commands:list", _("Commands"), "commands.view_savedcommand", False),
    ("instances:list", _("Instances"), "instances.view_instance", False),
    ("commands:agents", _("Cloud Assistant"), "instances.view_instance", False),
    ("instances:groups", _("Groups"), "instances.view_instancegroup", False),
    ("instances:events", _("System events"), "instances.view_systemevent", False),
    ("instances:regions", _("Regions"), "instances.view_region", False),
    ("audit", _("Audit"), "audit.view_auditentry", True),
    ("notices:list", _("Notifications"), "notices.view_notification", False),
    ("health", _("Health"), "portal.view_heartbeat", False),
    ("admin:index", _("Administration"), "auth.view_user", False),
)


@dataclass(frozen=True, slots=True)
class Place:
    """The cloud that acts would reach from here."""

    simulated: bool
    endpoint: str
    accounts: list[str]
    mode: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Noun:
    url: str
    label: str
    apart: bool
    current: bool


def page(request: HttpRequest) -> dict[str, object]:
    theme = request.COOKIES.get("theme", "auto")
    return {
        "theme": theme if theme in dict(THEMES) else "auto",
        "themes": THEMES,
        "place": SimpleLazyObject(lambda: _place(request)),
        "nouns": SimpleLazyObject(lambda: _nouns(request)),
        "unscoped": SimpleLazyObject(lambda: _unscoped(request)),
    }


def _place(request: HttpRequest) -> Place | None:
    """Only for people who are logged in: a stranger need not know the endpoint."""
    if not _person(request):
        return None
    names = CloudAccount.objects.visible_to(request.user).filter(enabled=True).order_by("name")
    return Place(
        simulated=settings.ECS_IS_LOCAL,
        endpoint=settings.ECS_ENDPOINT,
        accounts=list(names.values_list("name", flat=True)[:5]),
        mode=settings.PORTAL_MODE,
        meaning=MEANINGS.get(settings.PORTAL_MODE, ""),
    )


def _nouns(request: HttpRequest) -> list[Noun]:
    if not _person(request):
        return []
    nouns = []
    for name, label, permission, apart in NOUNS:
        if permission and not request.user.has_perm(permission):
            continue
        url = reverse(name)
        current = request.path == url or (url != "/" and request.path.startswith(url))
        nouns.append(Noun(url, str(label), apart, current))
    return _only_one_current(nouns)


def _only_one_current(nouns: list[Noun]) -> list[Noun]:
    """/instances/events/ lies below /instances/: the longest address wins."""
    current = max((noun.url for noun in nouns if noun.current), key=len, default="")
    return [Noun(n.url, n.label, n.apart, n.url == current) for n in nouns]


def _unscoped(request: HttpRequest) -> bool:
    """Whether this person sees nothing at all because nobody gave them a part of the fleet."""
    if not _person(request) or request.user.is_superuser:
        return False
    return not scopes_of(request.user)


def _person(request: HttpRequest) -> bool:
    return getattr(request, "user", None) is not None and request.user.is_authenticated
