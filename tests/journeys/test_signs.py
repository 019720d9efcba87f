"""Before a concern is sent: what in it could point at one person is found in nine languages, or it is said what was not looked for."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.journeys.channel import Channel, make_channel, phone

TEXTS = {
    "it": (
        "Il capo Mario Rossi alle 7 mi ha fermata il 3 novembre. Sono l'unica donna del turno, il mio numero è 055 1234567.",
        ["Mario Rossi", "alle 7", "3 novembre", "l'unica", "055 1234567"],
    ),
    "en": (
        "My boss John Smith stopped me at 7:30 on 3/11/2026. I am the only woman here, write to anna@example.org.",
        ["John Smith", "7:30", "3/11/2026", "the only", "anna@example.org"],
    ),
    "fr": (
        "Le chef Jean Martin m'a arrêtée à 7 h le 3 novembre. Je suis la seule femme, 06 12 34 56 78.",
        ["Jean Martin", "à 7", "3 novembre", "la seule", "06 12 34 56 78"],
    ),
    "es": (
        "El jefe Juan Pérez me paró a las 7 el 3 de noviembre. Soy la única mujer, 612 345 678.",
        ["Juan Pérez", "a las 7", "3 de noviembre", "única", "612 345 678"],
    ),
    "ro": (
        "Mi-a spus șeful Ion Popescu la ora 7, pe 3 noiembrie. Sunt singura femeie, 0722 123 456.",
        ["Ion Popescu", "la ora 7", "3 noiembrie", "singura", "0722 123 456"],
    ),
    "uk": (
        "Мене зупинив начальник Іван Петренко о 7:30, 3 листопада. Я єдина жінка тут, 050 123 45 67.",
        ["Іван Петренко", "7:30", "3 листопада", "єдина", "050 123 45 67"],
    ),
    "ar": (
        "أوقفني المدير في الساعة ٧:٣٠ يوم ٣ نوفمبر، أي ٣/١١/٢٠٢٦. أنا المرأة الوحيدة هنا، رقمي ٠٥٥١٢٣٤٥٦٧.",
        ["٧:٣٠", "٣ نوفمبر", "٣/١١/٢٠٢٦", "الوحيدة", "٠٥٥١٢٣٤٥٦٧"],
    ),
    "sq": (
        "Më ndali shefi Arben Hoxha në orën 7, më 3 nëntor. Jam e vetmja grua, 069 123 4567.",
        ["Arben Hoxha", "në orën 7", "3 nëntor", "e vetmja", "069 123 4567"],
    ),
    "zh-Hans": (
        "十一月三日早上八点，经理拦住了我。我是这里唯一的女人，电话是 055 1234567，当时 7:30。",
        ["十一月", "三日", "八点", "唯一", "055 1234567", "7:30"],
    ),
}
NAMES = {"ar": "لم تُفحص أسماء الأشخاص", "zh-Hans": "这里没有检查人名"}


@pytest.fixture(scope="module")
def channel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Channel]:
    made = make_channel(tmp_path_factory.mktemp("signs"))
    made.start()
    yield made
    made.stop()


def test_no_language_of_the_pages_is_left_out() -> None:
    assert set(TEXTS) == {path.name for path in Path("server/locale").iterdir()}


@pytest.mark.parametrize("language", sorted(TEXTS))
async def test_what_could_point_at_one_person_is_found(browser: Browser, channel: Channel, language: str) -> None:
    text, signs = TEXTS[language]
    context, page = await phone(browser, language)
    await page.goto(f"{channel.address}/concern?lang={language}#write")
    await page.fill("#text", text)
    await page.click("#to-check")
    shown = await page.locator("#findings li").all_inner_texts()
    assert [sign for sign in signs if not any(f"«{sign}»" in line for line in shown)] == [], shown
    said = await page.inner_text("#findings")
    assert NAMES.get(language, shown[0]) in said
    assert await page.evaluate("Signs.seesNames(document.getElementById('text').value)") is (language not in NAMES)
    await context.close()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("mi ha fermata mario rossi", "it"),
        ("MI HA FERMATA MARIO ROSSI", "it"),
        ("قال لي أحمد", "en"),
        ("张经理说的", "it"),
    ],
)
async def test_where_capitals_tell_nothing_the_page_says_that_names_were_not_checked(
    browser: Browser, channel: Channel, text: str, language: str
) -> None:
    context, page = await phone(browser, language)
    await page.goto(f"{channel.address}/concern?lang={language}#write")
    await page.fill("#text", text)
    await page.click("#to-check")
    said = {"it": "i nomi di persona non sono stati controllati", "en": "Names of people were not checked"}[language]
    await expect(page.locator("#findings")).to_contain_text(said)
    await context.close()
