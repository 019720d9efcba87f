"""What the audit pack is held against outside of itself: the house file, whose twelve words are on posters, and the rings of signers."""

import base64
import json

from server.frame.display import day
from server.papers.pack_part import About, Chapter, Gap, Part, row, table
from surveys.public import house as house_file
from surveys.public import ring_store
from surveys.public.house import HouseFile, HouseRefused
from surveys.public.releases import own_key
from surveys.public.statements import RingRefused

PART, HOUSE, RINGS = "signers", "house.json", "rings.json"


def is_of(house: HouseFile, key: str) -> bool:
    """Whether a house names this key (base64 of 32 bytes) as the installation's."""
    return base64.b64decode(key).hex() == house.install


async def signers_part(about: About) -> Part:
    """The house with its words, and every ring with the signatures of two seats of the one before."""
    try:
        house = house_file.load(about.data)
        chain = await ring_store.load(house)
    except (HouseRefused, RingRefused):
        return Part(broken=(Gap(PART, "changed"),))
    if house is None:
        return Part(absent=(Gap(PART, "none"),))
    if not is_of(house, own_key()):
        return Part(broken=(Gap(PART, "other_key"),))
    listed = [{"text": one.text, "signatures": list(one.signatures)} for one in (chain.rings if chain else ())]
    content = json.dumps({"schema": "ascolto-rings/1", "rings": listed}, ensure_ascii=False, sort_keys=True, indent=1)
    rows = [
        row(str(one.number), day(one.day, about.language), day(one.until, about.language), one.hash)
        for one in (chain.rings if chain else ())
    ]
    chapter = Chapter(
        about.say("chapter.signers"),
        about.say("lead.signers"),
        f"{HOUSE}, {RINGS}",
        table(about, "rings", ("number", "day", "until", "sha256"), (1, 3, 3, 8), rows),
        (about.say("words", words=" ".join(house.words)),),
    )
    return Part(files=((HOUSE, house.text.encode()), (RINGS, content.encode())), chapters=(chapter,))
