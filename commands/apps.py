from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class CommandsConfig(AppConfig):
    name = "commands"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # What workers keep on rows (portal.kept) is told on the pages of any process.
        from commands import jobs, retention, walls  # noqa: F401
        from commands.reboots import conducting  # noqa: F401
        from portal.retention import may_go, stays

        pre_migrate.connect(walls.take_down, sender=self, dispatch_uid="commands.walls.down")
        post_migrate.connect(walls.put_up, sender=self, dispatch_uid="commands.walls.up")
        may_go(*retention.KINDS)
        stays("system events", retention.not_cited)
