"""How values look on a page: one place for tones, times, sizes and ids."""

from __future__ import annotations

from datetime import datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from portal import kept

register = template.Library()

# The words of ECS and our own, by what they mean to a person. What is not listed is `unknown`.
TONES = {
    "good": "Running alive current concluded done finished good verified certain Success "
    "active fired confirmed approved Finished Executed Avoided Canceled normal_reboot none",
    "going": "Pending Starting Stopping queued gathering waiting judging running sending "
    "sent Executing Scheduling Terminating info going",
    "attention": "Scheduled Inquiring silent doubted warning attention likely possible same_boot "
    "unverified PartialFailed Timeout no_answer hang oom_kill platform_maintenance own_action "
    "outside_action instance_expired missed forgotten lost overlapped frozen",
    "bad": "Failed failed bad critical refused Error Terminated Locked Invalid Aborted "
    "rejected Undelivered not_back kernel_panic unexplained_reboot platform_failure bugcheck",
}
TONE_OF = {word: tone for tone, words in TONES.items() for word in words.split()}

# One drawing each, so that no meaning hangs on colour alone.
SYMBOLS = {
    "good": mark_safe('<path d="M3 8.5l3.2 3.2L13 5"/>'),
    "going": mark_safe('<circle cx="8" cy="8" r="5.2"/><path d="M8 5v3.2l2.2 1.6"/>'),
    "attention": mark_safe('<path d="M8 2.2 14.4 13.4H1.6zM8 6.4v3.2M8 11.4v.4"/>'),
    "bad": mark_safe('<path d="M4 4l8 8M12 4l-8 8"/>'),
    "unknown": mark_safe('<circle cx="8" cy="8" r="4.6"/>'),
}
MINUTE, HOUR, DAY = 60, 3600, 86400


@register.filter
def tone(value: object) -> str:
    """good | going | attention | bad | unknown."""
    return TONE_OF.get(str(value), "unknown")


@register.filter
def event_tone(event: object) -> str:
    """A failure that took place is bad news, although ECS calls it Executed like any other."""
    return (
        "bad" if event.is_failure and event.cycle_status == "Executed" else tone(event.cycle_status)
    )


@register.simple_tag
def symbol(name: str) -> SafeString:
    """The small drawing of a tone; says nothing to a screen reader, the word beside it does."""
    return format_html(
        '<svg class="symbol" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">'
        "{}</svg>",
        SYMBOLS.get(name, SYMBOLS["unknown"]),
    )


@register.simple_tag
def badge(name: str, label: object) -> SafeString:
    """A word with the colour and the symbol of its tone."""
    name = name if name in SYMBOLS else "unknown"
    return format_html('<span class="tone tone-{}">{}{}</span>', name, symbol(name), label)


@register.simple_tag
def when(at: datetime | None, none: str = "—", exact: bool = False) -> SafeString:
    """A time as people say it; the exact one is the title, and comes first if `exact`."""
    if at is None:
        return format_html('<span class="muted">{}</span>', none)
    local = timezone.localtime(at)
    full = f"{local:%Y-%m-%d %H:%M:%S} {local.tzname()}"
    shown, title = (full, relative(at, dates=False)) if exact else (relative(at), full)
    aside = format_html(' <span class="muted">{}</span>', title) if exact else ""
    return format_html(
        '<time class="when" datetime="{}" title="{}">{}</time>{}',
        local.isoformat(timespec="seconds"),
        title,
        shown,
        aside,
    )


def relative(at: datetime, now: datetime | None = None, dates: bool = True) -> str:
    """`3 min ago`, `in 2 h`; days beyond two, the date beyond sixty if `dates`."""
    seconds = int(((now or timezone.now()) - at).total_seconds())
    size = abs(seconds)
    if size < 5:
        return _("just now")
    if dates and size >= 60 * DAY:
        return f"{timezone.localtime(at):%Y-%m-%d}"
    span = _span(size)
    return (_("%s ago") if seconds > 0 else _("in %s")) % span


def _span(seconds: int) -> str:
    if seconds < MINUTE:
        return _("%d s") % seconds
    if seconds < HOUR:
        return _("%d min") % (seconds // MINUTE)
    if seconds < 2 * DAY:
        return _("%d h") % (seconds // HOUR)
    return _("%d d") % (seconds // DAY)


@register.filter
def duration(value: timedelta | None) -> str:
    """`1.4 s`, `3 min`, `2 h`; empty for None."""
    if value is None:
        return ""
    seconds = value.total_seconds()
    return _("%.1f s") % seconds if abs(seconds) < MINUTE else _span(int(seconds))


@register.filter(name="bytes")
def size(value: int | None) -> str:
    """`512 B`, `24.0 KiB`, `3.1 MiB`."""
    if value is None:
        return ""
    number = float(value)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(number) < 1024 or unit == "GiB":
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return ""


@register.filter
def told(text: str) -> str:
    """A sentence that a row keeps, in the reader's language (see portal.kept)."""
    return kept.told(text)


@register.simple_tag
def copyable(text: object) -> SafeString:
    """An id in monospace; a script adds the click that copies it."""
    return format_html(
        '<span class="copyable"><code>{}</code>'
        '<button type="button" class="copy" data-copy="{}" data-done="{}" hidden>{}</button>'
        "</span>",
        text,
        text,
        _("Copied"),
        _("Copy"),
    )


@register.inclusion_tag("_sort.html")
def sort_link(page: object, key: str, label: str) -> dict[str, object]:
    """A column heading that sorts by `key` (see portal.lists.page, `sorts`)."""
    return {"link": page.sort_link(key), "arrow": page.arrow(key), "label": label}
