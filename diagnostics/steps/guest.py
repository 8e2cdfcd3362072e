"""Stage 6: what the guest's own records say, collected by the read-only script."""

from __future__ import annotations

from commands.models import CommandType, Dispatch, Target
from diagnostics.steps.outcome import Outcome, Raw, failed
from diagnostics.wording import Text, quoted
from diagnostics.wording import say as _

TYPES = {"linux": CommandType.SHELL, "windows": CommandType.POWERSHELL}
TIMEOUT = 60  # seconds; the script needs less than 30 on a busy machine
BY_HAND = _(
    "Run the script of this case on the machine by hand (VNC, SSH or RDP) and hand in what"
    " it prints."
)
NEW_CASE = _("Open a new case once the agent answers; the records stay on the machine's disk.")


def heard(target: Target) -> Outcome:
    """What came back from the machine, or why nothing did."""
    dispatch = target.dispatch
    body = target.output.body() if target.output else b""
    trace = {
        "request_ids": (dispatch.request_id,) if dispatch.request_id else (),
        "invoke_id": dispatch.invoke_id,
        "facts": {"status": target.status, "exit_code": target.exit_code},
    }
    if not body.strip():
        return failed(_silence(target), BY_HAND, NEW_CASE, **trace)
    whole = target.dropped == 0 and target.status == "Success"
    evidence = Raw("guest_output", body, origin="guest", complete=whole, note=_note(target))
    return Outcome(
        summary=_summary(target, len(body)),
        evidence=(evidence,),
        started_at=target.started_at or dispatch.sent_at,
        **trace,
    )


def _summary(target: Target, size: int) -> tuple[Text, ...]:
    said = [_("The script printed %(size)s bytes.", size=size)]
    if target.dropped:
        said.append(
            _("%(count)s bytes were lost on the way; the rest was read.", count=target.dropped)
        )
    if target.status != "Success":
        said.append(
            _(
                "It ended as %(status)s (exit code %(code)s); what it printed until then was read.",
                status=target.status,
                code=_("none") if target.exit_code is None else target.exit_code,
            )
        )
    return tuple(said)


def _note(target: Target) -> str:
    return f"{target.dropped} bytes were dropped on the way" if target.dropped else ""


def _silence(target: Target) -> Text:
    told = _error(target)
    if target.status == Target.REFUSED:
        return _("The script could not be sent: %(error)s", error=told)
    if target.status == Target.NO_ANSWER:
        return _("No answer came back from the script: %(error)s", error=told)
    return _(
        "The script ended as %(status)s and printed nothing: %(error)s",
        status=target.status,
        error=told,
    )


def _error(target: Target) -> Text:
    dispatch: Dispatch = target.dispatch
    words = [target.error_code or dispatch.error_code, target.error_info or dispatch.error]
    told = ": ".join(word for word in words if word)
    return quoted(told) if told else _("ECS gave no reason.")


def unasked(why: Text) -> Outcome:
    """The machine cannot be asked at all; evidence has to come from outside or by hand."""
    return failed(why, BY_HAND, NEW_CASE)
