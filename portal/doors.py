"""Coming in and going out: both leave a trace, and guessing passwords ends at a wall."""

from __future__ import annotations

from axes.signals import user_locked_out
from django.contrib import messages
from django.contrib.auth import views
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm, UsernameField
from django.db import transaction
from django.dispatch import receiver
from django.forms import CharField, PasswordInput, TextInput
from django.http import HttpRequest, HttpResponse
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from portal import audit


class LoginForm(AuthenticationForm):
    """Refuses what no account can have before anything tries to store it."""

    username = UsernameField(max_length=150, widget=TextInput(attrs={"autofocus": True}))
    password = CharField(
        label=_("Password"),
        max_length=4096,
        strip=False,
        widget=PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class Login(views.LoginView):
    form_class = LoginForm
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
