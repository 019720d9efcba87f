"""The languages that staff read: each is named here and nowhere else in code (its sentences stand in `server/locale`)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """A language by its BCP 47 tag.

    name : as its speakers write it
    called : how staff lists name it, in plain letters
    reviewed : whether a native reader has gone through its sentences; pages of the others say that they are drafts
    """

    code: str
    name: str
    called: tuple[str, ...]
    reviewed: bool = False
    right_to_left: bool = False


KNOWN = (
    Language("it", "Italiano", ("it", "ita", "italiano", "italian"), reviewed=True),
    Language("en", "English", ("en", "eng", "inglese", "english"), reviewed=True),
    Language("ro", "Română", ("ro", "ron", "rum", "rumeno", "romeno", "romanian", "romana")),
    Language("sq", "Shqip", ("sq", "sqi", "alb", "albanese", "albanian", "shqip")),
    Language("fr", "Français", ("fr", "fra", "fre", "francese", "french", "francais")),
    Language("es", "Español", ("es", "spa", "spagnolo", "spanish", "espanol")),
    Language("ar", "العربية", ("ar", "ara", "arabo", "arabic"), right_to_left=True),
    Language("zh-Hans", "简体中文", ("zh", "zh hans", "zh cn", "cinese", "chinese", "mandarino")),
    Language("uk", "Українська", ("uk", "ukr", "ucraino", "ukrainian")),
)
LANGUAGES = tuple(language.code for language in KNOWN)
REVIEWED = tuple(language.code for language in KNOWN if language.reviewed)
