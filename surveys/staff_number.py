"""Staff numbers: what HR knows people by, and nothing that is worked out of."""


def key_of(number: str) -> str:
    """A staff number as it is compared: spreadsheets drop leading zeros, people put spaces. "" of none."""
    plain = "".join(number.split()).casefold()
    return plain.lstrip("0") or plain[-1:]
