"""Workers that pages ask for: few at once, whoever asks for how many; a release waits for none of them."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from server.processes import workers
from server.settings import Settings
from surveys.stores import StoreSettings


async def test_fifty_papers_at_once_are_set_two_by_two_and_a_release_waits_for_none_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Done by one account: each paper asked for began a process of a hundred megabytes, and staff waited for half a minute."""
    settings = Settings(StoreSettings(tmp_path))
    now: dict[str, int] = {"print": 0, "release": 0}
    most = dict(now)

    class Held:
        def __init__(self, command: str) -> None:
            self.command, self.stdin, self.stdout = command, self, self
            now[command] += 1
            most[command] = max(most[command], now[command])
            self.lines = [b'{"result": {}}']

        def write(self, _: bytes) -> None: ...
        def close(self) -> None: ...
        def __aiter__(self) -> "Held":
            return self

        async def __anext__(self) -> bytes:
            await asyncio.sleep(0.01)
            if not self.lines:
                raise StopAsyncIteration
            return self.lines.pop()

        async def wait(self) -> int:
            now[self.command] -= 1
            return 0

    async def begun(*given: Any, **_: Any) -> Held:
        return Held(given[3])

    monkeypatch.setattr(asyncio, "create_subprocess_exec", begun)
    papers = [asyncio.create_task(workers.run(settings, "print", {}, seconds=5)) for _ in range(50)]
    await asyncio.sleep(0.03)
    assert await workers.run(settings, "release", {}) == {}
    assert not all(paper.done() for paper in papers)
    assert await asyncio.gather(*papers) == [{}] * 50
    assert most == {"print": 2, "release": 1}
