"""A template and its facts to a tagged PDF (PDF/UA-1). Runs in a process of its own: the web process never loads the typesetter."""

import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import segno
import typst

_HERE = Path(__file__).parent
STANDARD = "ua-1"


SCALES = (1.0, 0.94, 0.88, 0.82, 0.76, 0.7, 0.62, 0.54)
"""Where each page must hold what it is given: many words make the letters smaller, never a second page."""
_PAGE = re.compile(rb"/Type\s*/Page\b(?!s)")


def printed(template: str, facts: Mapping[str, Any], qr: str = "", pages: int = 0) -> bytes:
    """Set a paper in memory.

    Parameters
    ----------
    template : ``board`` or ``told``, a ``.typ`` file beside this module
    facts : what it prints; words travel as JSON and are never markup
    qr : an address for ``door.svg``, where the template draws one
    pages : so many are wanted, by smaller letters where it must be; 0 where any number is right

    Returns
    -------
    A PDF that says it conforms to PDF/UA-1. Words for which this machine has no letters cannot conform: then the same pages,
    tagged alike, that do not say so.

    Raises
    ------
    RuntimeError
        If the typesetter gave no document, or it does not fit its pages.
    """
    files = {"main.typ": (_HERE / f"{template}.typ").read_bytes(), "data.json": json.dumps(dict(facts)).encode()}
    if qr:
        picture = io.BytesIO()
        segno.make(qr, error="m").save(picture, kind="svg", border=2, scale=4)
        files["door.svg"] = picture.getvalue()
    for scale in SCALES if pages else SCALES[:1]:
        made = _compiled(files, {"k": str(scale)})
        if not pages or len(_PAGE.findall(made)) == pages:
            return made
    raise RuntimeError("the paper does not fit its pages")


def _compiled(files: Mapping[str, bytes], inputs: Mapping[str, str]) -> bytes:
    compile_files: Any = typst.compile  # its stubs do not know several files
    try:
        made = compile_files(dict(files), format="pdf", pdf_standards=[STANDARD], sys_inputs=dict(inputs))
    except typst.TypstError:
        made = compile_files(dict(files), format="pdf", sys_inputs=dict(inputs))
    if not isinstance(made, bytes):
        raise RuntimeError("the typesetter gave no document")
    return made
