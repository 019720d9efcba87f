"""Whoever can write every row of the cases store and of the lists: nothing forged is read, and Python and the browser say the same.

A long true thread is changed: each row swapped, cut, replayed, rolled back, taken from another case or another version, alone
and in pairs. After each change a reader either reads what was written, as far as it goes, or is refused with a word; never
does a text show that nobody of the case wrote.
"""

import asyncio
import copy
import itertools
import random
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from surveys.cases import acts, letters, wraps
from surveys.cases.acts import Change
from surveys.cases.letters import REPORTER
from surveys.cases.sealing import identity_text, recipient_of
from tests.journeys import both
from tests.surveys.cases import desk_side
from tests.surveys.cases.memory import (
    OUTSIDE,
    Kept,
    World,
    asked,
    broken,
    dice_of,
    hide_notes,
    old_change,
    put_back,
    readers_but,
    report,
)

WORDS = frozenset(
    {
        "",
        "house_other",
        "ring_old",
        "ring_broken",
        "epoch_broken",
        "letter_forged",
        "wrap_not_mine",
        "key_other",
        "author_unknown",
        "reader_foreign",
        "place",
        "fork",
        "shorter",
        "gone",
        "gain_refused",
        "expel_refused",
        "out_returns",
        "redaction_alone",
    }
)
"""Every refusal has one of these words; each has a sentence in every language that its page speaks."""


class Stage:
    """A true thread of Anna, Bruno, Carla and the reporter, with a change of keys, notes and a redaction; and another case."""

    def __init__(self, seed: int) -> None:
        self.world = World(dice_of(seed))
        self.kept = report(self.world, "vero: la storia")
        self.states: list[tuple[int, int]] = []
        kept = self.kept
        kept.write("anna", "acknowledge", "vero: arrivato")
        self.mark()
        kept.write(REPORTER, "message", "vero: ancora")
        kept.note("carla", "vero: nota")
        self.mark()
        after = readers_but(kept, "bruno")
        fold = kept.opened("anna").fold
        assert fold is not None
        payload = desk_side.ask_payload(fold, self.world.ring, after, "anna")
        ask = kept.write(
            "anna", "ask", "vero: chiedo", {"what": "change", "payload": acts.hash_of(payload)}, payload=payload
        )
        kept.change("carla", after, ask)
        self.mark()
        kept.write("carla", "outcome", "vero: esito")
        kept.note("anna", "vero: dopo")
        self.mark()
        self.other = report(self.world, "altrui: segreto")
        self.other.write("bruno", "message", "altrui: risposta")

    def mark(self) -> None:
        self.states.append((len(self.kept.rows), len(self.kept.epochs)))

    @property
    def true_texts(self) -> set[str | None]:
        return {
            "vero: la storia",
            "vero: arrivato",
            "vero: ancora",
            "vero: chiedo",
            "",
            "vero: esito",
            "vero: nota",
            "vero: dopo",
        }

    def lists(self) -> dict[str, Any]:
        return both.lists_of(self.world.anchor.text, self.world.found)

    def who(self, name: str) -> Any:
        return self.kept.me if name == REPORTER else (name, self.world.keys[name])

    def file(self, name: str, kept: Kept | None = None) -> dict[str, Any]:
        return both.file_of((kept or self.kept).sealed(name))


@pytest.fixture(scope="module")
def stage() -> Stage:
    return Stage(11)


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    opened = await (await browser.new_context()).new_page()
    await both.load(opened)
    yield opened
    await opened.context.close()


