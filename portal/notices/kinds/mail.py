"""E-mail through the one server of EMAIL_URL, to an address or to a person."""

from __future__ import annotations

import smtplib
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils.translation import gettext as _

from portal.notices.message import Message, Refused, Unreached


def send(address: dict[str, str], message: Message) -> None:
    to = address.get("to") or message.to
    if not settings.EMAIL_URL:
        raise Refused(_("EMAIL_URL is not set"))
    if not to:
        raise Refused(_("the person has no e-mail address"))
    mail = EmailMessage(
        subject=message.title,
        body=message.text,
        to=[to],
        headers={
            # The same at a repeat, by which mail programs fold the two into one.
            "Message-ID": f"<{message.key[:32]}@{_domain()}>",
            "X-Portal-Event": message.event,
            "Auto-Submitted": "auto-generated",
        },
    )
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused as error:
        code, words = next(iter(error.recipients.values()))
        raise _kind(code)(_said(code, words)) from None
    except smtplib.SMTPDataError as error:
        raise _kind(error.smtp_code)(_said(error.smtp_code, error.smtp_error)) from None
    except smtplib.SMTPResponseException as error:  # the greeting, the login, the sender
        raise Unreached(_said(error.smtp_code, error.smtp_error)) from None
    except (OSError, smtplib.SMTPException) as error:
        raise Unreached(_("no mail server: %s") % type(error).__name__) from None


def _kind(code: int) -> type[Exception]:
    """Of this one message for good, or of the server for now."""
    return Refused if 500 <= code < 600 else Unreached


def _domain() -> str:
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].partition("@")[2] or "localhost"


def _said(code: int, words: bytes | str) -> str:
    text = words.decode(errors="replace") if isinstance(words, bytes) else words
    return _("the mail server said %(code)d %(words)s") % {"code": code, "words": text}
