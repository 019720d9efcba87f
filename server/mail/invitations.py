"""Invitations with a personal link: their words in nine languages, their sending by mail, their pages to print."""

import asyncio
import csv
import io
import smtplib
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from server.frame import faults
from server.frame.display import day, text_of
from server.frame.texts import say
from server.mail import post
from server.settings import Settings
from surveys.away import StoreAway
from surveys.engines import StoreEngine
from surveys.languages import LANGUAGES
from surveys.lifecycle import frozen
from surveys.lifecycle.context import Site
from surveys.lifecycle.issuing import address_of
from surveys.lifecycle.ready import mark_of
from surveys.one_folder import Folder
from surveys.people import links, sending
from surveys.people.links import Invitation
from surveys.people.sending import Claims, Waiting
from surveys.public import organisation, waves
from surveys.public.questionnaires import questionnaire_of
from surveys.public.waves import WaveRecord

AT_ONCE = 200
"""So many messages leave at each look of the jobs: a mail server of a small cooperative takes no more in five minutes."""
SENDING_SECONDS = 300
"""A slow mail server is given no message more after so long: the next look goes on."""
NOTING_SECONDS = 60
"""So long a store that went away is waited for, to note what became of a message that was being sent."""
LAST_SECONDS = 10
"""And so long a service that ends waits for its last message."""
HOUR = 9
_claims = Claims()
_PAGE = """
#set document(date: none)
#set page(paper: "a4", margin: 22mm)
#set text(size: 12pt, font: ("Noto Sans", "Noto Sans Arabic", "Noto Sans CJK SC", "DejaVu Sans", "Libertinus Serif"))
#let letter(dir, lang, name, lines, qr, address) = { set text(dir: dir, lang: lang)
  [*#name* #v(14mm)]
  for line in lines { par(line) }
  [#v(4mm) #image(qr, width: 45mm) #v(2mm) #text(size: 9pt, font: "DejaVu Sans Mono", dir: ltr)[#address]]
  pagebreak(weak: true) }
"""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as it leaves."""

    address: str = field(repr=False)
    subject: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class About:
    """What every invitation of a wave says besides its link."""

    wave: WaveRecord
    name: str
    site: str
    mark: str
    """What the phone compares: it travels in each link and is written beside it."""

    def lines(self, kind: str, language: str) -> list[str]:
        """The sentences before and after the link: the first is before it."""
        values = {
            "title": text_of(self.wave.title, language),
            "ends": day(self.wave.ends, language),
            "minutes": questionnaire_of(self.wave).minutes(language),
            "fingerprint": self.mark,
        }
        return [say(language, f"link.mail.{key}", **values) for key in (kind, "fingerprint", "help")]


async def about(data: Path, wave: str) -> About:
    """What every invitation says; `data` is the folder whose keys hold the signed plan.

    Raises
    ------
    PlanOther
    """
    record, known = await waves.get(wave), await organisation.load()
    address = known.address if known else ""
    frozen.check_address(data, wave, address)
    return About(record, known.name if known else "Ascolto", address, await mark_of(data, record))


def language_for(invitation: Invitation) -> str:
    return invitation.language if invitation.language in LANGUAGES else "it"


def writer(facts: About, kind: str) -> Callable[[Invitation], Letter]:
    """How an e-mail is written: in the person's language, without her name."""

    def write(invitation: Invitation) -> Letter:
        language = language_for(invitation)
        first, *more = facts.lines(kind, language)
        address = address_of(facts.site, invitation.link, facts.mark)
        subject = say(language, "link.mail.subject", organisation=facts.name)
        return Letter(invitation.contact, subject, "\n\n".join([first, address, *more]) + "\n")

    return write


def text_messages(facts: About, invitations: Sequence[Invitation]) -> str:
    """Number and text of each message, as CSV for a gateway."""
    table = io.StringIO()
    rows = csv.writer(table)
    for invitation in invitations:
        address = address_of(facts.site, invitation.link, facts.mark)
        rows.writerow([invitation.contact, f"{facts.lines('invitation', language_for(invitation))[0]} {address}"])
    return table.getvalue()


def pages(facts: About, invitations: Sequence[Invitation]) -> dict[str, Any]:
    """What the typesetting process needs for letters: plain texts and addresses."""
    return {
        "letters": [
            {
                "name": invitation.name,
                "language": language_for(invitation),
                "lines": facts.lines("invitation", language_for(invitation)),
                "address": address_of(facts.site, invitation.link, facts.mark),
            }
            for invitation in invitations
        ]
    }


