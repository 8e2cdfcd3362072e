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
FEW = 10  # different ends in one dispatch, up to which each has its own UPDATE
ENDED = (
    "status",
    "over",
    "outcome",
    "exit_code",
    "output_id",
    "dropped",
    "error_code",
    "error_info",
    "started_at",
    "finished_at",
)


def statuses(machines: dict[Dispatch, dict[str, str]]) -> None:
    """Keep the not yet final statuses, by instance id: one UPDATE for each word and run."""
    whole, parts = defaultdict(list), defaultdict(list)
    for dispatch, said in machines.items():
        words = set(said.values())
        if len(words) == 1 and not words & ecs.FINAL_INVOCATION_STATUSES:
            whole[words.pop()].append(dispatch)
            continue
        for name, status in said.items():
            if status not in ecs.FINAL_INVOCATION_STATUSES:
                parts[status, dispatch.invocation_id].append(name)
    for status, dispatches in whole.items():
        _stand_at(status, dispatch__in=dispatches)
    for (status, run), names in parts.items():
        _stand_at(status, invocation=run, instance__instance_id__in=names)


def _stand_at(status: str, **which: object) -> None:
    word = plain(status)[:20]
    Target.objects.filter(over=False, **which).exclude(status=word).update(status=word)


def results(dispatch: Dispatch, run: Invocation, answers: list[ecs.Result]) -> tuple[bool, bool]:
    """Keep how machines ended; whether there was any news, and whether some are still at it."""
    said = {answer.instance_id: answer for answer in answers}
    targets = dispatch.targets.filter(over=False).order_by("pk")
    open_ones = list(targets.values_list("pk", "instance_id", "instance__instance_id"))
    redactor = secret_parameters.redactor(run)
    ended: dict[tuple, list[tuple[int, int]]] = defaultdict(list)
    bodies: dict[str, bytes] = {}
    for key, instance, name in open_ones:
        if (answer := said.get(name)) and answer.status in ecs.FINAL_INVOCATION_STATUSES:
            body = redactor.body(answer.output)[:OUTPUT_KEPT]
            digest = digest_of(body)
            bodies[digest] = body
            ended[_end(answer, digest, run.type, redactor)].append((key, instance))
    Output.keep(bodies.values())
    _write(dispatch, ended)
    count = sum(map(len, ended.values()))
    still = {name: said[name].status for _key, _instance, name in open_ones if name in said}
    if count < len(open_ones) and still:
        statuses({dispatch: still})
    return bool(count), count < len(open_ones)


def _write(dispatch: Dispatch, ended: dict[tuple, list[tuple[int, int]]]) -> None:
    """Most machines end alike, and one UPDATE does for all of these; many different ends are
    written row by row in one statement."""
    if len(ended) <= FEW:
        for values, rows in ended.items():
            alike = Target.objects.filter(pk__in=[key for key, _instance in rows])
            alike.update(**dict(zip(ENDED, values, strict=True)))
        return
    Target.objects.bulk_create(
        (
            Target(
                pk=key,
                dispatch=dispatch,
                invocation_id=dispatch.invocation_id,
                instance_id=instance,
                **dict(zip(ENDED, values, strict=True)),
            )
            for values, rows in ended.items()
            for key, instance in rows
        ),
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=ENDED,
    )


def _end(answer: ecs.Result, digest: str, type: str, redactor: Redactor) -> tuple:
    """The values of ENDED."""
    status, code = plain(answer.status)[:20], answer.exit_code
    code = code if code is None or abs(code) < BIGGEST_EXIT_CODE else None
    lost = max(0, len(answer.output) - OUTPUT_KEPT)
    return (
        status,
        True,
        outcome_of(status, type, code),
        code,
        digest,
        min(max(0, answer.dropped) + lost, 2**31 - 1),
        plain(redactor.text(answer.error_code))[:100],
        plain(redactor.text(answer.error_info)),
        answer.started_at,
        answer.finished_at or timezone.now().replace(microsecond=0),
    )
