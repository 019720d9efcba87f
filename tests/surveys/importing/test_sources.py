"""One source, one catalogue: a file that was released is known again under another grouping, shuffled, cut or without its numbers."""

import csv
import fcntl
import json
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surveys.importing.mapping import read_mapping
from surveys.importing.responses import read_responses
from surveys.importing.sources import Sketches, is_same, sketches
from surveys.lifecycle import imported
from surveys.lifecycle.context import Site
from surveys.lifecycle.destroying import AlreadyReleasing
from surveys.lifecycle.imported import (
    SourceReleased,
    correct_words,
    moves_path,
    release_file,
    source_key,
    sources_path,
)
from surveys.lifecycle.releasing import FiguresDiffer
from surveys.people import log
from surveys.public import releases, waves
from surveys.public.tables import ReleaseDocument, Wave
from surveys.public.waves import NoSuchWave

HEADER = ("ID", "Timestamp", "Team", "Sede", *(f"D{n}" for n in range(1, 13)))
KEY = bytes(range(32))
PEOPLE = 70


def people(seed: int, count: int = PEOPLE) -> list[list[str]]:
    """Sheets of another tool: numbered, timed, of a team and a place, twelve answers each."""
    dice = random.Random(seed)
    return [
        [
            str(n + 1),
            f"2026-03-{dice.randint(1, 28):02} {dice.randint(6, 22):02}:{dice.randint(0, 59):02}:{dice.randint(0, 59):02}",
            "AB"[n % 2],
            dice.choice(("Prato", "Firenze")),
            *(str(dice.randint(1, 5)) for _ in range(12)),
        ]
        for n in range(count)
    ]


def sketched(rows: Sequence[Sequence[str]], key: bytes = KEY, header: Sequence[str] = HEADER) -> Sketches:
    return sketches(header, rows, [1] if "Timestamp" in header else [], [0], key)


@given(st.integers(0, 10_000), st.sampled_from([0.6, 0.75, 0.9, 1.0]), st.integers(30, 400))
@settings(max_examples=40, deadline=None)
def test_two_files_that_share_most_rows_are_one_source(seed: int, share: float, count: int) -> None:
    rows = people(seed, count)
    kept = rows[: round(count * share)]
    random.Random(seed).shuffle(kept)
    assert is_same(sketched(rows), sketched(kept))
    later = people(seed + 1, count)
    assert not is_same(sketched(rows), sketched(later))


@given(st.integers(0, 10_000), st.sampled_from([0.1, 0.25, 0.5]), st.integers(100, 400))
@settings(max_examples=40, deadline=None)
def test_a_part_of_a_file_and_a_file_filled_up_with_invented_sheets_are_the_same_source(
    seed: int, part: float, count: int
) -> None:
    """Done by an attacker: a quarter of the sheets by another grouping, and all of them among four times as many invented ones."""
    rows, invented = people(seed, count), people(seed + 1, round(count / part) - count)
    assert is_same(sketched(rows), sketched(rows[: round(count * part)]))
    assert is_same(sketched(rows), sketched([*rows, *invented]))
    assert not is_same(sketched(rows), sketched(people(seed + 2, round(count * part))))
    assert not is_same(sketched(rows), sketched(invented))


def test_a_file_is_known_without_its_numbers_or_its_times_and_by_nobody_else_s_key() -> None:
    rows = people(1)
    assert set(sketched(rows)) == {"times", "rows"}
    renumbered = [[str(PEOPLE - n), *row[1:]] for n, row in enumerate(rows)]
    untimed = [[row[0], f"2027-01-01 00:{n // 60:02}:{n % 60:02}", *row[2:]] for n, row in enumerate(rows)]
    changed = [[*row[:15], "1"] for row in rows]
    assert (
        is_same(sketched(rows), sketched(renumbered))
        and is_same(sketched(rows), sketched(untimed))
        and is_same(sketched(rows), sketched(changed))
    )
    assert not is_same(sketched(rows), sketched(rows, bytes(32)))


def test_numbers_alone_or_three_questions_with_the_same_answers_make_no_source() -> None:
    header = ("ID", "D1", "D2", "D3")
    first, second = (
        [[str(n + 1), *(str(random.Random(f"{seed} {n} {d}").randint(1, 5)) for d in range(3))] for n in range(400)]
        for seed in (1, 2)
    )
    assert sketches(header, first, [], [0], KEY) == sketches(header, second, [], [0], KEY) == {}


def write(folder: Path, rows: Sequence[Sequence[str]], header: Sequence[str] = HEADER) -> Path:
    path = folder / f"{len(list(folder.iterdir()))}.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def mapping(folder: Path, wave: str, column: str, groups: dict[str, str]) -> Path:
    """A mapping that splits the file by one column."""
    coded = ", ".join(f'"{name}" = "{code}"' for name, code in groups.items())
    lines = [
        "[wave]",
        f'id = "{wave}"',
        'title = "Clima"',
        "opened = 2026-03-01",
        "closed = 2026-03-31",
        "[file]",
        'id = "ID"',
        "[groups.part]",
        f'column = "{column}"',
        'title = "Parte"',
        f"recode = {{ {coded} }}",
    ]
    for n in range(1, 13):
        lines += [f"[items.d{n}]", f'column = "D{n}"', f'text = "Domanda {n}"', "low = 1", "high = 5"]
    path = folder / f"{wave}.toml"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


