"""Carries a case from stage to stage. Every stage ends on its row, whatever happens outside.

    queued -> gathering -> waiting (for the guest) -> judging -> concluded

All of it may run twice: a stage that has ended is not asked again, evidence has one row per name,
and each write holds the case's fence.
"""

from __future__ import annotations

import functools
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from commands import invocations
from commands import jobs as command_jobs
from diagnostics import finding_machines, judging, scripts, stages
from diagnostics.conclusions import platform
from diagnostics.incident import settle
from diagnostics.known import facts_of
from diagnostics.models import CaseState, DiagnosisCase, Evidence, Step, StepState
from diagnostics.steps import agent, console, events, guest, instance, own, trail
from diagnostics.steps.outcome import Outcome, Subject, asking, failed, from_error, not_needed
from diagnostics.wording import packed
from diagnostics.wording import say as _
from instances import ecs
from portal.work import Claim

SEND_WITHIN = timedelta(seconds=45)  # to get the script sent
ANSWER_WITHIN = timedelta(minutes=4)  # for its answer; afterwards the case is judged without it
LOOK_AGAIN = timedelta(seconds=5)  # the run's end wakes the case; this is for a lost bell
TRIES = 3  # of a stage in which the portal itself fails
INLINE = 1_000_000  # bytes of evidence judged by the worker at hand; more goes to `analyze`
ASKED = {
    stages.INSTANCE: instance.ask,
    stages.EVENTS: events.ask,
    stages.AGENT: agent.ask,
}
CaseClaim = Claim[DiagnosisCase]


def advance(claim: CaseClaim) -> None:
    """Carry the case on as far as it goes without waiting for anybody."""
    while not claim.released:
        STAGES[claim.row.state](claim)


def begin(claim: CaseClaim) -> None:
    case = claim.row
    with transaction.atomic():
        claim.write(state=CaseState.GATHERING)
        Step.objects.bulk_create(
            [
                Step(case=case, key=key, position=position)
                for position, key in enumerate(stages.ORDER, 1)
            ],
            ignore_conflicts=True,
        )


def gather(claim: CaseClaim) -> None:
    """Ask everybody but the guest; then either the search is over, or the guest is asked."""
    case = claim.row
    if case.attempts > TRIES:
        return _give_up(claim)
    try:
        with claim.held():
            subject = _subject(claim)
    except ecs.EcsError as error:
        return _evidence_only(claim, from_error(error))
    if subject is None:
        return _evidence_only(claim, _outside())
    _ask_ecs(claim, subject)
    _keep(claim, stages.OWN, own.look(case))
    facts = facts_of(case)
    event = platform.ending(facts, settle(facts))
    if event and (facts.reported or facts.machine.status == "Stopped"):
        return _search_is_over(claim)
    why_not = _cannot_ask_the_guest(case)
    if why_not is None:
        return _ask_the_guest(claim, subject)
    _look_from_outside(claim, subject, why_not)
    claim.write(state=CaseState.JUDGING)


def _subject(claim: CaseClaim) -> Subject | None:
    case = claim.row
    if case.instance is None:
        found = finding_machines.find(case)
        if found is None:
            return None
        claim.write(instance=found, account=found.account, region=found.region)
    machine = case.instance
    return Subject(machine.account.signing(), machine.region, machine.instance_id)


def _ask_ecs(claim: CaseClaim, subject: Subject) -> None:
    """The reads do not need one another, so they go side by side; each is kept as it ends."""
    open_keys = [key for key in ASKED if not _step(claim.row, key).over]
    _begin_steps(claim, open_keys)
    who_else = functools.partial(trail.ask, asked=trail.span(claim.row))
    with claim.held(), ThreadPoolExecutor(len(ASKED) + 1, "case") as pool:
        asked = {key: pool.submit(asking, ASKED[key], subject) for key in open_keys}
        others = (
            None
            if _has_beside(claim, stages.OWN, trail.NAME)
            else (pool.submit(asking, who_else, subject))
        )
        outcomes = {key: future.result() for key, future in asked.items()}
    for key, outcome in outcomes.items():
        _keep(claim, key, outcome)
    if others:
        _keep_beside(claim, trail.NAME, others, stages.OWN)