def changes(stage: Stage, name: str, file: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Everything that somebody with the database can do to this case's rows, one thing at a time."""
    other = stage.file(name if name in ("anna", "carla", OUTSIDE, "bruno") else REPORTER, stage.other)
    rows, epochs = file["messages"], file["epochs"]

    def changed(label: str, act: Any) -> tuple[str, dict[str, Any]]:
        copied = copy.deepcopy(file)
        act(copied)
        return label, copied

    for place in range(len(rows)):
        yield changed(f"row {place} gone", lambda f, p=place: f["messages"].pop(p))
        yield changed(
            f"row {place} and all after gone", lambda f, p=place: f["messages"].__setitem__(slice(p, None), [])
        )
        yield changed(f"row {place} garbage", lambda f, p=place: f["messages"][p].update(sealed="YWJj"))
        yield changed(
            f"row {place} of another epoch",
            lambda f, p=place: f["messages"][p].update(epoch=3 - f["messages"][p]["epoch"]),
        )
        yield changed(
            f"row {place} of another stream",
            lambda f, p=place: f["messages"][p].update(
                stream="notes" if f["messages"][p]["stream"] == "thread" else "thread"
            ),
        )
        yield changed(
            f"row {place} numbered again",
            lambda f, p=place: f["messages"][p].update(number=f["messages"][p]["number"] + 1),
        )
        yield changed(
            f"row {place} from another case",
            lambda f, p=place: f["messages"][p].update(sealed=other["messages"][p % len(other["messages"])]["sealed"]),
        )
        for second in range(place):
            yield changed(f"rows {second} and {place} swapped", lambda f, p=place, s=second: _swap(f["messages"], p, s))
            yield changed(
                f"row {place} is row {second} again",
                lambda f, p=place, s=second: f["messages"][p].update(sealed=f["messages"][s]["sealed"]),
            )
    for place in range(len(epochs)):
        yield changed(f"epoch {place} gone", lambda f, p=place: f["epochs"].pop(p))
        yield changed(f"wrap {place} gone", lambda f, p=place: f["epochs"][p].update(wrap=""))
        yield changed(f"wrap {place} garbage", lambda f, p=place: f["epochs"][p].update(wrap="YWJj"))
        yield changed(f"link {place} garbage", lambda f, p=place: f["epochs"][p].update(link="YWJj"))
        yield changed(f"epoch {place} numbered again", lambda f, p=place: f["epochs"][p].update(number=7))
        yield changed(
            f"epoch {place} of another stream",
            lambda f, p=place: f["epochs"][p].update(
                stream="notes" if f["epochs"][p]["stream"] == "thread" else "thread"
            ),
        )
        yield changed(
            f"wrap {place} of another case", lambda f, p=place: f["epochs"][p].update(wrap=other["epochs"][0]["wrap"])
        )
        for second in range(place):
            yield changed(
                f"wraps {second} and {place} exchanged",
                lambda f, p=place, s=second: _exchange(f["epochs"], p, s, "wrap"),
            )
            yield changed(
                f"links {second} and {place} exchanged",
                lambda f, p=place, s=second: _exchange(f["epochs"], p, s, "link"),
            )
    yield changed("another number", lambda f: f.update(case="00" * 8))
    yield changed(
        "the whole other case under this number", lambda f: f.update(messages=other["messages"], epochs=other["epochs"])
    )
    yield changed("the whole other case", lambda f: f.update(other))
    for n, (rows_then, epochs_then) in enumerate(stage.states):
        yield changed(
            f"rolled back to state {n}",
            lambda f, r=rows_then, e=epochs_then: f.update(messages=f["messages"][:r], epochs=f["epochs"][:e]),
        )


def _swap(rows: list[dict[str, Any]], first: int, second: int) -> None:
    rows[first]["sealed"], rows[second]["sealed"] = rows[second]["sealed"], rows[first]["sealed"]


def _exchange(rows: list[dict[str, Any]], first: int, second: int, what: str) -> None:
    rows[first][what], rows[second][what] = rows[second][what], rows[first][what]


def check(said: dict[str, Any], stage: Stage, name: str, label: str) -> None:
    """Either a word of refusal, or only what was written, from the first on, by those who wrote it."""
    if "refused" in said:
        assert said["refused"] in WORDS - {""}, label
        return
    assert said["problem"] in WORDS and said["notesProblem"] in WORDS, label
    own = (
        {"altrui: segreto", "altrui: risposta"}
        if label == "the whole other case" and name != REPORTER
        else stage.true_texts
    )
    assert set(said["texts"]) <= own, label


@pytest.mark.parametrize("name", [REPORTER, "anna", "carla", "bruno", OUTSIDE])
async def test_no_change_of_one_row_shows_a_word_that_nobody_wrote_and_both_languages_say_the_same(
    stage: Stage, page: Page, name: str
) -> None:
    lists, who, printed = stage.lists(), stage.who(name), stage.world.anchor.printed
    file = stage.file(name)
    honest = both.by_python(lists, file, who, printed)
    assert honest == await both.by_browser(page, lists, file, who, printed)
    assert (honest.get("problem") == "" and "vero: esito" in honest["texts"]) == (name != "bruno")
    tried = 0
    for label, changed in changes(stage, name, file):
        said = both.by_python(lists, changed, who, printed)
        check(said, stage, name, label)
        assert said == await both.by_browser(page, lists, changed, who, printed), label
        tried += 1
    assert tried > 100


@pytest.mark.parametrize("name", [REPORTER, "anna"])
async def test_changes_in_pairs_show_nothing_either(stage: Stage, page: Page, name: str) -> None:
    lists, who, printed = stage.lists(), stage.who(name), stage.world.anchor.printed
    singles = list(changes(stage, name, stage.file(name)))
    dice = random.Random(5)
    for number in range(300):
        label, once = dice.choice(singles)
        twice = (
            dice.choice(list(itertools.islice(changes(stage, name, once), 400)))
            if once["messages"] and once["epochs"]
            else (label, once)
        )
        said = both.by_python(lists, twice[1], who, printed)
        if "other case" not in label + twice[0]:
            check(said, stage, name, f"{label}; {twice[0]}")
        if number % 4 == 0:
            assert said == await both.by_browser(page, lists, twice[1], who, printed), f"{label}; {twice[0]}"
        await asyncio.sleep(0)


async def test_an_older_state_is_never_more_than_a_true_beginning(stage: Stage) -> None:
    """What remains possible: to withhold. The two words and the count of her own letters then differ."""
    file, lists = stage.file(REPORTER), stage.lists()
    full = both.by_python(lists, file, stage.kept.me, stage.world.anchor.printed)
    for rows, epochs in stage.states[:-1]:
        older = both.by_python(
            lists,
            file | {"messages": file["messages"][:rows], "epochs": file["epochs"][:epochs]},
            stage.kept.me,
            stage.world.anchor.printed,
        )
        assert older["texts"] == full["texts"][: len(older["texts"])]
        assert older["fold"]["head"] != full["fold"]["head"]


@pytest.mark.parametrize("change", ["own chain", "own house", "last gone", "none", "signature", "old keyring"])
async def test_lists_that_a_server_made_are_refused_by_both(stage: Stage, page: Page, change: str) -> None:
    own = World(dice_of(99))
    lists, printed = stage.lists(), stage.world.anchor.printed
    lists |= {
        "own chain": {"rings": both.lists_of("", own.found)["rings"]},
        "own house": both.lists_of(own.anchor.text, own.found),
        "last gone": {"rings": []},
        "none": {"house": "", "rings": []},
        "old keyring": {"rings": [], "keyrings": [{"text": "{}", "signatures": []}]},
        "signature": {"rings": [lists["rings"][0] | {"signatures": lists["rings"][0]["signatures"][:1]}]},
    }[change]
    for name in (REPORTER, "anna"):
        said = both.by_python(lists, stage.file(name), stage.who(name), printed)
        assert said["refused"] in ("house_other", "ring_broken")
        assert said == await both.by_browser(page, lists, stage.file(name), stage.who(name), printed)


def attacks(stage: Stage) -> dict[str, tuple[Kept, str]]:
    """What a dishonest reader, a dishonest reporter or a stranger with old keys writes, validly signed: and the word for it."""
    world, found = stage.world, {}

    def fresh() -> Kept:
        return Kept(
            world, stage.other.me, stage.other.secret, copy.deepcopy(stage.other.epochs), list(stage.other.rows)
        )

    def act(name: str, kept: Kept, kind: str, terms: Any = None, **head: Any) -> None:
        fold = kept.opened(REPORTER).fold
        assert fold is not None
        author = kept.me.author if name == REPORTER else world.author(name)
        kept.take(acts.letter(fold, world.ring, author, kind, {"text": "falso"}, kept.day, world.dice, terms))

    alone = fresh()
    alone.change("anna", readers_but(alone, "bruno", "carla"))
    found["one reader expels everybody"] = (alone, "expel_refused")
    forged = fresh()
    act("bruno", forged, "acknowledge")
    own = fresh()
    fold = own.opened(REPORTER).fold
    assert fold is not None
    spy = world.new_keys()
    from surveys.cases.letters import Author

    own.take(
        acts.letter(fold, world.ring, Author("anna", spy.ed25519), "message", {"text": "falso"}, own.day, world.dice)
    )
    found["a stranger's key under a reader's name"] = (own, "author_unknown")
    as_reporter = fresh()
    as_reporter.take(
        acts.letter(
            fold,
            world.ring,
            Author(REPORTER, world.keys["anna"].ed25519),
            "message",
            {"text": "falso"},
            own.day,
            world.dice,
        )
    )
    found["a reader invents the reporter's last letter"] = (as_reporter, "letter_forged")
    second_first = fresh()
    act(REPORTER, second_first, "message")
    gain = fresh()
    opened = gain.opened("anna")
    assert opened.fold is not None
    spy_reader = {"id": "spia", "recipient": spy.recipient, "signer": spy.signer}
    sent = acts.change(
        opened, world.ring, world.author("anna"), Change([*readers_but(gain), spy_reader], []), gain.day, world.dice
    )
    gain.take(sent["letter"], sent["epochs"])
    found["a reader whom no list names is let in"] = (gain, "gain_refused")
    redact = fresh()
    letter = redact.opened("anna").thread[0]
    act(
        "anna",
        redact,
        "redact",
        {"number": 1, "content": letter["content"], "text": acts.hash_of("falso"), "files": [], "asked": ""},
    )
    found["a redaction by one hand"] = (redact, "redaction_alone")
    bad_wrap = fresh()
    opened = bad_wrap.opened("anna")
    assert opened.fold is not None
    seed = world.dice(32)
    key = wraps.EpochKey(opened.fold.start, "thread", 2, identity_text(seed), recipient_of(seed), opened.fold.act)
    to = world.keys["carla"].recipient
    bad_wrap.epochs.append(
        {
            "stream": "thread",
            "number": 2,
            "wraps": {"carla": wraps.make(key, world.author("anna"), "carla", to)},
            "link": wraps.make_link(1, opened.keys["thread"][1], recipient_of(seed)),
        }
    )
    found["a wrap of an epoch that no letter made"] = (bad_wrap, "shorter")
    return found


async def test_what_a_dishonest_reader_signs_is_refused_with_its_word_by_both(stage: Stage, page: Page) -> None:
    lists, printed = stage.lists(), stage.world.anchor.printed
    tried = attacks(stage)
    assert len(tried) == 6
    for label, (kept, word) in tried.items():
        who: Any = ("carla", stage.world.keys["carla"])
        file = both.file_of(kept.sealed("carla"))
        said = both.by_python(lists, file, who, printed)
        assert said["problem"] == word, label
        assert "falso" not in said["texts"], label
        assert said == await both.by_browser(page, lists, file, who, printed), label


def notes(world: World, patch: pytest.MonkeyPatch) -> dict[str, tuple[Kept, str]]:
    """Notes as readers wrote them and as somebody hid them, put them back or led a desk to an older key: and the word for it."""
    found = {}

    def noted() -> tuple[Kept, list[dict[str, str]], str]:
        kept = report(world, "vero: la storia")
        kept.note("bruno", "vero: nota")
        after = readers_but(kept, "bruno")
        return kept, after, asked(kept, "anna", after)

    hidden, after, ask = noted()
    there = hide_notes(hidden)
    hidden.change("carla", after, ask)
    put_back(hidden, there)
    hidden.note("anna", "vero: dopo")
    found["hidden while bruno was shut out"] = (hidden, "")
    left, after, ask = noted()
    there = hide_notes(left)
    old_change(left, "carla", after, ask, patch)
    put_back(left, there)
    found["hidden from a desk of the version before"] = (left, "epoch_broken")
    again = Kept(world, left.me, left.secret, copy.deepcopy(left.epochs), list(left.rows))
    again.change("anna", readers_but(again))
    again.note("anna", "vero: dopo")
    found["new keys since then"] = (again, "")
    first = report(world, "vero: la storia")
    first.change("anna", readers_but(first))
    first.note("carla", "vero: nota")
    first.change("carla", readers_but(first))
    first.note("anna", "vero: dopo")
    found["the first note after a change"] = (first, "")
    older, after, ask = noted()
    before = older.opened("anna")
    older.change("carla", after, ask)
    now = older.opened("anna")
    now.notes_to, now.notes_epoch = before.notes_to, before.notes_epoch
    made = acts.note(now, world.ring, world.author("anna"), "note", {"text": "per bruno"}, older.day, world.dice)
    older.take(made, made["epochs"])
    found["under the key before"] = (older, "place")
    void, _, _ = noted()
    void.change("carla", readers_but(void))
    void.note("carla", "sotto la chiave che non vale")
    broken(void, "anna")
    void.note("anna", "vero: dopo")
    found["under keys that were undone"] = (void, "")
    return found


async def test_notes_hidden_put_back_or_under_older_keys_are_told_alike_by_both(
    stage: Stage, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists, printed = stage.lists(), stage.world.anchor.printed
    tried = notes(stage.world, monkeypatch)
    assert [word for _, word in tried.values()] == ["", "epoch_broken", "", "", "place", ""]
    for label, (kept, word) in tried.items():
        for name in ("anna", "carla", OUTSIDE):
            file = both.file_of(kept.sealed(name))
            said = both.by_python(lists, file, (name, stage.world.keys[name]), printed)
            assert (said["problem"], said["notesProblem"]) == ("", word), label
            assert set(said["texts"]) <= {"vero: la storia", "vero: nota", "vero: dopo", "chiedo", ""}, label
            assert ("vero: dopo" in said["texts"]) == (not word), label
            assert said == await both.by_browser(page, lists, file, (name, stage.world.keys[name]), printed), label


def test_every_word_of_refusal_has_its_sentence() -> None:
    from server.frame.texts import NAMES, catalogue
    from server.reporters.letters import wrong_key

    for word in WORDS - {""}:
        assert all(f"cases.wrong.{word}" in catalogue(language) for language in ("it", "en")), word
        assert all(wrong_key(word) in catalogue(language) for language in NAMES), word


async def test_both_languages_write_the_same_bytes_of_a_letter(stage: Stage, page: Page) -> None:
    place: dict[str, Any] = {
        "house": stage.world.anchor.hash,
        "case": "00" * 8,
        "start": "11" * 32,
        "stream": "thread",
        "number": 4,
        "before": "22" * 32,
        "epoch": 2,
        "to": recipient_of(bytes(32)),
        "thread": "00" * 32,
        "ring": {"number": 1, "hash": "33" * 32},
    }
    content = {"text": 'çà è «così» \u2028 𝄞 "\\/\b\f\n\r\t\x7f\x01', "where": "مكان", "consent": True}
    there = await page.evaluate(
        "({ place, content }) => Fold.write(place, { name: 'anna', seed: new Uint8Array(32).fill(7) }, 'message', '2026-11-25', content, new Uint8Array(32).fill(9), {}).plain",
        {"place": place, "content": content},
    )
    here, _ = letters.write(
        letters.Place(
            place["house"], place["case"], place["start"], "thread", 4, place["before"], 2, place["to"], 1, "33" * 32
        ),
        letters.Author("anna", bytes([7]) * 32),
        "message",
        "2026-11-25",
        content,
        bytes([9]) * 32,
        {},
    )
    assert there == here
