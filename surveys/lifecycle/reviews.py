"""Reviews of evidence at an update, and files that are no longer what was reviewed."""

from pathlib import Path

from surveys.lifecycle.context import Site, keep_once
from surveys.public import evidence


def update_path(data: Path) -> Path:
    """Where stands that reviews of before were taken down; written once in the life of an installation."""
    return data / "keys" / "reviews.json"


async def keep_at_update(site: Site) -> None:
    """Take down, once, the reviews that the version before let stand: from then on only what was taken down counts."""
    if not update_path(site.data).exists():
        await evidence.sign_at_update(site.engines["public"])
        keep_once(update_path(site.data), b"[]")


async def look_at_files(site: Site) -> tuple[str, ...]:
    """Take back reviews whose files were changed; gives the indicators."""
    return await evidence.void_changed_files(site.engines["public"], site.day, site.actor)
