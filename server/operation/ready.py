"""`/health`: the process lives. `/ready`: it can do its work. Names and one word each; no count of anything people do."""

import json
from collections.abc import Mapping

from litestar import Response, get

from server.frame.asked import AppRequest
from server.operation.watch import Watch


@get("/health")
async def health() -> Response[str]:
    """Say that the process lives and answers; no store is asked."""
    return Response(json.dumps({"status": "ok"}), media_type="application/json")


def _words(found: Mapping[str, bool], good: bool, bad: str) -> dict[str, str]:
    return {name: "ok" if one is good else bad for name, one in found.items()}


@get("/ready")
async def ready(request: AppRequest) -> Response[str]:
    """Say which stores answer, whether the disk has room, whether the databases go by this folder of keys, and which jobs are done in time: 200 where all is well, else 503."""
    watch: Watch = request.app.state.watch
    seen = await watch.look()
    said = {
        "status": "ok" if seen.ready else "not ready",
        "stores": _words(seen.stores, True, "away"),
        "disk": "ok" if seen.room else "low",
        "folder": seen.folder,
        "jobs": _words(seen.late, False, "late"),
    }
    return Response(json.dumps(said), status_code=200 if seen.ready else 503, media_type="application/json")


HANDLERS = (health, ready)
