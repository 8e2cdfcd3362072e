"""Writing down what ECS says of machines: where they stand, and how their part ended."""

from __future__ import annotations

from collections import defaultdict

from django.utils import timezone

from commands import secret_parameters
from commands.endings import plain
from commands.models import Dispatch, Invocation, Output, Target, digest_of
from commands.outcomes import outcome_of
from commands.secret_parameters import Redactor
from instances import ecs

OUTPUT_KEPT = 1 << 20  # bytes; Cloud Assistant itself sends at most 24 KiB
BIGGEST_EXIT_CODE = 2**63
ENDED = (
    "status",
    "over",
    "outcome",
    "exit_code",
    "output",
    "dropped",
    "error_code",
    "error_info",
    "started_at",
    "finished_at",
)


def statuses(machines: dict[int, dict[str, str]]) -> None:
    """Keep the not yet final statuses, by dispatch and instance id: one UPDATE for each word."""
    whole, parts = defaultdict(list), defaultdict(list)
    for dispatch, said in machines.items():
        words = set(said.values())
        if len(words) == 1 and not words & ecs.FINAL_INVOCATION_STATUSES:
            whole[words.pop()].append(dispatch)
        else:
            for name, status in said.items():
                if status not in ecs.FINAL_INVOCATION_STATUSES:
                    parts[status].append((dispatch, name))
    for status, dispatches in whole.items():
        _stand_at(status, dispatch__in=dispatches)
    for status, pairs in parts.items():
        _stand_at(
            status,
            dispatch__in={dispatch for dispatch, _name in pairs},
            instance__instance_id__in=[name for _dispatch, name in pairs],
        )


def _stand_at(status: str, **which: object) -> None:
    word = plain(status)[:20]
    Target.objects.filter(over=False, **which).exclude(status=word).update(status=word)


def results(dispatch: Dispatch, run: Invocation, answers: list[ecs.Result]) -> tuple[bool, bool]:
    """Keep how machines ended; whether there was any news, and whether some are still at it."""
    said = {answer.instance_id: answer for answer in answers}
    targets = dispatch.targets.filter(over=False).order_by("pk")
    open_ones = list(targets.values_list("pk", "instance_id", "instance__instance_id"))
    redactor = secret_parameters.redactor(run)
    ended, bodies = [], {}
    for key, instance, name in open_ones:
        if (answer := said.get(name)) and answer.status in ecs.FINAL_INVOCATION_STATUSES:
            body = redactor.body(answer.output)[:OUTPUT_KEPT]
            target = Target(pk=key, dispatch=dispatch, invocation_id=run.pk, instance_id=instance)
            _end(target, answer, body, run.type, redactor)
            ended.append(target)
            bodies[target.output_id] = body
    Output.keep(bodies.values())
    Target.objects.bulk_create(
        ended, update_conflicts=True, unique_fields=["id"], update_fields=ENDED
    )
    still = {name: said[name].status for _key, _instance, name in open_ones if name in said}
    statuses({dispatch.pk: still} if still else {})
    return bool(ended), len(ended) < len(open_ones)


def _end(target: Target, answer: ecs.Result, body: bytes, type: str, redactor: Redactor) -> None:
    target.over = True
    target.status = plain(answer.status)[:20]
    code = answer.exit_code
    target.exit_code = code if code is None or abs(code) < BIGGEST_EXIT_CODE else None
    target.outcome = outcome_of(target.status, type, target.exit_code)
    target.output_id = digest_of(body)
    lost = max(0, len(answer.output) - OUTPUT_KEPT)
    target.dropped = min(max(0, answer.dropped) + lost, 2**31 - 1)
    target.error_code = plain(redactor.text(answer.error_code))[:100]
    target.error_info = plain(redactor.text(answer.error_info))
    target.started_at = answer.started_at
    target.finished_at = answer.finished_at or timezone.now()
