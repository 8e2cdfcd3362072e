"""Who is told of runs, their approvals and their schedules; see portal.notices."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commands.explained import explained
from commands.models import Approval, Decision, Invocation, Outcome, Schedule
from instances import groups
from instances.models import Instance
from portal import notices
from portal.kept import told

BAD = (Outcome.FAILED, Outcome.UNREACHED, Outcome.UNKNOWN)
NAMED = 30  # instances in one message
ASKED = 100  # people who may decide, looked at for one approval
DECIDES = {"run": "commands.decide_run", "batch": "commands.decide_reboot"}


def asked(approval: Approval) -> None:
    def title() -> str:
        return _("%(person)s asks for approval: %(run)s") % _names(approval)

    _approval(approval, "asked", title, lambda: _wish(approval), lambda: deciders(approval))


def still_waiting(approval: Approval) -> None:
    def title() -> str:
        return _("Still waiting for you: %(run)s") % _names(approval)

    _approval(approval, "reminder", title, lambda: _wish(approval), lambda: deciders(approval))


def decided(approval: Approval, decision: Decision) -> None:
    """After the last word that was needed."""

    def title() -> str:
        said = _("%(by)s approved: %(run)s") if decision.yes else _("%(by)s rejected: %(run)s")
        return said % (_names(approval) | {"by": decision.person})

    comment = [decision.comment] if decision.comment else []
    _approval(approval, "decided", title, comment, [approval.requester])


def expired(approval: Approval) -> None:
    def title() -> str:
        return _("Nobody approved in time: %(run)s") % _names(approval)

    _approval(approval, "expired", title, lambda: _wish(approval), [approval.requester])


def _approval(approval: Approval, what: str, title: Callable, lines: Any, people: Any) -> None:
    notices.tell(
        f"approval.{what}",
        subject_label=str(approval),
        subject_key=f"approval:{approval.pk}",
        url=approval.get_absolute_url(),
        title=title,
        lines=lines,
        groups=lambda: groups.names_of(_reached(approval)),
        accounts=_names_of_accounts(approval),
        people=people,
        once=f"approval.{what}:{approval.pk}",
    )


def deciders(approval: Approval) -> list[Any]:
    """Who may say yes: not who asked, not who wrote the script, and only who sees every target."""
    out = {approval.requester_id, *_authors(approval)} - {None}
    right = DECIDES["batch" if approval.batch_id else "run"]
    held = get_user_model().objects.with_perm(right, backend="portal.backends.PeopleBackend")
    people = held.filter(is_active=True).exclude(email="").exclude(pk__in=out)
    return [person for person in people.order_by("pk")[:ASKED] if _sees_all(person, approval)]


def _authors(approval: Approval) -> list[int | None]:
    if batch := approval.batch:
        revisions = [batch.pre_revision, batch.post_revision]
    else:
        revisions = [approval.invocation.revision]
    return [revision.author_id for revision in revisions if revision]


def _reached(approval: Approval) -> Any:
    """Every instance that a yes is about."""
    if approval.batch_id:
        return Instance.objects.filter(reboot_items__batch=approval.batch_id)
    return Instance.objects.filter(targets__invocation=approval.invocation_id)


def _names_of_accounts(approval: Approval) -> list[str]:
    names = _reached(approval).order_by().values_list("account__name", flat=True)
    return list(names.distinct())


def _sees_all(person: Any, approval: Approval) -> bool:
    seen = Instance.objects.visible_to(person)
    return not _reached(approval).exclude(pk__in=seen.values("pk")).exists()


def _names(approval: Approval) -> dict[str, object]:
    return {"person": approval.requester or "—", "run": approval.subject}


def _wish(approval: Approval) -> list[str]:
    size = approval.subject.size
    return [
        ngettext("On %d instance", "On %d instances", size) % size,
        *map(told, approval.reasons),
        _("Expires %s") % _clock(approval.expires_at),
    ]


def finished(run: Invocation) -> None:
    """A run is over: tell of one that went badly, with each machine's reason."""
    number = sum(run.outcomes.get(outcome, 0) for outcome in BAD)
    if not number or run.read_only:
        return

    def title() -> str:
        words = ngettext(
            "%(run)s: %(number)d of %(size)d instance did not succeed",
            "%(run)s: %(number)d of %(size)d instances did not succeed",
            run.size,
        )
        return words % {"run": run, "number": number, "size": run.size}

    notices.tell(
        "run.finished_badly",
        subject_label=str(run),
        subject_key=f"run:{run.pk}",
        url=run.get_absolute_url(),
        title=title,
        lines=lambda: _failures(run, number),
        groups=lambda: _groups(run),
        accounts=_accounts(run),
        people=[run.asked_by],
        once=f"run.finished_badly:{run.pk}",
    )


def _failures(run: Invocation, number: int) -> Iterable[str]:
    failed = run.targets.filter(outcome__in=BAD).select_related("instance").order_by("pk")
    shown = [_failure(target) for target in failed[: NAMED - 1]]
    more = number - len(shown)
    return [*shown, ngettext("and %d more", "and %d more", more) % more] if more > 0 else shown


def _failure(target: Any) -> str:
    instance = target.instance
    name = f"{instance.name} ({instance.instance_id})" if instance.name else instance.instance_id
    code = f" [{target.exit_code}]" if target.exit_code else ""
    return f"{name}: {explained(target).words}{code}"


def missed(schedule: Schedule, planned: datetime, times: int, reason: str) -> None:
    """Times of a schedule passed without a run, the last of them `planned`."""

    def title() -> str:
        words = ngettext(
            "%(schedule)s did not run at %(time)s",
            "%(schedule)s did not run %(times)d times, last at %(time)s",
            times,
        )
        return words % {"schedule": schedule, "times": times, "time": _clock(planned)}

    notices.tell(
        "schedule.missed",
        subject_label=str(schedule),
        subject_key=f"schedule:{schedule.pk}",
        url=schedule.get_absolute_url(),
        title=title,
        lines=lambda: [told(reason)],
        people=[schedule.owner],
        once=f"schedule.missed:{schedule.pk}:{planned.isoformat()}",
    )


def _groups(run: Invocation) -> list[str]:
    return groups.names_of(Instance.objects.filter(targets__invocation=run))


def _accounts(run: Invocation) -> list[str]:
    return list(run.dispatches.order_by().values_list("account__name", flat=True).distinct())


def _clock(at: datetime) -> str:
    local = timezone.localtime(at)
    return f"{local:%Y-%m-%d %H:%M} {local.tzname()}"
