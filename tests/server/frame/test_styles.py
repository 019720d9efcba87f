"""Style sheets: a block that is never closed takes everything below it for its own."""

import re
from pathlib import Path

import pytest

from server.frame import pages

SHEETS = sorted(pages.STATIC.glob("*.css"))


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.name)
def test_every_block_of_a_style_sheet_is_closed(sheet: Path) -> None:
    """Happened: print, the sheet of eight words and the handlers' case were styled on phones alone."""
    text = re.sub(r"/\*.*?\*/|\"[^\"]*\"", "", sheet.read_text("utf-8"), flags=re.S)
    assert len(SHEETS) == 2 and text.count("{") == text.count("}") > 50
