from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class CommandsConfig(AppConfig):
    name = "commands"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from commands import walls

        pre_migrate.connect(walls.take_down, sender=self, dispatch_uid="commands.walls.down")
        post_migrate.connect(walls.put_up, sender=self, dispatch_uid="commands.walls.up")
