"""Asking for a batch: one transaction writes everything down, and the pre-flight with it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from commands import limits
from commands.models import (
    LIVE,
    BatchState,
    Cleared,
    CommandType,
    PauseOption,
    RateMode,
    RebootBatch,
    RebootItem,
    Way,
)
from commands.outcomes import codes_down, goes_down, stops
from commands.policy import judge, text_of
from commands.reboots import approving, preflight, telling
from commands.reboots.preflight import Facts, Needs, Risk, Unfit
from instances import ecs_power
from instances.models import Instance
from portal import audit

LONGEST_WINDOW = timedelta(days=14)
MOST = 10_000
EMERGENCY_WINDOW = timedelta(hours=2)
REVIEW_WITHIN = timedelta(hours=24)


def check(batch: RebootBatch) -> None:
    """Whether what is asked for makes sense, before anything is written. Raises ValidationError
    that names the fields."""
    found: dict[str, str] = {}
    now = timezone.now()
    if not batch.reason.strip():
        found["reason"] = _("Say why: whoever decides reads it.")
    if batch.way not in Way.values:
        found["way"] = _("One of: %s.") % ", ".join(Way.values)
    if batch.stopped_mode not in ecs_power.STOPPED_MODES:
        found["stopped_mode"] = _("One of: %s.") % ", ".join(ecs_power.STOPPED_MODES)
    found |= _check_scripts(batch) | _check_rate(batch) | _check_window(batch, now)
    if found:
        raise ValidationError(found)


def _check_scripts(batch: RebootBatch) -> dict[str, str]:
    found = {}
    for name in ("pre_script", "post_script"):
        script = getattr(batch, name)
        if script and (wrong := limits.problems(**script, parameters={})):
            found[name] = " ".join(f"{field}: {told}" for field, told in wrong.items())
    pre, post = batch.pre_script, batch.post_script
    if batch.way == Way.EXIT_CODE and not (pre and goes_down(pre["script"], pre["type"])):
        found["pre_script"] = _(
            "It has to end with the code that takes the machine down: exit 194 (restart) or 193"
            " (stop), on Windows 3010 or 3009."
        )
    elif batch.way == Way.EXIT_CODE and len(codes_down(pre["script"], pre["type"])) > 1:
        found["pre_script"] = _(
            "It can stop the machine or restart it: what would prove that it is well? Choose one."
        )
    if batch.way != Way.EXIT_CODE and pre and goes_down(pre["script"], pre["type"]):
        found["pre_script"] = _(
            "It takes the machine down by its own exit code: choose that as the way down."
        )
    if batch.way == Way.START and pre:
        found["pre_script"] = _("A stopped instance cannot run anything before it is started.")
    if post and goes_down(post["script"], post["type"]):
        found["post_script"] = _(
            "Its exit code would take the machine down a second time: a post-check only looks."
        )
    if post and not comes_back(batch):
        found["post_script"] = _("A stopped instance cannot be checked by a script.")
    if pre and post and CommandType(pre["type"]).os_type != CommandType(post["type"]).os_type:
        found["post_script"] = _("Both scripts have to be for the same operating system.")
    return found


def _check_rate(batch: RebootBatch) -> dict[str, str]:
    found = {}
    if batch.mode not in RateMode.values:
        found["mode"] = _("One of: %s.") % ", ".join(RateMode.values)
    if batch.pause_option not in PauseOption.values:
        found["pause_option"] = _("One of: %s.") % ", ".join(PauseOption.values)
    sizes = [str(size) for size in batch.sizes]
    if not sizes or any(limits.budget_problem(s) or int(s.rstrip("%")) == 0 for s in sizes):
        found["sizes"] = _("Numbers from 1 or shares from 1% to 100%, such as 1, 10%, 25%.")
    if batch.mode == RateMode.CONCURRENCY and len(sizes) > 1:
        found["sizes"] = _("In this mode one number says how many are down at once.")
    if problem := limits.budget_problem(batch.max_errors):
        found["max_errors"] = problem
    for key, percent in batch.spread.items():
        if not (isinstance(percent, int) and 1 <= percent <= 100):
            found["spread"] = _("%s: a share from 1 to 100 percent.") % key
    for name, most in (("linux_back_within", 7200), ("windows_back_within", 14_400)):
        if not 10 <= getattr(batch, name) <= most:
            found[name] = _("From 10 to %d seconds.") % most
    return found


def _check_window(batch: RebootBatch, now: Any) -> dict[str, str]:
    if batch.closes_at <= now:
        return {"closes_at": _("The window lies in the past.")}
    if batch.closes_at <= batch.opens_at:
        return {"closes_at": _("The window must close after it opens.")}
    if batch.closes_at - now > LONGEST_WINDOW:
        return {"closes_at": _("At most %d days ahead.") % LONGEST_WINDOW.days}
    return {}


def comes_back(batch: RebootBatch) -> bool:
    """Whether the instances are meant to run afterwards; else they are meant to be stopped."""
    pre = batch.pre_script
    by_code = batch.way == Way.EXIT_CODE and pre and stops(pre["script"], pre["type"])
    return batch.way != Way.STOP and not by_code


def sort_out(
    batch: RebootBatch, instances: Iterable[Instance]
) -> tuple[list[Instance], dict[Unfit, list[Instance]], dict[int, Facts]]:
    """Who fits, who is left out and why, and the facts of all. Those without proof fit: whoever
    approves decides about them by name."""
    rows = list({row.pk: row for row in instances}.values())
    facts = preflight.facts_of(rows)
    needs, fit, left_out = Needs.of(batch), [], {}
    for row in rows:
        if why := preflight.unfit(facts[row.pk], needs, accepted=True):
            left_out.setdefault(why, []).append(row)
        else:
            fit.append(row)
    return fit, left_out, facts


def policy_text(batch: RebootBatch) -> str:
    """Everything that runs on the machines, for the written rules."""
    scripts = filter(None, (batch.pre_script, batch.post_script))
    return "\n".join(text_of(script) for script in scripts)


def ask(
    batch: RebootBatch, instances: Iterable[Instance], *, by: Any, via: str, once: uuid.UUID | None
) -> RebootBatch:
    """Write a batch that waits for somebody else's yes; of one wish (`once`) only the first makes
    one, and every other gets that.

    Raises ValidationError by field, and PermissionDenied for scripts that this person may not run
    and for instances that they do not see.
    """
    try:
        return again(once, by) or _ask(batch, instances, by=by, via=via, once=once)
    except IntegrityError:
        if first := again(once, by):  # the other of two clicks was quicker
            return first
        raise


@transaction.atomic
def _ask(
    batch: RebootBatch, instances: Iterable[Instance], *, by: Any, via: str, once: uuid.UUID | None
) -> RebootBatch:
    instances = list(instances)
    _may_touch(instances, by, "commands.reboot")
    check(batch)
    fit, left_out, facts = sort_out(batch, instances)
    if not fit:
        raise ValidationError({"instances": _("No instance is left to take down.")})
    if len(fit) > MOST:
        raise ValidationError({"instances": _("At most %d instances in one batch.") % MOST})
    judgement = judge(policy_text(batch), fit)
    if judgement.refuses:
        raise ValidationError([rule.words for rule in judgement.refuses])
    free_text = (batch.pre_script and not batch.pre_revision) or (
        batch.post_script and not batch.post_revision
    )
    if free_text and by is not None and not by.has_perm("commands.run_script"):
        raise PermissionDenied(_("You may use saved commands only."))
    _write(batch, fit, left_out, facts, by=by, once=once)
    reasons = [rule.words for rule in (*judgement.demands, *judgement.warns)]
    quorum = approving.quorum_for(batch.size)
    approval = approving.ask(batch, reasons, quorum)
    _record(batch, by, via, "reboot.asked")
    wants_people = quorum > 1 or judgement.demands
    if not wants_people and (rule := approving.rule_for(batch)):
        approving.pass_by_rule(approval, rule)
    else:
        approving.ask_for_a_look(batch)
    batch.refresh_from_db()
    return batch


def _may_touch(instances: list[Instance], by: Any, permission: str) -> None:
    if by is None:  # the host itself
        return
    if not by.has_perm(permission):
        raise PermissionDenied(_("You may not ask for reboots."))
    keys = {row.pk for row in instances}
    if Instance.objects.visible_to(by).filter(pk__in=keys).count() < len(keys):
        raise PermissionDenied(_("It reaches instances that you do not see."))


def _write(
    batch: RebootBatch,
    fit: list[Instance],
    left_out: Mapping[Unfit, list[Instance]],
    facts: Mapping[int, Facts],
    *,
    by: Any,
    once: uuid.UUID | None,
) -> None:
    batch.asked_by = by
    batch.once = once
    batch.size = len(fit)
    batch.comes_back = comes_back(batch)
    batch.left_out = {
        why.value: {"count": len(rows), "names": [str(row) for row in rows[:200]]}
        for why, rows in left_out.items()
    }
    batch.checked_at = min((row.seen_at for row in fit if row.seen_at), default=None)
    batch.save(force_insert=True)
    RebootItem.objects.bulk_create(
        (
            RebootItem(
                batch=batch,
                instance=row,
                place=place,
                asked_facts=facts[row.pk],
                facts=facts[row.pk],
                event_id=facts[row.pk]["event_id"],
            )
            for place, row in enumerate(fit)
        ),
        batch_size=500,
    )
    batch.digest = approving.digest_of(batch)
    batch.save(update_fields=["digest"])


def _record(batch: RebootBatch, by: Any, via: str, act: str, **more: Any) -> None:
    audit.record(
        actor=by if by is not None else "host",
        act=act,
        subject=batch,
        via=via,
        instances=batch.size,
        way=batch.way,
        reason=batch.reason,
        digest=batch.digest,
        **more,
    )


@transaction.atomic
def at_once(instance: Instance, *, by: Any, reason: str, force: bool, via: str) -> RebootBatch:
    """The emergency path: one instance, now, without asking first. Limited per day; managers are
    told at once, and somebody else has to review it within a day. A second click gets the first's.

    Raises ValidationError by field, PermissionDenied without the right.
    """
    _may_touch([instance], by, "commands.reboot_at_once")
    if len(reason.strip()) < 10:
        raise ValidationError({"reason": _("Say in a sentence why it cannot wait.")})
    now, way = timezone.now(), Way.FORCE if force else Way.REBOOT
    get_user_model().objects.select_for_update().get(pk=by.pk)  # their requests one by one
    Instance.objects.select_for_update().get(pk=instance.pk)  # and those for one instance
    if going := _emergency_of(instance):
        if (going.asked_by_id, going.way) == (by.pk, way):
            return going
        told = _("An emergency reboot of it is under way already: %s.") % f"#{going.pk}"
        raise ValidationError({"instances": told})
    today = RebootBatch.objects.filter(
        emergency=True, asked_by=by, asked_at__gt=now - timedelta(days=1)
    )
    if today.count() >= settings.REBOOT_EMERGENCIES_A_DAY:
        raise ValidationError(
            {
                "instances": _("%d emergency reboots a day are allowed to one person.")
                % settings.REBOOT_EMERGENCIES_A_DAY
            }
        )
    batch = RebootBatch(
        name=_("Emergency: %s") % instance,
        way=way,
        reason=reason,
        opens_at=now,
        closes_at=now + EMERGENCY_WINDOW,
        sizes=["1"],
        canary=0,
        emergency=True,
        review_due_at=now + REVIEW_WITHIN,
        cleared=Cleared.ALL,
        state=BatchState.READY,
    )
    check(batch)
    fit, left_out, facts = sort_out(batch, [instance])
    if not fit:
        raise ValidationError({"instances": f"{instance}: {next(iter(left_out)).label}"})
    _write(batch, fit, left_out, facts, by=by, once=None)
    batch.items.update(accepted=True)
    _record(batch, by, via, "reboot.emergency")
    telling.emergency(batch)
    batch.wake()
    return batch


def _emergency_of(instance: Instance) -> RebootBatch | None:
    """The emergency of this instance that is not over."""
    open_ones = RebootBatch.objects.filter(emergency=True).exclude(state=BatchState.FINISHED)
    return open_ones.filter(items__instance=instance).first()


def in_flight(instances: Iterable[Instance]) -> set[int]:
    """Keys of those that some batch has under way."""
    keys = [row.pk for row in instances]
    rows = RebootItem.objects.filter(instance__in=keys, state__in=LIVE)
    return set(rows.values_list("instance_id", flat=True))


def risks_by_name(batch: RebootBatch, items: Iterable[RebootItem]) -> dict[Risk, list[RebootItem]]:
    """Which of these items of the batch carry which risk, as of the latest look."""
    needs, found = Needs.of(batch), {}
    for item in items:
        for risk in preflight.risks(item.facts, needs):
            found.setdefault(risk, []).append(item)
    return found


def again(once: uuid.UUID | None, by: Any) -> RebootBatch | None:
    """The batch that this very wish made already: the second of two clicks."""
    return RebootBatch.objects.filter(once=once, asked_by=by).first() if once else None
