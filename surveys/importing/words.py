"""What people write into cells, in Italian and English, and what it means: columns, languages, genders, ages, units."""

import hashlib
import re
import unicodedata
from datetime import date

from surveys.languages import KNOWN

COLUMNS = {
    "number": (
        "matricola",
        "numero di matricola",
        "numero matricola",
        "n matricola",
        "matr",
        "codice dipendente",
        "numero dipendente",
        "id dipendente",
        "codice persona",
        "staff number",
        "staff no",
        "staff id",
        "personnel number",
        "payroll number",
        "employee number",
        "employee no",
        "employee id",
        "employee code",
    ),
    "name": ("nome", "name", "nominativo", "nome e cognome", "cognome e nome", "full name", "first name", "dipendente"),
    "surname": ("cognome", "surname", "last name", "family name"),
    "email": (
        "contatto",
        "contact",
        "e mail",
        "email",
        "mail",
        "posta elettronica",
        "indirizzo e mail",
        "indirizzo email",
        "email address",
        "e mail aziendale",
        "email aziendale",
        "email personale",
    ),
    "phone": ("telefono", "phone", "cellulare", "mobile", "numero di telefono", "phone number", "tel", "cell"),
    "language": ("lingua", "language", "lingua madre", "lingua preferita", "preferred language"),
    "territory": ("territorio", "territory", "area", "zona", "area territoriale", "provincia"),
    "service": ("servizio", "service", "struttura"),
    "team": ("squadra", "team", "gruppo", "gruppo di lavoro"),
    "gender": ("genere", "gender", "sesso", "sex"),
    "age": ("fascia d eta", "fascia eta", "fascia di eta", "age band", "age group", "eta", "age"),
    "consent": ("consenso", "consenso al contatto", "consent", "consent to contact"),
    "birth": (
        "data di nascita",
        "anno di nascita",
        "nascita",
        "date of birth",
        "birth date",
        "birthdate",
        "year of birth",
        "birth year",
        "nato il",
        "nata il",
        "nato a il",
    ),
}

PERSONAL_COLUMNS = frozenset(
    {
        "timestamp",
        "informazioni cronologiche",
        "date submitted",
        "data invio",
        "data di invio",
        "submitdate",
        "startdate",
        "datestamp",
        "lastpage",
        "start time",
        "ora di inizio",
        "completion time",
        "ora di completamento",
        "last modified time",
        "end time",
        "ora ultima modifica",
        "id",
        "id risposta",
        "response id",
        "respondent id",
        "token",
        "seed",
        "startlanguage",
        "refurl",
        "ip",
        "ip address",
        "ipaddr",
        "indirizzo ip",
        "user agent",
        "email",
        "e mail",
        "mail",
        "email address",
        "e mail address",
        "indirizzo email",
        "indirizzo e mail",
        "posta elettronica",
        "username",
        "nome utente",
        "name",
        "nome",
        "first name",
        "last name",
        "firstname",
        "lastname",
        "full name",
        "cognome",
        "surname",
        "nome e cognome",
        "phone",
        "telefono",
        "cellulare",
        "codice fiscale",
        "matricola",
        "data di nascita",
        "date of birth",
    }
)
"""Columns of exported responses, in plain letters, that name, address or time a person: no mapping can keep them."""

DONT_KNOW = frozenset({"non so", "non lo so", "don t know", "dont know", "i don t know", "not sure", "unsure", "maybe"})
PREFER_NOT = frozenset({"preferisco non rispondere", "prefer not to say", "prefer not to answer", "non rispondo"})
SCALES = (
    ("no", "yes"),
    ("no", "si"),
    ("per niente", "poco", "abbastanza", "molto", "moltissimo"),
    ("per niente", "poco", "abbastanza", "molto"),
    ("mai", "raramente", "qualche volta", "spesso", "sempre"),
    ("never", "rarely", "sometimes", "often", "always"),
    ("never", "rarely", "sometimes", "often"),
    ("per niente d accordo", "poco d accordo", "ne si ne no", "abbastanza d accordo", "del tutto d accordo"),
    ("in totale disaccordo", "in disaccordo", "ne d accordo ne in disaccordo", "d accordo", "totalmente d accordo"),
    ("strongly disagree", "disagree", "neither agree nor disagree", "agree", "strongly agree"),
    ("strongly disagree", "disagree", "neutral", "agree", "strongly agree"),
    ("very difficult", "somewhat difficult", "somewhat easy", "very easy"),
    ("very dissatisfied", "dissatisfied", "neither satisfied nor dissatisfied", "satisfied", "very satisfied"),
)
"""Scales of answers in plain letters, the least favourable first."""
_LANGUAGES = {language.code: language.called for language in KNOWN}
_GENDERS = {
    "f": ("f", "femmina", "donna", "female", "woman", "femminile"),
    "m": ("m", "maschio", "uomo", "male", "man", "maschile"),
    "nb": ("nb", "n b", "x", "non binario", "non binaria", "persona non binaria", "non binary", "nonbinary", "enby"),
    "self": ("self", "altro", "altra", "other", "in un altro modo", "another way"),
    "": (
        "non dichiarato",
        "non indicato",
        "preferisco non rispondere",
        "prefer not to say",
        "prefer not",
        "nd",
        "n d",
        "na",
    ),
}
AGE_BANDS = (("u30", 0, 29), ("30_39", 30, 39), ("40_49", 40, 49), ("50_59", 50, 59), ("60p", 60, 120))
_AGES = {
    "u30": ("u30", "meno di 30", "under 30", "fino a 29", "18 29", "16 29", "20 29", "sotto i 30"),
    "30_39": ("30 39",),
    "40_49": ("40 49",),
    "50_59": ("50 59",),
    "60p": ("60p", "60 o piu", "60 or over", "60 and over", "over 60", "60 e oltre", "oltre 60", "60"),
}
_BELOW_30 = re.compile(r"<\s*30")
_FROM_60 = re.compile(r"(60\s*\+|>\s*=?\s*60|≥\s*60)")
_DATES = (
    re.compile(r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})(?:[T ].*)?"),
    re.compile(r"(?P<d>\d{1,2})[/.\-](?P<m>\d{1,2})[/.\-](?P<y>\d{4})"),
)
_YOUNGEST, _OLDEST = 14, 99
_RESERVED = frozenset({"several", "prefer_not", "dont_know"})
_LONGEST_SLUG = 36


