"""What a reporter without a script posted: the fields of her form and a photo, read and held to bounds in memory alone."""

import io
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from multipart import MultipartError, MultipartParser, parse_options_header

from surveys.cases import letters
from surveys.cases.codes import Secret, holds_code, in_our_digits, to_digits, to_words
from surveys.cases.keeper import RECOVERY
from surveys.public.rings import Ring

TEXT_LIMIT = 30_000
PHOTO_LIMIT = 8 * 1024 * 1024
PHOTO_SIDE = 2560
PIXELS = 30_000_000
"""A larger picture is refused at twice this number, before it is drawn."""
PICTURES = ("JPEG", "PNG", "WEBP", "GIF")
"""What phones send. Of the others some take long to draw from very little, and one is a program that another program would run."""
DETAILS = ("what", "where", "when", "who", "danger")


class Again(Exception):
    """The form goes back with everything kept; the text is the key of a sentence."""


def read_form(body: bytes, kind: str) -> tuple[dict[str, list[str]], tuple[str, bytes] | None]:
    """Read a posted form in memory: fields by name, and a photo if there is one.

    Raises
    ------
    Again
        If it is no form of ours.
    """
    fields: dict[str, list[str]] = {}
    photo = None
    media, options = parse_options_header(kind)
    try:
        if media == "multipart/form-data":
            parser = MultipartParser(
                io.BytesIO(body),
                options.get("boundary", ""),
                spool_limit=len(body) + 1,
                memory_limit=len(body) + 1,
                disk_limit=0,
            )
            for part in parser:
                if part.filename is None:
                    fields.setdefault(part.name, []).append(part.value)
                elif part.filename and part.size:
                    photo = (part.filename, part.raw)
        else:
            for name, value in parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=200):
                fields.setdefault(name, []).append(value)
    except (MultipartError, ValueError, LookupError) as problem:  # LookupError: an encoding that nobody knows
        raise Again("staff.problem.unknown_item") from problem
    return fields, photo


def clean_photo(content: bytes) -> bytes:
    """Draw a picture anew: its pixels and nothing else.

    Raises
    ------
    Again
        If it is too large, or no picture.
    """
    from PIL import Image, ImageOps

    if len(content) > PHOTO_LIMIT:
        raise Again("concern.write.files_large")
    Image.MAX_IMAGE_PIXELS = PIXELS
    try:
        with Image.open(io.BytesIO(content), formats=PICTURES) as picture:
            drawn = ImageOps.exif_transpose(picture).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as problem:
        raise Again("concern.write.files_refused") from problem
    drawn.thumbnail((PHOTO_SIDE, PHOTO_SIDE))
    plain = Image.new("RGB", drawn.size)
    plain.paste(drawn)
    out = io.BytesIO()
    plain.save(out, "JPEG", quality=85)
    return out.getvalue()


@dataclass(frozen=True, slots=True)
class Posted:
    """A form that was read."""

    form: dict[str, list[str]]
    photo: tuple[str, bytes] | None

    def first(self, name: str) -> str:
        return (self.form.get(name) or [""])[0].replace("\r\n", "\n").strip()

    def confirm(self, secret: Secret) -> None:
        """Hold two parts of the code, typed from paper, against it.

        Raises
        ------
        Again
            If they are not two, or one is another.
        """
        words, digits = to_words(secret), to_digits(secret)
        asked = {
            int(name[4:]) for name in self.form if name.startswith("part") and len(name) == 5 and name[4].isdecimal()
        }
        for n in asked:
            typed = in_our_digits(self.first(f"part{n}")).lower()
            right = {parts[n - 1] for parts in (words, digits) if 1 <= n <= len(parts)}
            if typed not in right:
                raise Again("concern.code.wrong")
        if len(asked) != 2:
            raise Again("concern.code.wrong")

    def kept_out(self) -> set[str]:
        """Whom the reporter answered "no" for."""
        return {
            name.removeprefix("reads.")
            for name, given in self.form.items()
            if name.startswith("reads.") and given[0] == "no"
        }

    def asked_for(self, ring: Ring) -> bool:
        """Whether she was asked about everybody who would get a key, and nobody else: her page may show another list."""
        wanted = {reader.id for reader in ring.readers} | ({RECOVERY} if ring.recovery else set())
        return {name.removeprefix("reads.") for name in self.form if name.startswith("reads.")} == wanted

    def content(self, secret: Secret | None) -> dict[str, Any]:
        """What the letter says.

        Raises
        ------
        Again
            If it is empty, too long, or holds her own code.
        """
        text = self.first("text")
        if not text and self.photo is None:
            raise Again("concern.write.empty")
        if len(text) > TEXT_LIMIT:
            raise Again("concern.write.long")
        content: dict[str, Any] = {"text": text}
        content |= {name: self.first(name) for name in DETAILS if self.first(name)}
        if holds_code("\n".join(content.values()), secret):
            raise Again("concern.write.code_inside")
        if self.form.get("wish"):
            content["wish"] = self.form["wish"]
        if not letters.fits(content):
            raise Again("concern.write.long")
        return content

    def written(self) -> dict[str, Any]:
        """What she wrote into a letter that was not taken."""
        return {"text": self.first("text"), "kept": {"kind": [self.first("kind")]}, "photo": self.photo is not None}
