"""What people may be grouped by: dimensions and their categories, as a plan and a release document have them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Category:
    """One category of a dimension; `parent` makes the dimension a tree. The name is a text, or texts by language."""

    code: str
    name: str | Mapping[str, str]
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class Dimension:
    """A demographic that planned views use."""

    id: str
    categories: tuple[Category, ...]

    def inside(self, codes: Sequence[str]) -> set[str]:
        """These categories and all below them."""
        found = set(codes)
        for category in self.categories:  # parents come before children
            if category.parent in found:
                found.add(category.code)
        return found
