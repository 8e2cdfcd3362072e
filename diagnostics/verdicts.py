"""The words for verdicts and confidence, as people read them."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

KINDS = {
    "kernel_panic": _("kernel crash"),
    "hang": _("hang"),
    "oom_kill": _("process killed for lack of memory"),
    "warning": _("kernel warning"),
    "normal_reboot": _("orderly reboot"),
    "unexplained_reboot": _("unexplained reboot"),
    "none": _("did not go down"),
    "bugcheck": _("blue screen"),
    "unclean_no_bugcheck": _("unexplained restart (Windows)"),
    "unclean_unknown_code": _("unclean restart, code unknown"),
    "power_button_forced": _("forced off"),
    "critical_process_restart": _("restart after a critical process died"),
    "planned_user": _("orderly restart by a person or script"),
    "planned_update": _("restart for updates"),
    "planned_software": _("restart for an installation"),
    "planned_setup": _("restart of the setup"),
    "planned_platform": _("orderly restart through the platform"),
    "planned_unknown_initiator": _("orderly restart, nobody named"),
    "none_healthy": _("did not go down (Windows)"),
    "none_sleep_resume": _("sleep and resume"),
    "none_app_crash": _("application crash only"),
    "none_resource_exhaustion": _("short of memory only"),
    "none_reason_recorded": _("no reason recorded"),
    "platform_maintenance": _("platform maintenance"),
    "platform_failure": _("host failure"),
    "instance_expired": _("stopped for billing"),
    "own_action": _("this portal did it"),
    "outside_action": _("asked for from outside the portal"),
    "undetermined": _("undetermined"),
}
CONFIDENCE = {
    "certain": _("certain: a record names the cause itself"),
    "likely": _("likely: one explanation fits everything that was read"),
    "possible": _("possible: it fits, but others are not ruled out"),
    "none": _("not known: there was nothing to judge by"),
}
TONES = {
    "none": "good",
    "none_healthy": "good",
    "normal_reboot": "good",
    "own_action": "good",
    "undetermined": "unknown",
    "none_reason_recorded": "unknown",
    "kernel_panic": "bad",
    "bugcheck": "bad",
    "platform_failure": "bad",
    "unexplained_reboot": "bad",
    "unclean_no_bugcheck": "bad",
    "unclean_unknown_code": "bad",
    "critical_process_restart": "bad",
    "power_button_forced": "bad",
}


def tone(kind: str) -> str:
    """good | bad | attention | unknown, for badges."""
    if not kind:
        return "going"
    return TONES.get(kind, "good" if kind.startswith(("planned_", "none_")) else "attention")
