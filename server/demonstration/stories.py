"""What the invented cooperative's waves tell: safety rises, Prato recovers, Livorno falls, women see growth lower than men."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Story:
    """How people answer in one wave: shifts of the mean by theme and by territory, and the share who answer.

    `ago` and `length` are days before the demonstration is made, and of the wave; `promise` so many days after its end.
    """

    id: str
    title: Mapping[str, str]
    ago: int
    length: int
    response: float
    themes: Mapping[str, float]
    territories: Mapping[str, float]
    promise: int


THEMES = {"CUL": 3.7, "VOI": 3.3, "LEA": 3.2, "HRP": 3.3, "GRO": 3.1, "PAY": 2.8, "SAF": 3.5, "CAR": 3.6, "": 3.6}
STORIES = (
    Story(
        "autunno-2024",
        {"it": "Come stai al lavoro? 2024", "en": "How is work? 2024"},
        737,
        19,
        0.58,
        THEMES | {"SAF": 2.8, "LEA": 3.0},
        {"po": -0.75},
        60,
    ),
    Story(
        "autunno-2025",
        {"it": "Come stai al lavoro? 2025", "en": "How is work? 2025"},
        372,
        19,
        0.62,
        THEMES | {"SAF": 3.0},
        {"po": -0.75, "fi": 0.1},
        60,
    ),
    Story(
        "primavera-2026",
        {"it": "Come stai al lavoro? 2026", "en": "How is work? 2026"},
        196,
        19,
        0.76,
        THEMES,
        {"po": -0.15, "li": -0.9, "fi": 0.15},
        90,
    ),
    Story("autunno-2026", {"it": "Come stai al lavoro?", "en": "How is work?"}, 2, 19, 0.25, THEMES, {"li": -0.4}, 45),
)