async def released(site: Site, file: Path, how: Path) -> str:
    """What becomes of an import: released, or the wave that has its rows already."""
    wanted = read_mapping(how)
    try:
        await release_file(site, wanted, read_responses(file, wanted, key=source_key(site.data)), lambda _: None)
    except SourceReleased as known:
        return str(known)
    return "released"


TEAMS, PLACES = {"A": "a", "B": "b"}, {"Prato": "po", "Firenze": "fi"}


async def test_the_same_sheets_under_another_grouping_are_refused_and_other_sheets_are_not(
    sqlite_site: Site, tmp_path: Path
) -> None:
    """Done by an attacker: one file three times under three groupings, whose numbers together gave a department of one away."""
    rows = people(1)
    file = write(tmp_path, rows)
    assert await released(sqlite_site, file, mapping(tmp_path, "prima", "Team", TEAMS)) == "released"
    tries = {
        "another grouping": rows,
        "three left out": rows[3:],
        "in another order": rows[::-1],
        "renumbered": [["9" + row[0], *row[1:]] for row in rows],
        "one answer changed": [[*row[:15], "3"] for row in rows],
        "with ten new sheets": [*rows, *people(2, 10)],
        "a quarter of them": rows[: PEOPLE // 4],
        "among invented ones": [*rows, *people(4, 400)],
    }
    for number, (label, changed) in enumerate(tries.items()):
        how = mapping(tmp_path, f"dopo-{number}", "Sede", PLACES)
        assert await released(sqlite_site, write(tmp_path, changed), how) == "prima", label
    assert [wave.id for wave in await waves.everything()] == ["prima"]
    assert (
        await released(sqlite_site, write(tmp_path, people(3)), mapping(tmp_path, "altra", "Team", TEAMS)) == "released"
    )


async def test_whoever_deletes_a_wave_gets_no_second_document_of_its_file(sqlite_site: Site, tmp_path: Path) -> None:
    """Could leak: what is drawn twice for one file can be averaged, and two groupings of it subtracted."""
    file, how = write(tmp_path, people(1)), mapping(tmp_path, "prima", "Team", TEAMS)
    assert await released(sqlite_site, file, how) == "released"
    first = await releases.kept("prima")
    for table, column in ((ReleaseDocument, ReleaseDocument.wave), (Wave, Wave.id)):
        await table.delete().where(column == "prima")
    assert await released(sqlite_site, file, mapping(tmp_path, "dopo", "Sede", PLACES)) == "prima"
    assert await released(sqlite_site, file, how) == "released"  # under its own name: the same again
    assert await releases.kept("prima") == first


async def test_what_is_kept_of_a_file_holds_none_of_it_and_no_refused_file(sqlite_site: Site, tmp_path: Path) -> None:
    rows = people(1)
    await released(sqlite_site, write(tmp_path, rows), mapping(tmp_path, "prima", "Team", TEAMS))
    kept = sources_path(sqlite_site.data)
    before = kept.read_text()
    assert kept.stat().st_mode & 0o777 == 0o600 and len(before) < 2_400
    assert not [cell for row in rows for cell in row if len(cell) > 6 and cell in before]
    await released(sqlite_site, write(tmp_path, rows[5:]), mapping(tmp_path, "dopo", "Sede", PLACES))
    assert kept.read_text() == before


async def test_a_release_that_was_cut_off_leaves_nothing_in_the_way(
    sqlite_site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, how = write(tmp_path, people(1)), mapping(tmp_path, "prima", "Team", TEAMS)
    with monkeypatch.context() as patch:
        patch.setattr(imported, "plan_of", lambda _: (_ for _ in ()).throw(RuntimeError("cut off")))
        with pytest.raises(RuntimeError, match="cut off"):
            await released(sqlite_site, file, how)
    assert await released(sqlite_site, file, how) == "released"


async def test_what_is_noted_of_a_file_is_not_lost_by_an_import_that_comes_while_it_is_released(
    sqlite_site: Site, tmp_path: Path
) -> None:
    """Done by an attacker: any other import, begun meanwhile, wrote over what was noted of a wave that was not there yet."""
    file, first, second = (
        write(tmp_path, people(1)),
        mapping(tmp_path, "prima", "Team", TEAMS),
        mapping(tmp_path, "dopo", "Sede", PLACES),
    )
    other, third = write(tmp_path, people(3)), mapping(tmp_path, "altra", "Team", TEAMS)
    lock = sqlite_site.data / "keys" / "release.lock"
    lock.parent.mkdir(exist_ok=True)
    with lock.open("w") as busy:
        fcntl.flock(busy, fcntl.LOCK_EX)  # as while the first is released by another process
        sources_path(sqlite_site.data).write_text("{}")
        for what, how in ((other, third), (file, second)):
            with pytest.raises(AlreadyReleasing):
                await released(sqlite_site, what, how)
        assert sources_path(sqlite_site.data).read_text() == "{}"
    assert await released(sqlite_site, file, first) == "released"
    assert await released(sqlite_site, file, second) == "prima"


async def corrected(site: Site, file: Path, how: Path) -> None:
    wanted = read_mapping(how)
    await correct_words(site, wanted, read_responses(file, wanted, key=source_key(site.data)), lambda _: None)


def figures(text: str | None) -> list[object]:
    """Everything that a document says in numbers."""
    assert text is not None
    found = json.loads(text)
    return [found[name] for name in ("views", "differences", "perception", "participation", "quality", "rules")]


async def test_titles_and_names_of_an_imported_wave_are_corrected_and_no_figure_changes(
    sqlite_site: Site, tmp_path: Path
) -> None:
    file, how = write(tmp_path, people(1)), mapping(tmp_path, "prima", "Team", TEAMS)
    assert await released(sqlite_site, file, how) == "released"
    before = await releases.kept("prima")
    right = how.read_text("utf-8").replace("Domanda 3", "Mi sento al sicuro").replace('"Clima"', '"Clima 2026"')
    how.write_text(right.replace('title = "Parte"', 'title = "Squadra"\nnames = { a = "Squadra A", b = "Squadra B" }'))
    await corrected(sqlite_site, file, how)
    document, wave = await releases.read("prima"), await waves.get("prima")
    assert document is not None and figures(await releases.kept("prima")) == figures(before)
    assert (
        wave.title == {"it": "Clima 2026", "en": "Clima 2026"}
        and wave.questionnaire["items"]["d3"]["it"] == "Mi sento al sicuro"
    )
    assert "Squadra A" in str(await releases.kept("prima")) and "Squadra A" not in str(before)
    assert document.wave.title == {"it": "Clima 2026", "en": "Clima 2026"}
    assert (await log.read())[-1].act == "imported words corrected"


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("high = 5", "high = 6"),
        ("low = 1", "low = 0"),
        ("closed = 2026-03-31", "closed = 2026-03-30"),
        ('text = "Domanda 1"', 'text = "Domanda 1"\nreverse = true'),
    ],
)
async def test_under_other_words_no_other_figure_is_published(
    sqlite_site: Site, tmp_path: Path, was: str, becomes: str
) -> None:
    file, how = write(tmp_path, people(1)), mapping(tmp_path, "prima", "Team", TEAMS)
    assert await released(sqlite_site, file, how) == "released"
    before = await releases.kept("prima")
    text = how.read_text("utf-8")
    for changed, rows in ((text.replace(was, becomes, 1), people(1)), (text, people(1)[:-1]), (text, people(3))):
        how.write_text(changed)
        with pytest.raises(FiguresDiffer):
            await corrected(sqlite_site, write(tmp_path, rows), how)
        assert await releases.kept("prima") == before
    with pytest.raises(NoSuchWave):
        await corrected(sqlite_site, file, mapping(tmp_path, "altra", "Team", TEAMS))


