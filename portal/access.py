"""Who may do what. Roles give acts, scopes give sight; what is not given is denied.

Every view of ours says what it needs with `@needs("app.permission")`. A view that says nothing
is closed to everybody: AccessMiddleware refuses it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

log = logging.getLogger(__name__)

View = Callable[..., HttpResponse]
ANY_PERSON = ""  # whoever is logged in

LOOKS = (
    "instances.view_instance",
    "instances.view_instancegroup",
    "instances.view_region",
    "instances.view_systemevent",
    "diagnostics.view_diagnosiscase",
    "diagnostics.view_readiness",
    "commands.view_invocation",
    "commands.view_savedcommand",
    "commands.view_approval",
    "commands.view_rebootbatch",
    "commands.view_schedule",
)
CASES = (
    "diagnostics.add_diagnosiscase",
    "diagnostics.add_evidence",  # hand something in to a case, and say what it is
    "diagnostics.read_evidence",
    "diagnostics.add_readinessrun",  # ask instances what they would keep of a crash
    "diagnostics.add_sentreport",  # keep a report as it was sent
    "diagnostics.add_mark",  # say whether a verdict was right
)
GROUPS = (
    "instances.add_instancegroup",
    "instances.change_instancegroup",
    "instances.delete_instancegroup",
    "instances.change_region",  # take over a listing that suddenly shrank
)
RUNS = (
    "commands.run_saved",  # a saved command as it stands
    "commands.run_script",  # free text
    "commands.stop_run",
    "commands.reboot",  # ask for a batch; somebody else approves it
    "commands.reboot_at_once",  # one instance, in an emergency
    "commands.add_schedule",
    "commands.add_savedcommand",
    "commands.change_savedcommand",
)
AGENTS = ("commands.add_agentinstall",)
DECISIONS = (
    "commands.decide_run",
    "commands.decide_reboot",
    "commands.add_libraryact",
    "commands.add_freezewindow",
)  # never on what one asked for or wrote oneself
RECORD_ROOM = (  # "*" stands for every model of the app
    "audit.view_*",
    "axes.view_accessattempt",
    "axes.delete_accessattempt",
    "auth.view_*",
    "auth.add_user",
    "auth.change_user",
    "auth.add_group",
    "auth.change_group",
    "auth.delete_group",
    "commands.view_*",
    "commands.add_policyrule",
    "commands.change_policyrule",
    "commands.delete_policyrule",
    "commands.add_autopass",
    "commands.change_autopass",
    "commands.delete_autopass",
    "diagnostics.view_*",
    "instances.view_*",
    "instances.add_scope",
    "instances.change_scope",
    "instances.delete_scope",
    "instances.add_cloudaccount",
    "instances.change_cloudaccount",
    "notices.view_*",
    "notices.add_channel",
    "notices.change_channel",
    "notices.add_rule",
    "notices.change_rule",
    "notices.delete_rule",
    "portal.view_*",
)
ROLES: dict[str, tuple[str, ...]] = {
    "viewer": LOOKS,
    "support": (*LOOKS, *CASES),
    "operator": (*LOOKS, *CASES, *GROUPS, *RUNS, *AGENTS),
    "manager": (*LOOKS, *CASES, *GROUPS, *RUNS, *AGENTS, *DECISIONS),
    "administrator": (*LOOKS, *CASES, *GROUPS, *RUNS, *AGENTS, *DECISIONS, *RECORD_ROOM),
}


def needs(*permissions: str) -> Callable[[View], View]:
    """Open this view to people with any of these; `ANY_PERSON` to everybody logged in."""

    def declare(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            if not any(one == ANY_PERSON or request.user.has_perm(one) for one in permissions):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        guarded.needs = permissions
        return guarded

    return declare


class NotAllowed(Exception):
    """Nobody of that name, or somebody who may not; the message is fit for a person."""


def acting_as(name: str, permission: str) -> Any:
    """The person that a command acts for, if they may; None for "", the host itself.

    Whoever has a shell here holds the database anyway, so the host sees and does everything.
    """
    if not name:
        return None
    person = get_user_model().objects.filter(username=name, is_active=True).first()
    if person is None:
        raise NotAllowed(f"there is no active user {name}")
    if not person.has_perm(permission):
        raise NotAllowed(f"{name} lacks the permission {permission}")
    return person


class AccessMiddleware:
    """Default deny: a view that neither declares a need nor is open to the public is refused."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: View, args: tuple, kwargs: dict) -> None:
        public = not getattr(view, "login_required", True)
        if public or hasattr(view, "needs") or "admin" in request.resolver_match.app_names:
            return  # the admin checks every page of its own
        log.error("%s declares no permission (portal.access.needs)", request.resolver_match.route)
        raise PermissionDenied
