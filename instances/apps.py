from django.apps import AppConfig
from django.conf import settings

from instances import ecs


class InstancesConfig(AppConfig):
    name = "instances"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from instances.retention import KINDS
        from portal.retention import may_go

        may_go(*KINDS)
        try:
            ecs.configure(
                endpoint=settings.ECS_ENDPOINT,
                mode=settings.PORTAL_MODE,
                trail_endpoint=settings.ACTIONTRAIL_ENDPOINT,
            )
        except ValueError as error:
            ecs.close(str(error))  # portal.checks tells it too, with a hint
