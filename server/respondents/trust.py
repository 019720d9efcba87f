"""The trust page: what an employer can see, cannot see, what we cannot protect from, how to check; each sentence with its tests."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar

from litestar import Response, get
from litestar.di import NamedDependency

from server.frame import faults
from server.frame.asked import AppRequest
from server.frame.display import text_of
from server.frame.pages import Shell, show, staff_shell
from server.frame.texts import say
from server.settings import Settings
from surveys.answers.plans import PlanOther
from surveys.lifecycle.ready import mark_of
from surveys.public import releases
from surveys.public.waves import State, WaveRecord, in_state

PROOFS = Path(__file__).with_name("proofs.toml")
CLAIMS = ("can", "cannot", "limits", "check")


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence and the tests that prove it."""

    text: str
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    heading: str
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class TrustPage:
    """Four lists of sentences, and the numbers of the open survey to compare."""

    template: ClassVar[str] = "trust.html"
    shell: Shell
    title: str
    parts: tuple[Part, ...]
    keys: tuple[tuple[str, str], ...]


@cache
def proofs() -> dict[str, dict[str, list[str]]]:
    """Sentences by part, each with its tests."""
    return tomllib.loads(PROOFS.read_text("utf-8"))


async def _number(settings: Settings, wave: WaveRecord, language: str) -> str:
    """The number that invitations and slips of a wave carry; the word to stop where its plan is not the signed one."""
    try:
        return await mark_of(settings.data, wave)
    except PlanOther as problem:
        faults.note("plan", problem)
        return say(language, "link.page.other_key")


@get("/trust")
async def trust(request: AppRequest, settings: NamedDependency[Settings]) -> Response[str]:
    """Show what may be said, and nothing more."""
    frame = await staff_shell(request)
    left_out = set() if await releases.is_one_from_before() else {"before"}
    parts = tuple(
        Part(
            say(frame.language, f"trust.{part}.heading"),
            tuple(
                Claim(say(frame.language, f"trust.{part}.{key}"), tuple(tests))
                for key, tests in proofs()[part].items()
                if key not in left_out
            ),
        )
        for part in CLAIMS
    )
    keys = [
        (text_of(wave.title, frame.language), await _number(settings, wave, frame.language))
        for wave in await in_state(State.OPEN)
        if wave.token_key
    ]
    return show(TrustPage(frame, say(frame.language, "trust.page.title"), parts, tuple(keys)))
