from django.apps import AppConfig


class DiagnosticsConfig(AppConfig):
    name = "diagnostics"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from commands import retention as runs
        from diagnostics import retention, scripts
        from diagnostics.scripts.shared import readiness
        from diagnostics.steps.guest import TYPES
        from instances import ecs
        from portal.retention import stays

        for system, type in TYPES.items():
            ecs.allow_read_only(scripts.text(system), type=type)
            ecs.allow_read_only(readiness(system), type=type)
        runs.PARTS += retention.PARTS
        stays("system events", retention.not_cited)
