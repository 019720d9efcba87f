"""A file with one answer in each row becomes one with a sheet in each row."""

from collections.abc import Iterator

from surveys.importing.sheets import FileUnreadable, Numbered, Rows


def widened(rows: Rows, person: str, question: str, answer: str) -> Rows:
    """Put the answers of each sheet into one row, in the order in which sheets begin.

    Parameters
    ----------
    rows : one answer in each
    person, question, answer : the columns that say whose sheet it is, which question, and what was answered; every other
        column is of the sheet, and must say the same wherever it says something

    Returns
    -------
    The same sheets with a column for each question. A row is numbered as the first of its sheet.

    Raises
    ------
    FileUnreadable
        If a column is missing, a row has no sheet or question, or two rows of a sheet say different things.
    """
    places = {header: place for place, header in enumerate(rows.header)}
    for column in (person, question, answer):
        if column not in places:
            raise FileUnreadable("missing_column", column=column, columns=", ".join(h for h in rows.header if h))
    rest = [header for header in rows.header if header and header not in (person, question, answer)]
    sheets: dict[str, dict[str, str]] = {}
    begun: dict[str, int] = {}
    asked: dict[str, None] = {}
    for number, cells in rows.numbered:
        who, what = cells[places[person]], cells[places[question]]
        if not who or not what:
            raise FileUnreadable("long_row", row=number, column=person if not who else question)
        if what in places:
            raise FileUnreadable("duplicate_header", column=what)
        sheet = sheets.setdefault(who, {})
        begun.setdefault(who, number)
        asked[what] = None
        for column, value in [(what, cells[places[answer]]), *((one, cells[places[one]]) for one in rest)]:
            before = sheet.get(column, "")
            if before and value and before != value:
                raise FileUnreadable("long_clash", row=number, column=column)
            sheet[column] = before or value
    header = (person, *rest, *sorted(asked))

    def numbered() -> Iterator[Numbered]:
        for who, sheet in sheets.items():
            yield begun[who], [who, *(sheet.get(column, "") for column in header[1:])]

    return Rows(header, numbered(), rows.encoding, rows.encoding_guessed)
