"""Static files by hashed name, the installation's public key, and the health of the process."""

import json
from functools import cache
from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from server.pages import STATIC, static_address
from server.settings import Settings
from surveys.public.organisation import load
from surveys.public.signing import fingerprint, installation_key, public_text
from surveys.public.waves import State, in_state

_TYPES = {"txt": "text/plain; charset=utf-8", "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}


@cache
def _by_address() -> dict[str, str]:
    return {static_address(path.name).rpartition("/")[2]: path.name for path in STATIC.iterdir() if path.is_file()}


@get("/static/{name:str}")
async def static_file(name: FromPath[str]) -> Response[bytes]:
    """Give a file whose name carries its hash; it may be kept for ever."""
    wanted = _by_address().get(name)
    if wanted is None:
        raise NotFoundException
    kind = _TYPES[wanted.rpartition(".")[2]]
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response((STATIC / wanted).read_bytes(), media_type=kind, headers=headers)


@get("/.well-known/ascolto")
async def well_known(settings: NamedDependency[Settings]) -> dict[str, Any]:
    """The installation's public key and the seal keys of open waves, to compare with what is printed."""
    public = public_text(installation_key(settings.data))
    open_waves = {wave.id: wave.seal_key.hex() for wave in await in_state(State.OPEN)}
    return {"key": public, "fingerprint": fingerprint(public), "seal_keys": open_waves}


@get("/health")
async def health() -> Response[str]:
    """Say whether the public store answers."""
    await load()
    return Response(json.dumps({"status": "ok"}), media_type="application/json")
