"""The preview of a plan: tried on the staff list, the same each time, and telling of the residual rule."""

from dataclasses import replace
from datetime import timedelta

from surveys.lifecycle.context import Site
from surveys.lifecycle.planning import Wish, plan
from surveys.lifecycle.preview import DRAWS, RATES, preview
from surveys.people import roster
from surveys.public import organisation
from tests import urn
from tests.conftest import DAY, ORGANISATION, WAVE, small_cooperative


async def test_a_plan_is_tried_at_three_rates_and_more_answers_show_more_groups(sqlite_site: Site) -> None:
    site = sqlite_site
    await organisation.save(site.engines["public"], ORGANISATION)
    # 72 people: a unit of about 14 passes ten sheets at 70 % and rarely at 50 %, however the list was shuffled.
    units, persons = small_cooperative(72)
    persons = [replace(p, gender="nb" if i < 4 else p.gender) for i, p in enumerate(persons)]
    await roster.replace(site.engines["people"], units, persons, DAY - timedelta(days=30))
    await urn.anchor(site)
    record = await plan(site, Wish(WAVE, {"it": "A"}, DAY, DAY + timedelta(days=9)))
    found = await preview(record)
    assert [expected.rate for expected in found] == list(RATES)
    assert [expected.respondents for expected in found] == [36, 43, 50]
    assert all(expected.shown["all"] == DRAWS for expected in found)
    assert sum(found[0].shown.values()) < sum(found[2].shown.values())
    assert max(expected.residual for expected in found) > 0  # four people are neither in women nor in men
    assert await preview(record) == found
