"""Concluded cases whose evidence somebody handed in: no cloud, no worker, no waiting."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from diagnostics import jobs, stages
from diagnostics.models import DiagnosisCase, Evidence, Judging, Step, StepState
from tests.factories import CaseFactory

PANIC = """\
[    0.000000] Linux version 5.10.134-16.al8.x86_64 (builder@example) #1 SMP
[ 8123.100101] BUG: kernel NULL pointer dereference, address: 0000000000000018
[ 8123.100107] Oops: 0000 [#1] SMP NOPTI
[ 8123.100110] CPU: 1 PID: 0 Comm: swapper/1 Not tainted 5.10.134-16.al8.x86_64 #1
[ 8123.100115] RIP: 0010:nvme_queue_rq+0x2a/0x8c0 [nvme]
[ 8123.100120] Call Trace:
[ 8123.100121]  <IRQ>
[ 8123.100123]  blk_mq_dispatch_rq_list+0x118/0x830
[ 8123.100130]  </IRQ>
[ 8123.100140] Kernel panic - not syncing: Fatal exception in interrupt
"""
OLDER = "0123456789"  # the analyzers of some time ago
WRONG = {"kind": "hang", "subkind": "soft_lockup", "crashed": False, "function": "schedule"}


def judged_case(text: str = PANIC, **told) -> DiagnosisCase:
    """A case judged from `text` alone: about an instance that no script could reach."""
    now = timezone.now()
    case = CaseFactory(state="judging", due_at=now, **told)
    over = (stages.INSTANCE, stages.OWN, stages.EVENTS)
    Step.objects.bulk_create(
        Step(
            case=case,
            key=key,
            position=place,
            state=StepState.DONE if key in over else StepState.FAILED,
            finished_at=now - timedelta(minutes=1),
        )
        for place, key in enumerate(stages.ORDER, 1)
    )
    Evidence.objects.create(
        case=case,
        name="upload-1",
        origin=Evidence.Origin.UPLOAD,
        kind="vmcore_dmesg",
        file_name="vmcore-dmesg.txt",
        **Evidence.pack(text.encode()),
    )
    assert jobs.judge(case.pk)
    case.refresh_from_db()
    return case


def as_older_analyzers_saw_it(case: DiagnosisCase, **verdict) -> DiagnosisCase:
    """The same case with a verdict that today's analyzers would not give."""
    verdict = verdict or WRONG
    DiagnosisCase.objects.filter(pk=case.pk).update(read_by=OLDER, **verdict)
    Judging.objects.filter(case=case).update(analyzers=OLDER, **verdict)
    case.refresh_from_db()
    return case
