"""The way to the mail server, for notices and invitations: no client name, no time finer than an hour."""

import secrets
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import urlsplit

from server.settings import Settings
from surveys.legible import legible
from surveys.lifecycle.context import ROME


@contextmanager
def mail_server(settings: Settings) -> Iterator[smtplib.SMTP]:
    """An open connection to ``ASCOLTO_SMTP``."""
    server = urlsplit(settings.smtp)
    kind = smtplib.SMTP_SSL if server.scheme == "smtps" else smtplib.SMTP
    with kind(server.hostname or "localhost", server.port or 25, local_hostname="ascolto.invalid", timeout=30) as smtp:
        if server.username:
            smtp.login(server.username, settings.smtp_password)
        yield smtp


def message(sender: str, to: str, subject: str, text: str, now: datetime, hour: int) -> EmailMessage:
    """A plain message, dated at a fixed hour of the day in Rome; its subject is one line, whatever an organisation is called."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, to, legible(subject)
    made["Date"] = format_datetime(now.astimezone(ROME).replace(hour=hour, minute=0, second=0, microsecond=0))
    made["Message-ID"] = f"<{secrets.token_hex(16)}@ascolto.invalid>"  # a library's would carry the moment
    made.set_content(text)
    return made
