"""Nothing to judge by: say so, and say what to do."""

from __future__ import annotations

from diagnostics.conclusions.answer import OPERATORS, Cause
from diagnostics.facts import Facts
from diagnostics.findings import Confidence, Verdict
from diagnostics.incident import Incident
from diagnostics.wording import Text
from diagnostics.wording import say as _


def nothing_to_judge_by(facts: Facts, incident: Incident) -> Cause:
    return Cause(
        Verdict("undetermined", confidence=Confidence.NONE),
        _sentence(facts, incident),
        _advice(facts),
        _("Get the missing records by hand (see Alternative Diagnostic Approaches)."),
        OPERATORS,
        origin="none",
    )


def _sentence(facts: Facts, incident: Incident) -> Text:
    if not facts.machine.listed:
        return _("The cause could not be established: ECS does not show this instance to us.")
    if facts.guest is None:
        return _(
            "The cause could not be established, because the guest's own records could not be"
            " read, and nothing else that was asked explains it."
        )
    if incident.went_down is None:
        return _(
            "The cause could not be established: the guest's records do not reach back to the"
            " time that was reported. %(basis)s",
            basis=incident.basis,
        )
    return _(
        "The cause could not be established: the records that were read are not about this time."
    )


def _advice(facts: Facts) -> tuple[Text, ...]:
    if not facts.machine.listed:
        return (
            _(
                "Check the instance ID and the region; an instance of another account has to be"
                " asked through that account."
            ),
            _(
                "Check that the identity of the portal may call DescribeInstances: without the"
                " right ECS answers with an empty list, not with an error."
            ),
            _("Run the script of this case on the machine by hand and hand in what it prints."),
        )
    advice = [
        _(
            "Run the script of this case on the machine by hand (VNC, SSH or RDP) and hand in what"
            " it prints."
        )
    ]
    if facts.guest is None and facts.agent and facts.agent.alive:
        advice.append(
            _(
                "Cloud Assistant itself answers: see above why the script brought nothing, mend"
                " that, and open a new case. Its agent needs no repair."
            )
        )
    elif facts.guest is None:
        advice.append(
            _(
                "Bring Cloud Assistant back: start or reinstall its agent on the instance, then"
                " open a new case; the records are still on its disk."
            )
        )
    if not facts.asked("events"):
        advice.append(_("Look at the instance's system events in the ECS console."))
    advice.append(_("Look at CPU, memory, disk and network of that time in CloudMonitor."))
    return tuple(advice)