def plain(text: str) -> str:
    """Letters and digits, lower case, no accents, one space between words: ``Fascia d'età`` is ``fascia d eta``."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return " ".join(re.sub(r"[^\w]+|_", " ", "".join(c for c in letters if not unicodedata.combining(c))).split())


def _turned(table: dict[str, tuple[str, ...]]) -> dict[str, str]:
    return {word: code for code, words in table.items() for word in words}


_COLUMN_OF, _LANGUAGE_OF, _GENDER_OF, _AGE_OF = map(_turned, (COLUMNS, _LANGUAGES, _GENDERS, _AGES))


def column_of(header: str) -> str:
    """What a column holds, "" if it is none of ours."""
    return _COLUMN_OF.get(plain(header), "")


def language_of(text: str) -> str | None:
    """The language code, "" for an empty cell, None if nobody can tell."""
    return _LANGUAGE_OF.get(plain(text)) if text else ""


def gender_of(text: str) -> str | None:
    """f, m, nb, self, "" for not said, None if nobody can tell."""
    return _GENDER_OF.get(plain(text)) if text else ""


def age_of(text: str) -> str | None:
    """The age band of a band or an age in years, "" for an empty cell, None if nobody can tell."""
    if not text:
        return ""
    if _BELOW_30.fullmatch(text.strip()):
        return "u30"
    if _FROM_60.fullmatch(text.strip()):
        return "60p"
    band = _AGE_OF.get(plain(text))
    if band is None and text.isdecimal() and _YOUNGEST <= int(text) <= _OLDEST:
        return band_of(int(text))
    return band


def band_of(years: int) -> str:
    """The bank's age band of an age, ``0 <= years <= 120``."""
    return next(code for code, low, high in AGE_BANDS if low <= years <= high)


def age_of_birth(text: str, today: date) -> str | None:
    """The age band of a date or year of birth; the date itself is kept nowhere."""
    if not text:
        return ""
    if text.isdecimal() and len(text) == 4:
        years = today.year - int(text)
    else:
        found = next((match for pattern in _DATES if (match := pattern.fullmatch(text))), None)
        if found is None:
            return None
        try:
            born = date(int(found["y"]), int(found["m"]), int(found["d"]))
        except ValueError:
            return None
        years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return band_of(years) if _YOUNGEST <= years <= _OLDEST else None


def slug(name: str) -> str:
    """A code for a unit name, the same in every import: ``Asilo Blu`` is ``asilo-blu``.

    Names that differ only in case, accents or punctuation get one code. Names without Latin letters and very long
    ones get a part of their digest.
    """
    words = plain(name)
    made = "-".join(words.encode("ascii", "ignore").decode().split())
    if not made or not words.isascii() or len(made) > _LONGEST_SLUG:
        made = f"{made[: _LONGEST_SLUG - 9].strip('-')}-{hashlib.sha256(words.encode()).hexdigest()[:8]}".strip("-")
    return f"u-{made}" if made in _RESERVED else made


def whole(value: str) -> str:
    """A whole number as digits: "2.0" and "2,00" are 2, as spreadsheets and statistics programs write them; else ""."""
    head, point, tail = value.strip().replace(",", ".").partition(".")
    digits = head.removeprefix("-")
    return head if digits.isdecimal() and digits.isascii() and (not point or not tail.strip("0")) else ""
