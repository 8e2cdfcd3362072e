from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from instances import ecs


class InstancesConfig(AppConfig):
    name = "instances"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        try:
            ecs.configure(endpoint=settings.ECS_ENDPOINT, mode=settings.PORTAL_MODE)
        except ValueError as error:
            raise ImproperlyConfigured(str(error)) from None
