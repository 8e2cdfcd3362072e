"""Asking for a run: one transaction writes everything down before any call is made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from commands.models import CommandType, Dispatch, Invocation, Target
from instances import ecs
from instances.models import Instance
from portal.work import Work

SEND_WITHIN = timedelta(minutes=5)  # afterwards a call that could not be made is given up
SHORTEST, LONGEST = 10, 86_400  # seconds that a script may run
NAME_LIMIT = 128


def invoke(
    *,
    name: str,
    script: str,
    type: str,
    instances: Iterable[Instance],
    timeout: int,
    asked_by,
    read_only: bool = False,
    then: Work | None = None,
    username: str = "",
    working_dir: str = "",
    send_within: timedelta = SEND_WITHIN,
) -> Invocation:
    """Have `script` run once on each of `instances`; return the run, whose work is due now.

    `then` is woken when the last target is over. A call that cannot be made within `send_within`
    is given up. Raises ValidationError, naming the field, before anything is written.
    """
    members = list({instance.pk: instance for instance in instances}.values())
    _check(name=name, script=script, type=type, timeout=timeout, members=members)
    with transaction.atomic():
        run = Invocation.objects.create(
            name=name,
            script=script,
            type=type,
            timeout=timeout,
            username=username,
            working_dir=working_dir,
            read_only=read_only,
            asked_by=asked_by,
            then_model=then._meta.label if then else "",
            then_key=then.pk if then else None,
            size=len(members),
        )
        for chunk in _chunks(members):
            _dispatch(run, chunk, send_within)
    return run


def _dispatch(run: Invocation, members: list[Instance], send_within: timedelta) -> None:
    now = timezone.now()
    dispatch = Dispatch.objects.create(
        invocation=run,
        account_id=members[0].account_id,
        region=members[0].region,
        size=len(members),
        due_at=now,
        rung_at=now,
        deadline=now + send_within,
    )
    Target.objects.bulk_create(
        Target(dispatch=dispatch, invocation=run, instance=instance) for instance in members
    )
    dispatch.ring()


def _chunks(members: list[Instance]) -> Iterator[list[Instance]]:
    """Groups that fit one call: one account, one region, at most RUN_LIMIT instances."""
    groups = defaultdict(list)
    for instance in members:
        groups[instance.account_id, instance.region].append(instance)
    for group in groups.values():
        for start in range(0, len(group), ecs.RUN_LIMIT):
            yield group[start : start + ecs.RUN_LIMIT]


def _check(*, name: str, script: str, type: str, timeout: int, members: list[Instance]) -> None:
    problems = {}
    if not 0 < len(name) <= NAME_LIMIT:
        problems["name"] = _("Give the run a name of 1 to %(limit)d characters.") % {
            "limit": NAME_LIMIT
        }
    if not script.strip() or "\0" in script:
        problems["script"] = _("The script must hold some text and no NUL character.")
    elif (size := -(-len(script.encode()) // 3) * 4) > ecs.SCRIPT_LIMIT:
        problems["script"] = _(
            "The script takes %(size)d bytes in Base64; Cloud Assistant allows %(limit)d."
        ) % {"size": size, "limit": ecs.SCRIPT_LIMIT}
    if type not in CommandType.values:
        problems["type"] = _("The type must be one of: %(types)s.") % {
            "types": ", ".join(CommandType.values)
        }
    if not SHORTEST <= timeout <= LONGEST:
        problems["timeout"] = _("The timeout must be %(low)d to %(high)d seconds.") % {
            "low": SHORTEST,
            "high": LONGEST,
        }
    if not members:
        problems["instances"] = _("Name at least one instance.")
    if problems:
        raise ValidationError(problems)
