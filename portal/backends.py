"""Who may come in at all."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User

DEMO_MAIL = "@demo.invalid"  # marks the people of `demo_users`, whose passwords everybody knows


class PeopleBackend(ModelBackend):
    """Shuts the demo's people out, open sessions included, while the cloud is a real one."""

    def user_can_authenticate(self, user: User | None) -> bool:
        demo = user is not None and user.email.endswith(DEMO_MAIL)
        return super().user_can_authenticate(user) and (settings.ECS_IS_LOCAL or not demo)
