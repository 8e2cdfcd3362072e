from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.db.models.signals import post_migrate

from diagnostics import scripts
from instances import ecs

# The scripts that PORTAL_MODE=diagnose lets through, and how each is run.
COLLECTION = {"linux": "RunShellScript", "windows": "RunPowerShellScript"}


class PortalAdminConfig(admin_apps.AdminConfig):
    default = False
    default_site = "portal.admin_site.PortalAdminSite"


class PortalConfig(AppConfig):
    default = True
    name = "portal"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from commands.reboots import proof
        from diagnostics.readiness.block import block
        from instances import blocks
        from instances.timeline import SOURCES
        from portal import checks, leftovers, retention, roles, timeline  # noqa: F401  checks registers itself

        for system, type in COLLECTION.items():
            ecs.allow_read_only(scripts.text(system), type=type)
            ecs.allow_read_only(proof.SCRIPTS[system], type=type)
        post_migrate.connect(roles.grant, sender=self, dispatch_uid="portal.roles")
        SOURCES.extend([timeline.cases, timeline.runs, timeline.reboots])
        blocks.SOURCES.append(block)
        retention.may_go(*leftovers.KINDS)
