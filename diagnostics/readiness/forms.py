"""Narrowing the fleet by what it lacks, beside everything that narrows instances anyway."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from diagnostics.readiness.checks import MISSING, OK, TITLES, UNKNOWN
from diagnostics.readiness.models import named
from diagnostics.speech import spoken
from instances.forms import EVERY, InstanceFilter, choice
from instances.models import CloudAccount, InstanceQuerySet

NEVER = "never"
STATES = [
    (MISSING, _("missing")),
    (UNKNOWN, _("unknown")),
    (OK, _("ok")),
    (NEVER, _("never checked")),
]
COLUMNS = {MISSING: "missing", UNKNOWN: "unknown", OK: "fine"}
OUT_OF_SIGHT = ("status", "agent", "tag", "resource_group", "released")


class ReadinessFilter(InstanceFilter):
    """`check` with a state: where it is so; alone: where it is not ok. A state alone: missing
    where something needed is missing, unknown where anything is, ok where neither is so."""

    check = choice(_("Check"), [])
    ready = choice(_("Readiness"), STATES)
    account = choice(_("Account"), [])
    field_order = ("text", "check", "ready", "account", "region", "os", "group")

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, user=user, **kwargs)
        checks = [(name, spoken(title)) for name, title in TITLES.items()]
        names = CloudAccount.objects.visible_to(user).order_by("name").values_list("name", "name")
        self.fields["check"].choices = EVERY + checks
        self.fields["account"].choices = EVERY + list(names)
        for name in OUT_OF_SIGHT:  # the list of instances brings them along
            self.fields[name].widget = self.fields[name].hidden_widget()

    def found(self, user: Any) -> InstanceQuerySet:
        """The visible instances that fit; none at all while a field is wrong."""
        whole = self.whole(user)
        if not self.is_valid():
            return whole.none()
        check, state = self.cleaned_data["check"], self.cleaned_data["ready"]
        return whole.filter(standing(check, state)) if check or state else whole

    def whole(self, user: Any) -> InstanceQuerySet:
        """The same, whatever they lack."""
        return super().found(user)


def standing(check: str, state: str) -> Q:
    """Instances by a check, a state, or both."""
    never = Q(readiness=None) | Q(readiness__as_of=None)
    if state == NEVER:
        return never
    if check:
        columns = [COLUMNS[state]] if state else [COLUMNS[MISSING], COLUMNS[UNKNOWN]]
        found = Q()
        for column in columns:
            found |= Q(**{f"readiness__{column}__contains": named(check)})
        return found
    lacking, doubtful = Q(readiness__lacks__gt=0), ~Q(readiness__unknown__in=("", " "))
    if state == MISSING:
        return lacking
    return ~never & (doubtful if state == UNKNOWN else ~lacking & ~doubtful)
