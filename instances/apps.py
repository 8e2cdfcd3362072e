import contextlib

from django.apps import AppConfig
from django.conf import settings

from instances import ecs


class InstancesConfig(AppConfig):
    name = "instances"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # What is wrong with the settings is told, with a hint, by portal.checks; until they are
        # right the gateway stays as it was born: it only reads.
        with contextlib.suppress(ValueError):
            ecs.configure(endpoint=settings.ECS_ENDPOINT, mode=settings.PORTAL_MODE)
