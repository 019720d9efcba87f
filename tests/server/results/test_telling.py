"""What cannot be known of those who did not answer is said as two bounds."""

import msgspec
import pytest

from analysis import published
from analysis.steps import Figure
from server.results.telling import worst_case
from tests.server.hr.readings import CLOSED, document_of


@pytest.mark.parametrize(
    ("received", "invited", "favourable", "bounds"),
    [
        (200, 400, 30, (15, 65)),  # r = 1/2: half of 30, and half of 30 with everyone else in favour
        (300, 400, 60.0, (45, 70)),
        (400, 400, 60, (60, 60)),
        (200, 300, 50, (33, 67)),  # 33.3 and 66.7, outward
        (200, 400, "<=10", (0, 55)),
        (200, 400, ">=90", (45, 100)),
        (200, 400, None, None),
        (200, 0, 30, None),
        (401, 400, 30, None),
    ],
)
def test_the_bounds_are_those_of_manski(
    received: int, invited: int, favourable: Figure | None, bounds: tuple[int, int] | None
) -> None:
    """Manski (2003), ch. 1: the share of everybody lies in [r p, r p + 1 - r]."""
    document = published.read(document_of("x", "full", CLOSED, 0.0, 0.0))
    counts = {"received": received, "invited": invited}
    assert worst_case(msgspec.structs.replace(document, participation=counts), favourable) == bounds
