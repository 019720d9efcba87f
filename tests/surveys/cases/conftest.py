"""A channel that is open, for every test of cases that asks for `made`."""

import pytest

from surveys.lifecycle.context import Site
from tests.conftest import ORGANISATION
from tests.surveys.cases.people import Team, opened


@pytest.fixture
async def made(site: Site) -> Team:
    return await opened(site, ORGANISATION)
