"""The preview of a plan for HR: which groups will likely be shown, and what each kind of cut costs."""

from dataclasses import dataclass
from typing import ClassVar

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from analysis.views import Plan, View
from server.frame.asked import AppRequest
from server.frame.display import text_of
from server.frame.pages import Shell, show
from server.frame.signed_in import Desk, frame
from server.frame.texts import say
from server.processes import workers
from server.results.reading import view_name
from server.settings import Settings
from surveys.odd import StoreOdd
from surveys.public.waves import get as get_wave

KINDS = ("unit", "gender", "age", "unit+gender", "unit+age", "gender+age")


@dataclass(frozen=True, slots=True)
class KindLine:
    """One kind of cut: how many groups it has, and how many are shown on average at each rate."""

    name: str
    groups: int
    shown: tuple[str, ...]
    poor: bool


@dataclass(frozen=True, slots=True)
class PreviewPage:
    """A plan tried on the staff list."""

    template: ClassVar[str] = "preview.html"
    shell: Shell
    desk: Desk
    title: str
    wave: str
    rates: tuple[tuple[str, str], ...]
    kinds: tuple[KindLine, ...]
    residual: str
    views: tuple[tuple[str, tuple[str, ...]], ...]


def _crossed(view: View) -> str:
    """Which demographics a planned view names, as the page's lines have them."""
    named = dict(view.filter)
    return "+".join(name for name in ("unit", "gender", "age") if name in named)


@get("/waves/{wave:str}/preview")
async def preview_page(request: AppRequest, wave: FromPath[str], settings: NamedDependency[Settings]) -> Response[str]:
    """Try the plan at 50, 60 and 70 % and say what it would show."""
    shell, desk = await frame(request)
    language, record = shell.language, await get_wave(wave)
    try:
        found = await workers.run(settings, "preview", {"wave": wave})
    except workers.WorkFailed as problem:
        if str(problem) == "odd":
            raise StoreOdd("wave") from problem
        raise
    rates, draws, plan = found["rates"], found["draws"], Plan.from_json(dict(record.plan))
    kinds = []
    for kind in KINDS:
        views = [view.id for view in plan.views if _crossed(view) == kind and not view.id.startswith("gender:others")]
        if views:
            means = [sum(rate["shown"][view] for view in views) / draws for rate in rates]
            name = say(language, f"hr.preview.kind.{kind.replace('+', '_')}")
            kinds.append(KindLine(name, len(views), tuple(f"{mean:.0f}" for mean in means), means[1] < len(views) / 4))
    page = PreviewPage(
        shell,
        desk,
        say(language, "hr.preview.heading", title=text_of(record.title, language)),
        wave,
        tuple((f"{100 * rate['rate']:.0f} %", str(rate["respondents"])) for rate in rates),
        tuple(kinds),
        say(language, "hr.preview.residual", n=max(rate["residual"] for rate in rates), draws=draws)
        if any(r["residual"] for r in rates)
        else "",
        tuple(
            (
                view_name(dict(view.filter), plan.dimensions, language),
                tuple(f"{rate['shown'][view.id]}/{draws}" for rate in rates),
            )
            for view in plan.views
        ),
    )
    return show(page)


HANDLERS = (preview_page,)
