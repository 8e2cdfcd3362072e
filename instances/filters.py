"""One place that turns what a person picked (region, status, tag, text ...) into instances.

The list page, the saved filters of groups and runs on a filter all read the same parameters:

account   name of a cloud account          region   region id
status    ECS's own word, such as Running  os       linux | windows
agent     alive | silent | unknown         tag      key or key=value; several are joined by "and"
resource_group  ECS's id of it, such as rg-acfmxazb4ph
group     primary key of an InstanceGroup  text     parts of ids, names, hostnames, addresses;
released  shown | only (else hidden)                several words are joined by "or"
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from instances.models import Instance, InstanceAddress, InstanceGroup, InstanceQuerySet, InstanceTag

STATUSES = ("Pending", "Starting", "Running", "Stopping", "Stopped")
ALLOWED = {
    "status": STATUSES,
    "os": ("linux", "windows"),
    "agent": ("alive", "silent", "unknown"),
    "released": ("shown", "only"),
}
PLAIN = (
    "account",
    "region",
    "resource_group",
    "status",
    "os",
    "agent",
    "group",
    "text",
    "released",
)
LONGEST = 200  # characters of one value
MOST_TAGS = 20
MOST_WORDS = 50


class BadFilter(ValueError):
    """A parameter that cannot be read; `field` names it, the message says what is allowed."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Filter:
    account: str = ""
    region: str = ""
    resource_group: str = ""
    status: str = ""
    os: str = ""
    agent: str = ""
    group: str = ""
    text: str = ""
    released: str = ""
    tags: tuple[str, ...] = ()

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Filter:
        """From a QueryDict or a saved filter; unknown names are left alone, bad values refused."""
        values = {name: str(given.get(name) or "").strip() for name in PLAIN}
        many = given.getlist("tag") if hasattr(given, "getlist") else given.get("tag") or ()
        many = [many] if isinstance(many, str) else many
        tags = tuple(dict.fromkeys(str(tag).strip() for tag in many if str(tag).strip()))
        for name, value in [*values.items(), *(("tag", tag) for tag in tags)]:
            _check(name, value)
        if len(tags) > MOST_TAGS:
            raise BadFilter("tag", _("at most %d tags") % MOST_TAGS)
        return cls(**values, tags=tags)

    def saved(self) -> dict[str, Any]:
        """What was picked, as JSON; `read` understands it."""
        picked = {name: value for name, value in asdict(self).items() if value and name != "tags"}
        return picked | ({"tag": list(self.tags)} if self.tags else {})

    def apply(self, instances: InstanceQuerySet) -> InstanceQuerySet:
        """The instances that fit all of it; released ones are hidden unless asked for."""
        plain = {"account": "account__name", "region": "region", "status": "status"}
        plain |= {"os": "os_type", "resource_group": "resource_group_id"}
        for name, column in plain.items():
            if value := getattr(self, name):
                instances = instances.filter(**{column: value})
        if self.released != "shown":
            instances = instances.filter(released_at__isnull=self.released != "only")
        if self.agent:
            instances = instances.with_agent(self.agent)
        for tag in self.tags:
            instances = instances.filter(pk__in=_tagged(tag))
        if self.group:
            group = members(InstanceGroup.objects.get(pk=self.group))
            instances = instances.filter(pk__in=group.values("pk"))
        return instances.filter(_mentions(self.text)) if self.text else instances


def members(group: InstanceGroup) -> InstanceQuerySet:
    """A group's instances now; narrow them with `visible_to(user)` before anybody sees them.

    Raises BadFilter where the saved filter cannot be read: less of a filter would mean more.
    """
    if group.filter is None:
        return Instance.objects.filter(groups=group)
    return Filter.read(check_saved(group.filter)).apply(Instance.objects.all())


def check_saved(value: Any) -> dict[str, Any]:
    """A filter fit to be saved with a group, in its shortest form, or BadFilter."""
    if not isinstance(value, dict):
        raise BadFilter("filter", _('must be an object such as {"region": "cn-hangzhou"}'))
    if unknown := value.keys() - {*PLAIN, "tag"}:
        raise BadFilter(sorted(unknown)[0], _("one of: %s") % ", ".join([*PLAIN, "tag"]))
    wanted = Filter.read(value)
    if wanted.group:
        raise BadFilter("group", _("a group cannot be made of groups"))
    return wanted.saved()


def _check(name: str, value: str) -> None:
    if "\0" in value or len(value) > LONGEST:
        raise BadFilter(name, _("at most %d characters") % LONGEST)
    if value and name in ALLOWED and value not in ALLOWED[name]:
        raise BadFilter(name, _("one of: %s") % ", ".join(ALLOWED[name]))
    if value and name == "group":
        known = value.isdecimal() and len(value) < 19 and value.isascii()
        if not known or not InstanceGroup.objects.filter(pk=value).exists():
            raise BadFilter(name, _("there is no such group"))


def _tagged(tag: str) -> Any:
    key, equals, value = tag.partition("=")
    rows = InstanceTag.objects.filter(key=key)
    return (rows.filter(value=value) if equals else rows).values("instance")


def _mentions(text: str) -> Q:
    fits = Q()
    for word in words(text)[:MOST_WORDS]:
        fits |= Q(instance_id__icontains=word) | Q(name__icontains=word)
        fits |= Q(hostname__icontains=word)
        if re.fullmatch(r"[0-9a-fA-F.:]+", word):
            having = InstanceAddress.objects.filter(address__startswith=word.lower())
            fits |= Q(pk__in=having.values("instance"))
    return fits


def words(text: str) -> list[str]:
    """What stands between spaces, commas, semicolons and line ends; each once."""
    return list(dict.fromkeys(word for word in re.split(r"[\s,;，；]+", text) if word))
