"""Whose business a group is. Its members are narrowed for each person besides.

A person sees the groups that they own and those with a member in their part of the fleet. They
may delete a group only if they see all of it: nobody takes away what others rely on unseen.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, Q

from instances.filters import BadFilter, members
from instances.models import Instance, InstanceGroup, scopes_of

AT_ONCE = 50  # saved filters in one query


def visible_to(user: Any) -> Any:
    """The groups that this person may see, as a queryset."""
    if not user.is_active:
        return InstanceGroup.objects.none()
    if sees_all(user):
        return InstanceGroup.objects.all()
    seen = Instance.objects.visible_to(user)
    listed = InstanceGroup.objects.filter(filter__isnull=True, members__in=seen.values("pk"))
    fitting = [group.pk for group in _fitting(seen)]
    own = Q(owner=user.pk)
    return InstanceGroup.objects.filter(own | Q(pk__in=listed.values("pk")) | Q(pk__in=fitting))


def names_of(instances: Any) -> list[str]:
    """The groups that any of these instances (a queryset) is in now."""
    listed = InstanceGroup.objects.filter(filter__isnull=True, members__in=instances.values("pk"))
    names = list(listed.values_list("name", flat=True).distinct())
    return [*names, *(group.name for group in _fitting(instances))]


def may_delete(user: Any, group: InstanceGroup) -> bool:
    """Whether no member, now or by a filter later, is outside this person's part."""
    if sees_all(user):
        return True
    seen = Instance.objects.visible_to(user)
    if group.filter is not None:
        return group.owner_id == user.pk
    return not group.members.exclude(pk__in=seen.values("pk")).exists()


def sees_all(user: Any) -> bool:
    """Whether this person sees the whole fleet: a superuser, or by one of their scopes."""
    if user.is_superuser and user.is_active:
        return True
    return any(not (s.account_id or s.region or s.tag_key) for s in scopes_of(user))


def _fitting(instances: Any) -> list[InstanceGroup]:
    """The groups whose saved filter fits any of these; many are asked for with one query."""
    groups, found = list(InstanceGroup.objects.filter(filter__isnull=False).order_by("pk")), []
    some = instances.order_by().values("pk")
    for start in range(0, len(groups), AT_ONCE):
        part = groups[start : start + AT_ONCE]
        fits = {f"fits_{group.pk}": Exists(_members(group).filter(pk__in=some)) for group in part}
        told = Instance.objects.order_by().values(**fits).first() or {}
        found += [group for group in part if told.get(f"fits_{group.pk}")]
    return found


def _members(group: InstanceGroup) -> Any:
    try:
        return members(group)
    except BadFilter:  # it names nobody until somebody mends it
        return Instance.objects.none()
