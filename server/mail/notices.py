"""The daily notice to handlers: the same words to everybody, at the same hour, whether there is a case or not."""

import asyncio
import smtplib
from datetime import datetime
from email.message import EmailMessage

from server.frame import faults
from server.frame.texts import DESK_LANGUAGES, say
from server.mail import post
from server.settings import Settings
from surveys.cases import handlers
from surveys.lifecycle.context import ROME, rome_day

HOUR = 7
"""In Rome, every day."""
_MARK = "notice.day"


def is_due(now: datetime, last: str) -> bool:
    """Say whether today's notice has not left yet: from seven o'clock in Rome on, once a day."""
    here = now.astimezone(ROME)
    return here.hour >= HOUR and here.date().isoformat() > last


async def send_due(settings: Settings, now: datetime) -> int:
    """Send today's notice if it is due; gives to how many it was sent. Nothing about any case is looked at."""
    mark = settings.data / _MARK
    last = mark.read_text() if mark.exists() else ""
    if not settings.smtp or not is_due(now, last):
        return 0
    people = [record.contact for record in await handlers.everyone() if record.contact]
    sent = await asyncio.to_thread(_send, settings, people, now)
    mark.write_text(rome_day(now).isoformat())
    return sent


def notice(sender: str, to: str, now: datetime) -> EmailMessage:
    """The message: constant but for the day and who gets it. It holds no address: passphrases are not typed where a mail leads."""
    text = "\n\n".join(say(language, "cases.notice.text") for language in DESK_LANGUAGES)
    return post.message(sender, to, "Ascolto", text, now, HOUR)


def _send(settings: Settings, people: list[str], now: datetime) -> int:
    """Hand each message to the mail server; one that fails does not stop the others."""
    sent = 0
    with post.mail_server(settings) as smtp:
        for to in people:
            try:
                smtp.send_message(notice(settings.mail_from, to, now))
                sent += 1
            except (smtplib.SMTPException, ValueError) as problem:
                faults.note("notice", problem)
    return sent
