"""What follows a release that was committed: its act in the log, and the end of what it leaves. Light: the jobs of the web process do it too."""

from surveys import signed
from surveys.lifecycle import steps
from surveys.lifecycle.context import Site
from surveys.lifecycle.destroying import destroy
from surveys.lifecycle.steps import Step
from surveys.public import releases, waves
from surveys.public.waves import State

RELEASE, IMPORT, WORDS = "release", "import", "words"


@steps.part(RELEASE)
async def end_release(site: Site, step: Step) -> None:
    """Tell it and destroy keys and urn, if the document is here and ours; else nothing happened, and the urn is as it was."""
    if await _is_released(step.wave) and await releases.ours(step.wave) is not None:
        await steps.say(site, step, "wave released", wave=step.wave)
        await destroy(site, step.wave)
    await steps.over(site, step)


@steps.part(IMPORT)
async def end_import(site: Site, step: Step) -> None:
    """Tell that a file became a wave, if it did."""
    await steps.over(site, step, "wave imported" if await _is_released(step.wave) else "", wave=step.wave)


@steps.part(WORDS)
async def end_words(site: Site, step: Step) -> None:
    """Tell that an imported wave has other words, if it has those that were about to be written."""
    there = await releases.kept(step.wave)
    written = there is not None and signed.digest(there) == step.details["document"]
    await steps.over(site, step, "imported words corrected" if written else "", wave=step.wave)


async def _is_released(wave: str) -> bool:
    return any(record.id == wave for record in await waves.in_state(State.RELEASED))
