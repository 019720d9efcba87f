"""The meter beside the questions about oneself: nobody is told of more people than her smallest planned group has."""

from typing import Any

from playwright.async_api import Browser, Page

from analysis.views import Plan, View
from surveys.people import panel, roster
from surveys.people.panel import Member, category_of
from surveys.people.roster import UnitEntry, below
from surveys.public.waves import get
from surveys.stores import StoreSettings, stores
from tests.journeys.conftest import Served

WAVE = "autunno-2026"
ORDER = ("unit", "gender", "age")
SAY = """async (people) => {
  const form = document.getElementById("sheet");
  const { meter } = await import(form.dataset.hints);
  const known = await (await fetch("/answer/words?wave=autunno-2026&lang=en")).json();
  const page = { form, language: "en" };
  const choose = (name, value) => {
    for (const field of form.querySelectorAll(`[name=${name}]`)) {
      if (field.type === "radio") field.checked = field.value === value; else field.value = value;
    }
    meter(page, known, form.querySelector(`[name=${name}]`));
    return [...form.querySelectorAll("[id^=meter-]")].map((line) => line.textContent);
  };
  return people.map((steps) => {
    for (const name of ["unit", "gender", "age"]) for (const field of form.querySelectorAll(`[name=${name}]`)) if (field.type === "radio") field.checked = false; else field.value = "";
    return steps.map(([name, value]) => choose(name, value));
  });
}"""


async def _said(page: Page, people: list[list[tuple[str, str]]]) -> list[list[list[str]]]:
    found: list[list[list[str]]] = await page.evaluate(SAY, people)
    return found


def _at_least(lines: list[str]) -> int:
    """The number in the one line; none is said where it is fewer than ten."""
    assert len(lines) == 1, lines
    if lines[0].startswith("Like you: fewer than 10 people"):
        return 0
    return int("".join(letter for letter in lines[0] if letter.isdigit()))


def _is_in(member: Member, view: View, units: list[UnitEntry]) -> bool:
    for name, codes in view.filter:
        inside = set().union(*(below(units, code) for code in codes)) if name == "unit" else set(codes)
        if category_of(member, name) not in inside:
            return False
    return True


def _steps(member: Member, offered: set[str], units: list[UnitEntry]) -> list[tuple[str, str]]:
    """What she answers about herself: of her units the smallest that the form offers."""
    above = {unit.code: unit.parent for unit in units}
    unit = member.unit
    while unit not in offered:
        unit = above[unit]
    given = {"unit": unit, "gender": category_of(member, "gender"), "age": category_of(member, "age")}
    return [(name, given[name]) for name in ORDER if given[name]]


async def _page(browser: Browser, served: Served) -> Page:
    page = await (await browser.new_context()).new_page()
    await page.goto(f"{served.address}/answer?lang=en")
    return page


async def test_nobody_of_the_demonstration_is_told_more_than_her_smallest_planned_group(
    browser: Browser, served: Served
) -> None:
    async with stores(StoreSettings(served.data)):
        plan = Plan.from_json(dict((await get(WAVE)).plan))
        everybody, units = await panel.members(""), await roster.units()
    views = plan.views
    offered = {category.code for category in plan.dimensions[0].categories}
    sizes = {view.id: sum(_is_in(member, view, units) for member in everybody) for view in views}
    assert (len(everybody), sizes["all"]) == (430, 430)
    steps = [_steps(member, offered, units) for member in everybody]
    said = await _said(await _page(browser, served), steps)
    told: dict[str, int] = {"few": 0, "some": 0}
    for member, chosen, lines in zip(everybody, steps, said, strict=True):
        for place in range(len(chosen)):
            names = {name for name, _ in chosen[: place + 1]}
            mine = [
                sizes[view.id]
                for view in views
                if {name for name, _ in view.filter} <= names and _is_in(member, view, units)
            ]
            assert _at_least(lines[place]) == min(mine) // 10 * 10, (chosen[: place + 1], lines[place])
        told["some" if _at_least(lines[-1]) else "few"] += 1
    assert told["few"] > 50 and told["some"] > 50  # both happen in this roster


async def test_a_code_outside_every_planned_group_counts_as_few(browser: Browser, served: Served) -> None:
    said = await _said(
        await _page(browser, served), [[("gender", "f"), ("gender", "self")], [("unit", "fi"), ("gender", "self")]]
    )
    assert [_at_least(lines[-1]) for lines in said] == [0, 0]
    assert _at_least(said[0][0]) >= 10


async def test_a_line_of_an_earlier_answer_goes_away(browser: Browser, served: Served) -> None:
    page = await _page(browser, served)
    steps = [("unit", "fi"), ("gender", "f"), ("gender", "prefer_not"), ("unit", "")]
    said: list[Any] = (await _said(page, [steps]))[0]
    assert [len(lines) for lines in said] == [1, 1, 1, 0]
    assert _at_least(said[1]) < _at_least(said[0]) == _at_least(said[2])
