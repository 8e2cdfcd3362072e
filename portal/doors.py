"""Coming in and going out: both leave a trace, and guessing passwords ends at a wall."""

from __future__ import annotations

from axes.signals import user_locked_out
from django.contrib import messages
from django.contrib.auth import views
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.urls import reverse_lazy
from django.utils.translation import gettext as _

from portal import audit


class Login(views.LoginView):
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        with transaction.atomic():
            answer = super().form_valid(form)
            person = form.get_user()
            audit.record(actor=person, act="login", subject=person, via="page")
        return answer


class Logout(views.LogoutView):
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        person = request.user
        with transaction.atomic():
            answer = super().post(request, *args, **kwargs)
            audit.record(actor=person, act="logout", subject=person, via="page")
        return answer


class Password(views.PasswordChangeView):
    template_name = "registration/password.html"
    success_url = reverse_lazy("home")

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        with transaction.atomic():
            answer = super().form_valid(form)
            audit.record(
                actor=self.request.user,
                act="password.changed",
                subject=self.request.user,
                via="page",
            )
        messages.success(self.request, _("Your password was changed."))
        return answer


@receiver(user_locked_out)
def locked_out(request: HttpRequest, username: str, ip_address: str, **kwargs: object) -> None:
    """Once a wall stands it is written down; the guesses themselves only fill axes' own table."""
    audit.record(
        actor=None,
        act="login.locked",
        subject=(username or "", f"login:{username or ''}", ""),
        via="page",
        address=ip_address,
    )