def letter_pages(letters: Sequence[dict[str, Any]]) -> bytes:
    """Set one page a person, with the link as a QR; neither texts nor PDF are kept anywhere."""
    import json

    import segno
    import typst

    files: dict[str, bytes] = {}
    lines = [_PAGE, '#let all = json("letters.json")']
    for place, letter in enumerate(letters):
        picture = io.BytesIO()
        segno.make(letter["address"], error="m").save(picture, kind="svg", border=2, scale=3)
        files[f"q{place}.svg"] = picture.getvalue()
        direction = "rtl" if letter["language"] == "ar" else "ltr"
        lines.append(
            f'#letter({direction}, "{letter["language"][:2]}", all.at({place}).name, all.at({place}).lines,'
            f' "q{place}.svg", all.at({place}).address)'
        )
    files["letters.json"] = json.dumps(list(letters), ensure_ascii=False).encode()
    files["main.typ"] = "\n".join(lines).encode()
    compile_files: Any = typst.compile  # its stubs do not know several files
    made = compile_files(files, format="pdf")
    if not isinstance(made, bytes):
        raise RuntimeError("the typesetter gave no document")
    return made


async def send_due(settings: Settings, site: Site) -> int:
    """Write the waiting messages, one by one, and hand each to the mail server; gives how many it took.

    A message and its link exist in memory alone. The link works once the mail server has the message; until then the
    one that was sent before does.
    """
    batch = await _claims.due(AT_ONCE, time.monotonic()) if settings.smtp else []
    if not batch:
        return 0
    server, sent, until = post.mail_server(settings), 0, time.monotonic() + SENDING_SECONDS
    try:
        smtp = await asyncio.to_thread(server.__enter__)
        try:
            for message in batch:
                if time.monotonic() > until or site.engines.folder != Folder.OK:
                    break
                sent += await _to_its_end(_leave(settings, site, smtp, message))
        finally:
            await asyncio.to_thread(server.__exit__, None, None, None)
    except (OSError, smtplib.SMTPException) as problem:
        faults.note("mail", problem)
    return sent


async def _to_its_end(leaving: Coroutine[Any, Any, bool]) -> bool:
    """A service that is asked to end waits for the message that is with the mail server: half noted it would come twice."""
    task = asyncio.create_task(leaving)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=LAST_SECONDS)
        raise


async def _leave(settings: Settings, site: Site, smtp: smtplib.SMTP, message: Waiting) -> bool:
    people = site.engines["people"]
    proposed = await links.propose([message.member])
    letter = writer(await about(site.data, message.wave), message.kind)(proposed[0]) if proposed else None
    mine = await sending.claim(people, message)
    if mine is None:
        return False
    outcome = links.FAILED
    if letter is not None:  # she has not left
        try:
            outcome = await asyncio.to_thread(_send_one, smtp, settings.mail_from, letter, datetime.now(UTC))
        except smtplib.SMTPServerDisconnected:
            # at this address, perhaps: it counts as a try, and the others come before it
            await _noted(lambda: sending.not_delivered(people, mine, site.day, for_good=False))
            raise
    if outcome != links.SENT:
        await _noted(lambda: sending.not_delivered(people, mine, site.day, for_good=outcome == links.FAILED))
        return False
    await _noted(lambda: _keep(people, mine, proposed, site.day))
    return True


async def _keep(people: StoreEngine, mine: Waiting, proposed: Sequence[Invitation], day: date) -> None:
    """Let the link work that was sent, unless another process has sent a newer one meanwhile."""
    if not await sending.is_anothers(mine):
        await links.keep(people, proposed)
    await sending.delivered(people, mine, day)


async def _noted(note: Callable[[], Awaitable[None]]) -> None:
    """Write down what became of a message, also where the store goes away for a moment: else it would leave again."""
    until = time.monotonic() + NOTING_SECONDS
    while True:
        try:
            return await note()
        except StoreAway:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(1)


def _send_one(smtp: smtplib.SMTP, sender: str, letter: Letter, now: datetime) -> str:
    try:
        smtp.send_message(post.message(sender, letter.address, letter.subject, letter.text, now, HOUR))
    except smtplib.SMTPRecipientsRefused as problem:
        refused = all(500 <= code < 600 for code, _ in problem.recipients.values())
        return links.FAILED if refused else links.WAITING  # "try again later" is no refusal
    except ValueError:
        return links.FAILED
    except smtplib.SMTPServerDisconnected:
        raise
    except smtplib.SMTPException as problem:
        faults.note("mail", problem)
        return links.WAITING
    return links.SENT
