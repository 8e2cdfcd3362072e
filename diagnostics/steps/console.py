"""What can be had from outside the guest: the serial console and a picture of the screen."""

from __future__ import annotations

from diagnostics.steps.outcome import Outcome, Raw, Subject
from diagnostics.wording import packed
from diagnostics.wording import say as _
from instances import ecs


def ask(subject: Subject) -> Outcome:
    answer = ecs.console_output(subject.account, subject.region, subject.instance_id)
    console = answer.value
    body = console.text.encode()
    if not body.strip():
        return Outcome(
            summary=(_("The serial console is empty; it is a ring, so that proves nothing."),),
            request_ids=answer.request_ids,
            facts={"empty": True},
        )
    return Outcome(
        summary=(_("Serial console: %(size)s bytes.", size=len(body)),),
        request_ids=answer.request_ids,
        facts=packed({"empty": False, "updated_at": console.updated_at}),
        evidence=(Raw("console", body),),
    )


def ask_screenshot(subject: Subject) -> Outcome:
    answer = ecs.screenshot(subject.account, subject.region, subject.instance_id)
    if not answer.value.startswith(b"\xff\xd8"):
        return Outcome(
            summary=(_("ECS sent no picture of the screen."),), request_ids=answer.request_ids
        )
    return Outcome(
        summary=(_("A picture of the screen was taken."),),
        request_ids=answer.request_ids,
        evidence=(Raw("screenshot", answer.value, media_type="image/jpeg"),),
    )
