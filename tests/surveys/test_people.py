"""Accounts, panels, codes and holders' keys."""

import secrets
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.answers import keys
from surveys.lifecycle.context import Site
from surveys.people import accounts, panel, roster
from surveys.people.tables import Account, Device, Session
from surveys.slips import ALPHABET, NotACode, digest, grouped, new_code, read_code, row_key
from tests.conftest import DAY, open_a_wave, small_cooperative
from tests.first_urn import make_urn_key
from tests.urn import spent

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
PASSWORD = "una-password-lunga"


async def test_a_password_is_kept_as_argon2id_and_a_token_as_its_digest(site: Site) -> None:
    people = site.engines["people"]
    await accounts.add(people, "ada", "hr", PASSWORD)
    token, account, device = await accounts.sign_in(people, "ada", PASSWORD, NOW)
    stored, session = await Account.select().first(), await Session.select().first()
    assert stored is not None and stored["password"].startswith("$argon2id$")
    assert session is not None and token not in str(session)
    assert device not in str(await Device.select())
    assert account == await accounts.signed_in(token, NOW)
    assert await accounts.signed_in(token, NOW + accounts.SESSION_LENGTH) is None
    assert await accounts.signed_in("another", NOW) is None


@pytest.mark.parametrize(
    ("name", "role", "password", "reason"),
    [
        ("a b", "hr", PASSWORD, "name"),
        ("ada", "queen", PASSWORD, "role"),
        ("ada", "hr", "short", "password"),
        ("", "hr", PASSWORD, "name"),
    ],
)
async def test_a_wrong_account_is_refused_by_reason(
    sqlite_site: Site, name: str, role: str, password: str, reason: str
) -> None:
    with pytest.raises(accounts.AccountRefused, match=reason):
        await accounts.add(sqlite_site.engines["people"], name, role, password)


@given(st.integers(0, 2**80 - 1), st.sampled_from(["", " ", "-", "–"]), st.booleans())
def test_a_code_is_read_as_people_type_it(number: int, between: str, lower: bool) -> None:
    code = new_code(lambda n: number.to_bytes(n))
    typed = grouped(code).replace("-", between)
    typed = typed.replace("0", "O").replace("1", "l" if lower else "I")
    assert read_code(typed.lower() if lower else typed) == code
    assert set(code) <= set(ALPHABET)
    assert 0 <= row_key(digest(code)) < 2**63


@pytest.mark.parametrize("text", ["", "1234", "U" * 16, "A" * 17, "ç" * 16])
def test_what_is_no_code_is_refused(text: str) -> None:
    with pytest.raises(NotACode):
        read_code(text)


@pytest.mark.opened
async def test_only_the_digest_of_a_code_is_on_disk(sqlite_site: Site) -> None:
    wave = await open_a_wave(sqlite_site)
    content = b"".join(path.read_bytes() for path in Path(sqlite_site.data).rglob("*") if path.is_file())
    assert bytes(spent(wave.codes[0])) in content
    assert not any(code.encode() in content or grouped(code).encode() in content for code in wave.codes)


@pytest.mark.parametrize(
    "pair", [("hr", "representative"), ("hr", "recovery"), ("representative", "recovery"), ("recovery", "hr")]
)
def test_any_two_of_three_holders_open_the_urn_key(pair: tuple[str, str]) -> None:
    held, public, sealed = _holders()
    private = keys.unwrap((held[pair[0]], held[pair[1]]), "w", sealed, public)
    assert (private.public, private.phone_public) == (sealed.public, sealed.phone)


def _holders() -> tuple[dict[str, keys.HolderSecret], dict[str, bytes], keys.SealedUrnKey]:
    held = {seat: keys.new_secret(secrets.randbelow) for seat in keys.SEATS}
    public = {seat: bytes(keys.holder_key(secret, "w", seat).public_key) for seat, secret in held.items()}
    return held, public, make_urn_key(public)


def test_one_holder_another_wave_or_damaged_wraps_open_nothing() -> None:
    held, public, sealed = _holders()
    damaged = keys.SealedUrnKey(
        sealed.public, {pair: wrap[:-1] + bytes([wrap[-1] ^ 1]) for pair, wrap in sealed.wraps.items()}
    )
    for pair, wave, wraps in (("hr hr", "w", sealed), ("hr recovery", "other", sealed), ("hr recovery", "w", damaged)):
        first, second = pair.split()
        with pytest.raises(keys.SecretRefused):
            keys.unwrap((held[first], held[second]), wave, wraps, public)
    with pytest.raises(ValueError, match="three different keys"):
        make_urn_key({**public, "hr": public["recovery"]})


def test_a_secret_is_eight_words_of_two_thousand_and_forgives_commas() -> None:
    secret = keys.new_secret(secrets.randbelow)
    assert len(secret.split()) == 8
    assert keys.read_secret(secret.upper().replace(" ", ", ")) == secret


@given(
    st.sets(st.integers(0, 60)), st.sets(st.integers(0, 60)), st.sets(st.integers(0, 60)), st.sets(st.integers(0, 60))
)
def test_joiners_and_leavers_are_no_difference_and_moves_are(
    now: set[int], before: set[int], newcomers: set[int], gone: set[int]
) -> None:
    opened = date(2026, 1, 1)
    joined = {
        p: opened + timedelta(days=1) if p in newcomers else opened - timedelta(days=1)
        for p in range(61)
        if p not in gone
    }
    moved = panel.real_difference(now, before, joined, opened)
    assert moved == {p for p in now ^ before if p not in newcomers and p not in gone}


async def test_panels_that_attack_are_refused(sqlite_site: Site) -> None:
    people = sqlite_site.engines["people"]
    await roster.replace(people, *small_cooperative(64), DAY - timedelta(days=300))
    everybody, prato = await panel.members(""), await panel.members("po")
    await panel.check("", everybody, [], DAY, 5)
    await panel.check("po", prato, [], DAY, 5)
    for unit, chosen, reason in (("po.nido", prato, "unit"), ("", everybody[:29], "small")):
        with pytest.raises(panel.PanelRefused) as refused:
            await panel.check(unit, chosen, [], DAY, 5)
        assert refused.value.reason == reason
    earlier = [panel.EarlierPanel("old", DAY - timedelta(days=100))]
    await panel.invite(people, "old", everybody[3:])
    with pytest.raises(panel.PanelRefused, match="near"):
        await panel.check("", everybody, earlier, DAY, 5)
    await panel.check("", everybody[3:], earlier, DAY, 5)
    with pytest.raises(panel.PanelRefused, match="often"):
        await panel.check("", everybody, earlier * 4, DAY, 5)
    await panel.check("", everybody, [panel.EarlierPanel("old", DAY - timedelta(days=366))], DAY, 5)
