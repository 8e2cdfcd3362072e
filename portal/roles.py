"""The five groups hold exactly what portal.access.ROLES says, after each `migrate`."""

from __future__ import annotations

from django.apps import AppConfig, apps
from django.contrib.auth.management import create_permissions
from django.db.models import Q

from portal.access import ROLES


def grant(sender: AppConfig, using: str, **kwargs: object) -> None:
    """Make the groups and give them their permissions; groups of other names stay as they are."""
    from django.contrib.auth.models import Group, Permission

    for config in apps.get_app_configs():
        create_permissions(config, verbosity=0, using=using)  # ours may come after this signal
    for name, permissions in ROLES.items():
        wanted = Q(pk__in=())
        for permission in permissions:
            wanted |= _meant(permission)
        group, _made = Group.objects.using(using).get_or_create(name=name)
        group.permissions.set(Permission.objects.using(using).filter(wanted))


def _meant(permission: str) -> Q:
    app, codename = permission.split(".")
    if codename.endswith("*"):
        return Q(content_type__app_label=app, codename__startswith=codename[:-1])
    return Q(content_type__app_label=app, codename=codename)
