from django.apps import AppConfig


class DiagnosticsConfig(AppConfig):
    name = "diagnostics"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from diagnostics import scripts
        from diagnostics.scripts.shared import readiness
        from diagnostics.steps.guest import TYPES
        from instances import ecs

        for system, type in TYPES.items():
            ecs.allow_read_only(scripts.text(system), type=type)
            ecs.allow_read_only(readiness(system), type=type)
