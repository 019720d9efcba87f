"""Figures for whoever runs the machine, in Prometheus' text format, on an address of their own that is off unless it is set.

What respondents, reporters and handlers do is counted nowhere: a counter that is read every 15 seconds tells when somebody
answered. Requests and their times are those of the other desks alone, under the desk's name.
"""

import asyncio
import shutil
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from server.frame import faults
from server.operation.watch import Watch
from server.processes import successes

DESKS = ("hr", "keys", "audit", "account")
BUCKETS = (0.1, 0.5, 2.0, 10.0)
"""Seconds."""
ASKING_SECONDS = 5
GIGABYTE = 10**9
WAITING_STEP = 10


class Tally:
    """Requests of the desks since this process began: by desk and class of status, and how long they took."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, str]] = Counter()
        self._took: dict[str, Counter[float]] = {desk: Counter() for desk in DESKS}

    @staticmethod
    def desk_of(path: str) -> str:
        """The desk that an address belongs to; empty for everything that is not counted."""
        first = path.split("/", 2)[1] if path.startswith("/") else ""
        return first if first in DESKS else ""

    def count(self, desk: str, status: int, seconds: float) -> None:
        """Count one answered request of a desk."""
        self._requests[desk, f"{status // 100}xx"] += 1
        self._took[desk][next((bound for bound in BUCKETS if seconds <= bound), float("inf"))] += 1

    def lines(self) -> list[str]:
        said = ["# TYPE ascolto_requests_total counter"]
        said += [
            f'ascolto_requests_total{{desk="{d}",status="{s}"}} {n}' for (d, s), n in sorted(self._requests.items())
        ]
        said += ["# TYPE ascolto_request_seconds histogram"]
        for desk, took in self._took.items():
            upto = 0
            for bound in (*BUCKETS, float("inf")):
                upto += took[bound]
                named = "+Inf" if bound == float("inf") else f"{bound:g}"
                said.append(f'ascolto_request_seconds_bucket{{desk="{desk}",le="{named}"}} {upto}')
            said.append(f'ascolto_request_seconds_count{{desk="{desk}"}} {upto}')
        return said


def _gauge(name: str, label: str, values: Mapping[str, int]) -> list[str]:
    return [f"# TYPE {name} gauge", *(f'{name}{{{label}="{key}"}} {value}' for key, value in sorted(values.items()))]


async def text(tally: Tally, watch: Watch, data: Path) -> str:
    """All figures. Room is told in whole gigabytes, waiting messages in tens, rounded up."""
    seen = await watch.look()
    minutes = {job: int(minute.timestamp()) for job, minute in successes.read(data).items()}
    said = tally.lines() + _gauge("ascolto_store_up", "store", {store: int(up) for store, up in seen.stores.items()})
    said += _gauge("ascolto_job_last_success_timestamp_seconds", "job", minutes)
    said += _gauge("ascolto_queue_length", "queue", {"mail": -(-seen.mail_waiting // WAITING_STEP) * WAITING_STEP})
    with suppress(OSError):
        free = shutil.disk_usage(data).free // GIGABYTE
        said += ["# TYPE ascolto_disk_free_gigabytes gauge", f"ascolto_disk_free_gigabytes {free}"]
    return "\n".join([*said, ""])


async def serve(address: str, tally: Tally, watch: Watch, data: Path) -> asyncio.Server:
    """Listen on ``PORT`` of loopback, or on ``HOST:PORT``; the caller closes the server.

    Raises
    ------
    OSError
        If the address is taken.
    """
    host, _, port = address.rpartition(":")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(ASKING_SECONDS):
                asked = await reader.readuntil(b"\r\n\r\n")
                found = asked.startswith(b"GET /metrics ")
                body = (await text(tally, watch, data)).encode() if found else b""
                status = "200 OK" if found else "404 Not Found"
                head = (
                    f"HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {len(body)}\r\n"
                )
                writer.write(head.encode() + b"Connection: close\r\n\r\n" + body)
                await writer.drain()
        except (OSError, EOFError, asyncio.LimitOverrunError):
            pass  # whoever asked went away, was slow or asked for too much
        except Exception as problem:
            faults.note("metrics", problem)
        finally:
            writer.close()

    return await asyncio.start_server(answer, host.strip("[]") or "127.0.0.1", int(port), limit=8192)
