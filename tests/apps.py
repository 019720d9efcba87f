"""The application for a test: joining three hundred addresses takes a third of a second, so that a worker does it once or twice.

An application that has served is as one that has not: stores, counts and settings are of one time of serving (`app.begin`).
"""

from collections.abc import Iterator
from contextlib import contextmanager

from litestar import Litestar

from server import app as product
from server.settings import Settings

_joined: list[Litestar] = []
_taken: set[int] = set()
"""Which of them this test has, by their place."""


def create_app(settings: Settings, *, with_jobs: bool = False) -> Litestar:
    """What the product's function of this name gives, without jobs where nothing else is said."""
    for place, app in enumerate(_joined):
        if place not in _taken and "engines" not in app.state and app.state.https == settings.https:
            break
    else:
        place, app = len(_joined), product.joined(https=settings.https)
        _joined.append(app)
    _taken.add(place)
    return product.begin(app, settings, with_jobs=with_jobs)


@contextmanager
def of_one_test() -> Iterator[None]:
    """Give back at the end what was taken; what serves the whole module goes on and stays with it."""
    before = set(_taken)
    yield
    _taken.intersection_update(before)
