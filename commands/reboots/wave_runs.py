"""The runs that a wave makes: begun with the wave's own row to wake, and taken over once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from commands import invocations
from commands.models import Invocation, RebootItem, RebootWave, Target, WaveRun
from commands.reboots import proof
from portal.transitions import WrongState

Purpose = WaveRun.Purpose


def begin(
    wave: RebootWave,
    purpose: str,
    items: Iterable[RebootItem],
    script: Mapping[str, Any],
    *,
    read_only: bool = False,
    **more: Any,
) -> None:
    """Run a script on these items' instances; in the caller's transaction."""
    run = invocations.invoke(
        name=f"{wave.batch.name} #{wave.number} {purpose}"[:128],
        instances=[item.instance for item in items],
        asked_by=wave.batch.asked_by,
        read_only=read_only,
        then=wave,
        **{**script, **more},
    )
    WaveRun.objects.create(wave=wave, invocation=run, purpose=purpose)


def probe(wave: RebootWave, purpose: str, items: Iterable[RebootItem]) -> int:
    """Read the boot of these instances, one run for each system; how many are asked."""
    systems: dict[str, list[RebootItem]] = {}
    for item in items:
        system = "windows" if item.instance.os_type == "windows" else "linux"
        systems.setdefault(system, []).append(item)
    for system, members in systems.items():
        script = {"script": proof.SCRIPTS[system], "type": proof.TYPES[system]}
        begin(wave, purpose, members, script, read_only=True, timeout=proof.TIMEOUT)
    return sum(map(len, systems.values()))


def going(wave: RebootWave, *purposes: str) -> bool:
    """Whether a run of this wave is not over yet."""
    runs = WaveRun.objects.filter(wave=wave, purpose__in=purposes, taken=False)
    return runs.exclude(invocation__state=Invocation.State.FINISHED).exists()


def take_over(wave: RebootWave, purpose: str) -> Iterator[tuple[RebootItem, Target]]:
    """The answers of finished runs that nobody took yet, with the items they are about.

    In the caller's transaction: what is taken is marked with what comes of it.
    """
    runs = WaveRun.objects.filter(
        wave=wave, purpose=purpose, taken=False, invocation__state=Invocation.State.FINISHED
    )
    keys = dict(runs.values_list("pk", "invocation"))
    if not keys:
        return
    items = {item.instance_id: item for item in wave.items.select_related("instance")}
    targets = Target.objects.filter(invocation__in=keys.values()).select_related("output")
    for target in targets.order_by("pk"):
        yield items[target.instance_id], target
    if WaveRun.objects.filter(pk__in=keys, taken=False).update(taken=True) != len(keys):
        raise WrongState("answers were taken over twice")


def newest(
    wave: RebootWave, purpose: str, items: Iterable[RebootItem]
) -> list[tuple[RebootItem, Target]]:
    """Of each item's newest answer to a run of this kind those that are in, though others of the
    same run may be awaited still."""
    members = {item.instance_id: item for item in items}
    runs = WaveRun.objects.filter(wave=wave, purpose=purpose).values("invocation")
    targets = Target.objects.filter(invocation__in=runs, instance__in=list(members))
    last = {target.instance_id: target for target in targets.order_by("pk")}
    keys = [target.pk for target in last.values() if target.over]
    rows = Target.objects.filter(pk__in=keys).select_related("output")
    return [(members[target.instance_id], target) for target in rows]


def reading_of(item: RebootItem, target: Target) -> proof.Reading | None:
    """What the probe read on this instance."""
    if target.outcome != "ok" or target.output is None or target.dropped:
        return None
    return proof.read(target.output.body(), item.instance.os_type)


def in_words(target: Target) -> str:
    """Why a script did not do what it was meant to, short enough for an item."""
    code = "" if target.exit_code is None else f"exit code {target.exit_code}"
    parts = (target.status, code, target.error_code, target.error_info)
    return ", ".join(part for part in parts if part)