async def test_a_file_of_before_whose_moves_were_others_is_not_released_again(
    sqlite_site: Site, tmp_path: Path
) -> None:
    """Could leak: the moves of before followed from the mapping's file, so a second document would have others."""
    file, how = write(tmp_path, people(1)), mapping(tmp_path, "prima", "Team", TEAMS)
    assert await released(sqlite_site, file, how) == "released"
    moves_path(sqlite_site.data).unlink()
    for table, column in ((ReleaseDocument, ReleaseDocument.wave), (Wave, Wave.id)):
        await table.delete().where(column == "prima")
    assert await released(sqlite_site, file, how) == "prima"


async def test_another_file_under_the_name_of_a_wave_that_was_deleted_makes_nobody_forget_the_first(
    sqlite_site: Site, tmp_path: Path
) -> None:
    """Could leak: what was noted of the first file was written over, and it was released again under another grouping."""
    file = write(tmp_path, people(1))
    assert await released(sqlite_site, file, mapping(tmp_path, "prima", "Team", TEAMS)) == "released"
    for table, column in ((ReleaseDocument, ReleaseDocument.wave), (Wave, Wave.id)):
        await table.delete().where(column == "prima")
    other = write(tmp_path, people(2))
    assert await released(sqlite_site, other, mapping(tmp_path, "prima", "Team", TEAMS)) == "prima"
    assert await released(sqlite_site, file, mapping(tmp_path, "dopo", "Sede", PLACES)) == "prima"
    assert await released(sqlite_site, other, mapping(tmp_path, "altra", "Team", TEAMS)) == "released"