def _cannot_ask_the_guest(case: DiagnosisCase):
    """Why the script cannot run on the machine; None if it can."""
    machine, agent_step = _step(case, stages.INSTANCE), _step(case, stages.AGENT)
    status = machine.facts.get("status") or case.instance.status
    os_type = (machine.facts.get("os_type") or case.instance.os_type).lower()
    if all(step.facts.get("error") == "NoAnswer" for step in case.steps.filter(key__in=ASKED)):
        return _("ECS answered nothing at all, so sending a script was not tried.")
    if machine.facts.get("listed") is False:
        return _("ECS does not list the instance, so nothing can run on it.")
    if status != "Running":
        return _("The instance is %(status)s; a script runs only on a Running one.", status=status)
    if os_type not in guest.TYPES:
        return _("There is no script for the system %(os)s.", os=os_type or _("(not told)"))
    if agent_step.state == StepState.DONE and not agent_step.facts.get("alive"):
        return _("The Cloud Assistant agent does not answer, so no script can run.")
    if agent_step.state == StepState.FAILED and agent_step.facts.get("alive") is False:
        return _("There is no Cloud Assistant agent, so no script can run.")
    return None  # alive, or its status could not be asked: then trying tells


def _ask_the_guest(claim: CaseClaim, subject: Subject) -> None:
    """Write the run down, send it at once from here, and read the console meanwhile."""
    case = claim.row
    os_type = _step(case, stages.INSTANCE).facts.get("os_type") or case.instance.os_type
    with transaction.atomic():
        run = invocations.invoke(
            name=f"diagnosis case {case.pk}",
            script=scripts.text(os_type),
            type=guest.TYPES[os_type],
            instances=[case.instance],
            timeout=guest.TIMEOUT,
            asked_by=case.opened_by,
            read_only=True,
            then=case,
            send_within=SEND_WITHIN,
        )
        claim.write(
            invocation=run, state=CaseState.WAITING, deadline=timezone.now() + ANSWER_WITHIN
        )
        _begin_steps(claim, [stages.GUEST])
    with claim.held(), ThreadPoolExecutor(1, "console") as pool:
        reading = pool.submit(asking, console.ask, subject) if os_type == "linux" else None
        command_jobs.carry_on_alone(run.dispatches.get().pk)
    if reading:
        _keep_beside(claim, "console", reading)


def listen(claim: CaseClaim) -> None:
    """The run's end wakes the case. Its answer is kept, or at the deadline the lack of one."""
    case = claim.row
    if case.attempts > TRIES:
        return _give_up(claim)
    seen = DiagnosisCase.objects.only("wakes").get(pk=case.pk)
    claim.wakes = seen.wakes  # what woke us until now is looked at below
    target = case.invocation.targets.select_related("dispatch", "output").get()
    now = timezone.now()
    if not target.over and now < case.deadline:
        return claim.release(due_at=min(now + LOOK_AGAIN, case.deadline))
    _keep(claim, stages.GUEST, guest.heard(target))
    _console_if_missing(claim)
    claim.write(state=CaseState.JUDGING)


def _console_if_missing(claim: CaseClaim) -> None:
    """After a restart in the middle, or when the guest stayed silent."""
    case = claim.row
    step = _step(case, stages.GUEST)
    read, machine = step.state == StepState.DONE, case.instance
    subject = Subject(machine.account.signing(), machine.region, machine.instance_id)
    wanted = {"console": console.ask} if machine.os_type != "windows" or not read else {}
    if not read:
        wanted["screenshot"] = console.ask_screenshot
    for name, ask in wanted.items():
        if not _has_beside(claim, stages.GUEST, name):
            with claim.held():
                outcome = asking(ask, subject)
            _keep_beside(claim, name, outcome)


def judge(claim: CaseClaim, *, here: bool = False) -> None:
    """Small evidence is judged by the worker at hand: a bell would cost more than the reading."""
    case = claim.row
    if case.attempts > TRIES:
        return judging.conclude_without_analysis(claim)
    if not here and sum(case.evidence.values_list("size", flat=True)) > INLINE:
        return claim.release(due_at=timezone.now())
    with claim.held():
        judging.judge(claim)


def _search_is_over(claim: CaseClaim) -> None:
    reason = _("Not run: the platform event already explains the reboot.")
    for key in (stages.GUEST, stages.DUMPS):
        _keep(claim, key, not_needed(reason))
    claim.write(state=CaseState.JUDGING)


def _outside() -> Outcome:
    return failed(
        _("The instance is not in the accounts and regions of this portal."),
        _("Check the ID, IP or name and the region; or collect the evidence by hand."),
        facts={"listed": False},
    )


