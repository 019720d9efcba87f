"""Static files by hashed name, the installation's public key, and the health of the process."""

import hashlib
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


@get("/answer-worker.js")
async def answer_worker() -> Response[bytes]:
    """The service worker of the answer page; its address, without a hash, bounds what it may see to ``/answer``."""
    return Response((STATIC / "answer-worker.js").read_bytes(), media_type=_TYPES["js"])


@get("/.well-known/ascolto")
async def well_known(settings: NamedDependency[Settings]) -> dict[str, Any]:
    """The installation's public key, and of open waves the seal keys and token keys (SHA-256), to compare with what is printed."""
    public = public_text(installation_key(settings.data))
    waves = await in_state(State.OPEN)
    return {
        "key": public, "fingerprint": fingerprint(public),
        "seal_keys": {wave.id: wave.seal_key.hex() for wave in waves},
        "phone_keys": {wave.id: wave.phone_key.hex() for wave in waves},
        "token_keys": {wave.id: hashlib.sha256(wave.token_key).hexdigest() for wave in waves if wave.token_key},
    }  # fmt: skip


@get("/health")
async def health() -> Response[str]:
    """Say whether the public store answers."""
    await load()
    return Response(json.dumps({"status": "ok"}), media_type="application/json")
