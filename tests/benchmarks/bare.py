"""An application of the same framework that reads the same form and does nothing with it: the ceiling of what answering can reach."""

import asyncio
import sys
from urllib.parse import parse_qsl

import uvloop
from litestar import Litestar, Request, get, post
from litestar.response import Redirect

from server.frame.connections import serve


@post("/answer", status_code=200)
async def submit(request: Request) -> Redirect:  # type: ignore[type-arg]  # no user, no state
    form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True, errors="strict"))
    return Redirect(f"/thanks?lang={form['_lang']}", status_code=303)


@get("/health")
async def health() -> str:
    return "ok"


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(Litestar([submit, health]), "127.0.0.1", int(sys.argv[1])))