def _evidence_only(claim: CaseClaim, why: Outcome) -> None:
    """No instance of our accounts: nobody can be asked, and the case says so."""
    for key in (stages.INSTANCE, stages.EVENTS, stages.AGENT):
        _keep(claim, key, why)
    _keep(claim, stages.OWN, own.look(claim.row))
    _keep(claim, stages.GUEST, guest.unasked(why.reason[0]))
    claim.write(state=CaseState.JUDGING)


def _look_from_outside(claim: CaseClaim, subject: Subject, why_not) -> None:
    """The guest cannot be asked: serial console and screenshot, and the manual path."""
    listed = _step(claim.row, stages.INSTANCE).facts.get("listed") is not False
    _begin_steps(claim, [stages.GUEST])
    if listed:
        with claim.held(), ThreadPoolExecutor(2, "outside") as pool:
            asked = {
                "console": pool.submit(asking, console.ask, subject),
                "screenshot": pool.submit(asking, console.ask_screenshot, subject),
            }
        for name, future in asked.items():
            _keep_beside(claim, name, future)
    _keep(claim, stages.GUEST, guest.unasked(why_not))


def _give_up(claim: CaseClaim) -> None:
    """The portal itself failed at a stage again and again: say so, judge what there is."""
    reason = _(
        "The portal itself failed here %(count)s times: %(error)s",
        count=TRIES,
        error=claim.row.last_error,
    )
    instead = _("Tell the administrators of the portal; open a new case afterwards.")
    for step in claim.row.steps.filter(position__lte=stages.ORDER.index(stages.GUEST) + 1):
        if not step.over:
            _keep(claim, step.key, failed(reason, instead))
    claim.write(state=CaseState.JUDGING, attempts=0)


def _step(case: DiagnosisCase, key: str) -> Step:
    return case.steps.get(key=key)


def _begin_steps(claim: CaseClaim, keys: list[str]) -> None:
    with transaction.atomic():
        claim.renew()
        claim.row.steps.filter(key__in=keys).update(
            state=StepState.RUNNING, started_at=timezone.now()
        )


def _keep(claim: CaseClaim, key: str, outcome: Outcome) -> None:
    """Put an outcome on its row, with its evidence, if the case is still ours."""
    case, now = claim.row, timezone.now()
    with transaction.atomic():
        claim.renew()
        step = _step(case, key)
        step.state = outcome.state
        step.summary, step.reason = packed(outcome.summary), packed(outcome.reason)
        step.instead = packed(outcome.instead)
        step.request_ids, step.invoke_id = list(outcome.request_ids), outcome.invoke_id
        step.facts = {**step.facts, **outcome.facts}
        step.started_at = outcome.started_at or step.started_at or now
        step.finished_at = outcome.finished_at or now
        step.save()
        _keep_evidence(case, step, outcome)


def _has_beside(claim: CaseClaim, key: str, name: str) -> bool:
    return name in _step(claim.row, key).facts.get("beside", {})


def _keep_beside(
    claim: CaseClaim, name: str, found: Future[Outcome] | Outcome, key: str = stages.GUEST
) -> None:
    """What was asked beside a stage (the console while the guest was asked), on its row."""
    outcome = found.result() if isinstance(found, Future) else found
    with transaction.atomic():
        claim.renew()
        step = _step(claim.row, key)
        said = packed(
            {
                "summary": outcome.summary,
                "reason": outcome.reason,
                "instead": outcome.instead,
                "request_ids": outcome.request_ids,
                "state": outcome.state,
            }
        )
        beside = {**step.facts.get("beside", {}), name: said}
        told = outcome.facts if key == stages.OWN and outcome.done else {}
        step.facts = {**step.facts, **told, "beside": beside}
        step.save(update_fields=["facts"])
        _keep_evidence(claim.row, step, outcome)


def _keep_evidence(case: DiagnosisCase, step: Step, outcome: Outcome) -> None:
    for raw in outcome.evidence:
        Evidence.objects.update_or_create(
            case=case,
            name=raw.name,
            defaults={
                "step": step,
                "origin": raw.origin,
                "media_type": raw.media_type,
                "complete": raw.complete,
                "note": raw.note,
                **Evidence.pack(raw.body),
            },
        )


def rest(claim: CaseClaim) -> None:
    claim.release(due_at=None)


STAGES = {
    CaseState.QUEUED: begin,
    CaseState.GATHERING: gather,
    CaseState.WAITING: listen,
    CaseState.JUDGING: judge,
    CaseState.CONCLUDED: rest,
}
