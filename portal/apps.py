from django.apps import AppConfig
from django.db.models.signals import post_migrate


class PortalConfig(AppConfig):
    name = "portal"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from portal import checks, roles  # noqa: F401  checks registers the start-up checks

        post_migrate.connect(roles.grant, sender=self, dispatch_uid="portal.roles")
