"""What strangers may cost: 100 sign-ins a second and 100 large anonymous forms at once, beside answers and one honest form."""

import asyncio
import os
import random
import re
import secrets
import sys
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlencode

from surveys.lifecycle.context import Site, today
from surveys.stores import StoreSettings, stores
from tests.benchmarks.answers import _body
from tests.benchmarks.installation import channel_beside, opened, resident_mb, served
from tests.benchmarks.wire import FORM, send

SECONDS = 15
SIGN_INS = 100
LARGE = 100
LARGE_BYTES = 9 * 1024 * 1024
ANSWERS = 200
MULTIPART = b"multipart/form-data; boundary=B"


async def _post(port: int, path: str, body: bytes, kind: bytes) -> int:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        status, _ = await send(reader, writer, path, body, kind)
        writer.close()
    except (ConnectionError, asyncio.IncompleteReadError):
        return 0
    return status


def _large(code: str) -> bytes:
    """A form with a photo that is none, as large as a form may nearly be."""
    fields = {"do": "send", "text": "x", "code": code, "part2": "1", "part6": "2"}
    parts = [
        f'--B\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    photo = b'--B\r\nContent-Disposition: form-data; name="photo"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    return b"".join([*parts, photo, b"\xff\xd8\xff" + b"\0" * LARGE_BYTES, b"\r\n--B--\r\n"])


async def _strangers(port: int, until: float) -> list[int]:
    """Sign in with invented passwords, a hundred a second; send large forms, a hundred at once, again and again."""
    statuses: list[int] = []
    large = _large("1234567890123456789012345678")

    async def forms() -> None:
        while time.monotonic() < until:
            statuses.append(await _post(port, "/concern?lang=it", large, MULTIPART))

    async def doors() -> None:
        pending: set[asyncio.Task[int]] = set()
        began, number = time.monotonic(), 0
        while time.monotonic() < until:
            body = urlencode({"name": f"nome{number % 7}", "password": secrets.token_hex(8)}).encode()
            pending.add(task := asyncio.create_task(_post(port, "/account/in", body, FORM)))
            task.add_done_callback(pending.discard)
            number += 1
            await asyncio.sleep(max(0.0, began + number / SIGN_INS - time.monotonic()))
        await asyncio.gather(*pending)

    await asyncio.gather(doors(), *(forms() for _ in range(LARGE)))
    return statuses


async def _answers(port: int, codes: list[str], until: float) -> list[float]:
    dice, taken = random.Random(3), []
    items = [(f"CUL{n}", ["1", "2", "3", "4", "5"]) for n in (1, 2, 3)]
    for number, code in enumerate(codes):
        if time.monotonic() > until:
            break
        began = time.perf_counter()
        assert await _post(port, "/answer", _body(code, number, items, dice), FORM) == 303
        taken.append(time.perf_counter() - began)
        await asyncio.sleep(SECONDS * 0.8 / len(codes))
    return sorted(taken)


async def _honest(port: int) -> list[float]:
    """Three people by hand, without a script: the page, the form, the thanks; a busy page is sent again after its time."""
    taken = []
    for _ in range(3):
        await asyncio.sleep(SECONDS / 5)
        page = (
            await asyncio.to_thread(
                lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/concern?plain&lang=en").read()
            )
        ).decode()
        number, code = (re.search(rf'name="{name}" value="([^"]+)"', page) for name in ("once", "code"))
        assert number is not None and code is not None
        parts = code[1].split()
        form = {
            "once": number[1],
            "do": "send",
            "text": "by hand",
            "code": code[1],
            "part2": parts[1],
            "part6": parts[5],
            **dict.fromkeys(re.findall(r'name="(reads\.[^"]+)"', page), "yes"),
        }
        began = time.perf_counter()
        while (status := await _post(port, "/concern?lang=en", urlencode(form).encode(), FORM)) != 200:
            assert status == 503, status
            await asyncio.sleep(1)
        taken.append(time.perf_counter() - began)
    return taken


async def _most(pid: int, until: float) -> float:
    highest = 0.0
    while time.monotonic() < until:
        highest = max(highest, resident_mb(pid))
        await asyncio.sleep(0.05)
    return highest


async def measure(folder: Path) -> list[tuple[str, str, str]]:
    data = folder / "data"
    codes, _ = opened(data, 430)
    async with stores(StoreSettings(data)) as engines:
        await channel_beside(Site(engines, data, today(), "administrator"))
    with served(data) as (address, running):
        port, until = int(address.rsplit(":", 1)[1]), time.monotonic() + SECONDS
        others = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.benchmarks.strangers", str(port), stdout=asyncio.subprocess.PIPE
        )
        await asyncio.sleep(2)
        answers, honest, memory = await asyncio.gather(
            _answers(port, codes[:ANSWERS], until), _honest(port), _most(running.pid, until)
        )
        told = (await others.communicate())[0].decode().strip()
    p99 = answers[int(len(answers) * 0.99)] * 1000
    return [
        (f"p99 of {len(answers)} answers beside them, load {os.getloadavg()[0]:.1f}", f"{p99:.0f} ms", "< 500 ms"),
        ("an honest form without a script, slowest of three", f"{max(honest):.1f} s", "< 5 s"),
        ("most memory of the web process", f"{memory:.0f} MB", "< 400 MB"),
        ("what the large forms were told", told, "503, 422"),
    ]


if __name__ == "__main__":  # a process of their own: their work is not what is measured
    found = asyncio.run(_strangers(int(sys.argv[1]), time.monotonic() + SECONDS))
    print({status: found.count(status) for status in sorted(set(found))})
