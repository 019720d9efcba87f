"""Release a wave and draw its charts, for the worker and the command line alike; says what failed by key."""

from collections.abc import Callable

from analysis.rules import DisclosureError, TooFew
from surveys.answers.keys import SecretRefused
from surveys.answers.opening import SheetsForged, SheetsMissing
from surveys.answers.plans import PlanOther
from surveys.lifecycle.context import Site
from surveys.lifecycle.destroying import AlreadyReleasing
from surveys.lifecycle.drawing import DrawnBefore
from surveys.lifecycle.releasing import MoreSheetsThanCodes, ReleaseLost, release_wave
from surveys.lifecycle.steps import StepUnderWay
from surveys.lifecycle.witness import ClosingOther
from surveys.public import releases
from surveys.public.signing import installation_key
from surveys.public.waves import NoSuchWave, WrongState


async def release_and_draw(
    site: Site, wave: str, secrets: tuple[str, str], progress: Callable[[str], None], without: int = 0
) -> str:
    """Release a wave, then draw. Returns what failed (for `server.processes.following.failure_in_words`), or "" when all is done."""
    try:
        await release_wave(site, wave, secrets, progress, without)
    except SecretRefused:
        return "secret"
    except WrongState:
        return "state"
    except NoSuchWave:
        return "wave"
    except (AlreadyReleasing, StepUnderWay):
        return "twice"
    except DisclosureError:
        return "audit"
    except TooFew:
        return "few"
    except MoreSheetsThanCodes:
        return "sheets"
    except PlanOther:
        return "plan_other"
    except ClosingOther as problem:
        return f"closing_{problem}"
    except SheetsForged:
        return "sheets_forged"
    except ReleaseLost:
        return "lost"
    except DrawnBefore:
        return "drawn_before"
    except SheetsMissing as problem:
        return f"{'sheets_missing' if problem.acceptable else 'sheets_gone'}:{problem.missing}:{problem.spent}"
    except FileNotFoundError:
        return "wraps"
    await draw(site, wave, progress)
    return ""


async def draw(site: Site, wave: str, progress: Callable[[str], None]) -> None:
    """Draw and sign the charts of a released wave from its document.

    Raises
    ------
    ReleaseInvalid
        If the document is not ours, or of other questions than the row has now: their names would be signed beside its figures.
    """
    from server.results.charts import draw_all
    from server.results.reading import labels_of
    from server.results.shown import released

    progress("charts")
    record, document = await released(wave)
    drawn = draw_all(document, labels_of(record))
    await releases.keep_charts(site.engines["public"], wave, drawn, installation_key(site.data))
