"""A form that is refused stands there as it was typed, opened, and no other form of its page carries a word of it."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

import pytest

from surveys.lifecycle import closing
from surveys.lifecycle.context import Site
from surveys.public import actions
from surveys.stores import StoreSettings, stores
from tests.conftest import DAY, WAVE, open_a_wave
from tests.server.hr.offices import Offices, offices
from tests.server.hr.test_register import HELD, wrote

WAVE_PAGE = f"/hr/waves/{WAVE}"
HOSTILE = '"><script>x</script>'


@dataclass
class _Form:
    action: str
    folded: bool
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    """Every form of a page: where it goes, whether it is folded away, and what stands in its fields."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[_Form] = []
        self._folded: list[bool] = []
        self._text = self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        match tag:
            case "details":
                self._folded.append("open" not in given)
            case "form":
                self.found.append(_Form(given.get("action", "").split("?")[0], any(self._folded)))
            case "input" if name and (given.get("type") != "checkbox" or "checked" in given):
                self.found[-1].fields[name] = given.get("value", "")
            case "textarea":
                self._text, self.found[-1].fields[name] = name, ""
            case "select":
                self._select = name
            case "option" if "selected" in given and self._select:
                self.found[-1].fields[self._select] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "details":
            self._folded.pop()
        self._text = "" if tag == "textarea" else self._text

    def handle_data(self, data: str) -> None:
        if self._text:
            self.found[-1].fields[self._text] += data


def _forms(page: str) -> list[_Form]:
    parser = _Forms()
    parser.feed(page)
    return parser.found


async def _stands_as_typed(here: Offices, path: str, typed: dict[str, str]) -> None:
    """After a refusal the form of this address holds what was typed, in sight; the others hold what they held before."""
    answered = await here.post(f"{path}?lang=en", **typed)
    assert answered.status_code == 422
    [mine] = [one for one in _forms(answered.text) if one.action == path and typed.keys() <= one.fields.keys()]
    assert {name: mine.fields[name] for name in typed} == typed and not mine.folded
    others = [one for one in _forms(answered.text) if one.action != path]
    long = {text for text in typed.values() if len(text) > 1}
    assert others and not any(long & {*one.fields.values()} for one in others)
    assert "<script>x</script>" not in answered.text


@pytest.mark.opened
@pytest.mark.parametrize(
    ("what", "typed"),
    [
        ("extend", {"ends": "2027-11-02"}),
        ("two-keys/second", {"name": f"Nessuna {HOSTILE}"}),
        ("two-keys/spare", {"slips": "9999"}),
        ("two-keys/raise", {"k": "77", "family": "comments"}),
        ("slips/1/void", {"spoiled": "9999"}),
        ("promise", {"due": "1999-01-01", "by": f"Livia {HOSTILE}"}),
    ],
)
async def test_what_hr_asks_of_an_open_survey(sqlite_settings: StoreSettings, what: str, typed: dict[str, str]) -> None:
    async with offices(sqlite_settings) as here:
        await _stands_as_typed(here, f"{WAVE_PAGE}/{what}", typed)


async def test_how_many_slips_to_print(sqlite_settings: StoreSettings) -> None:
    async with stores(sqlite_settings) as engines:
        await open_a_wave(Site(engines, sqlite_settings.data, DAY, "hr"), slips=50)
    async with offices(sqlite_settings) as here:
        await _stands_as_typed(here, f"{WAVE_PAGE}/slips", {"count": "9999"})


@pytest.mark.opened
@pytest.mark.parametrize(("what", "typed"), [("close", {"unused": "9999"}), ("extend", {"ends": "2027-11-02"})])
async def test_what_hr_asks_of_a_survey_that_ended(
    sqlite_settings: StoreSettings, what: str, typed: dict[str, str]
) -> None:
    async with stores(sqlite_settings) as engines:
        await closing.end(Site(engines, sqlite_settings.data, DAY, "hr"), WAVE)
    async with offices(sqlite_settings) as here:
        await _stands_as_typed(here, f"{WAVE_PAGE}/{what}", typed)


async def test_the_rules_of_the_channel(sqlite_settings: StoreSettings) -> None:
    typed = {"hearing_day": "mai", "hearing_document": f"Verbale {HOSTILE}", "years": "99", "other_files": "1"}
    async with offices(sqlite_settings) as here:
        await _stands_as_typed(here, "/hr/channel", typed)


async def test_a_new_action_and_where_it_came_from(sqlite_settings: StoreSettings) -> None:
    typed = {"text": f"Turni {HOSTILE}", "owner": "", "due": "2027-01-15", "indicator": "3.6"}
    async with offices(sqlite_settings) as here:
        answered = await here.post("/hr/actions", back="/hr/indicators/3.6", **typed)
        [form] = [one for one in _forms(answered.text) if one.action == "/hr/actions"]
        assert answered.status_code == 422 and not form.folded
        assert form.fields.items() >= (typed | {"back": "/hr/indicators/3.6"}).items()
        sent = await here.post("/hr/actions", **form.fields | {"owner": "Anna"})
        assert sent.headers["location"] == "/hr/indicators/3.6?done=action_added"
        [kept] = await actions.everything()
        assert (kept.indicator, kept.text, kept.owner) == ("3.6", typed["text"], "Anna")


async def test_an_action_said_anew_that_somebody_else_changed_meanwhile(sqlite_settings: StoreSettings) -> None:
    typed = {"text": f"Di Anna {HOSTILE}", "owner": "Anna", "due": "2027-01-15"}
    async with offices(sqlite_settings) as here:
        for name in ("prima", "altra"):
            await here.post("/hr/actions", text=name, owner="Berta", due="2027-01-15")
        first = next(one for one in await actions.everything() if one.text == "prima")
        answered = await here.post(f"/hr/actions/{first.id}", seen="an older mark", **typed)
        mine, other = (one for one in _forms(answered.text) if "text" in one.fields and one.action != "/hr/actions")
        if mine.action != f"/hr/actions/{first.id}":
            mine, other = other, mine
        assert {name: mine.fields[name] for name in typed} == typed and not mine.folded
        assert other.fields["text"] == "altra" and other.folded
        assert (await here.post(mine.action, **mine.fields)).status_code == 303  # she saw what stood there
        assert typed["text"] in {one.text for one in await actions.everything()}


async def test_a_document_of_the_register(sqlite_settings: StoreSettings) -> None:
    async with offices(sqlite_settings) as here:
        [line] = await wrote(here, HELD)
        typed = {"title": f"Verbale {HOSTILE}", "day": "", "link": "https://esempio.invalid/verbale"}
        await _stands_as_typed(here, f"/hr/register/{line.number}/documents", typed)
