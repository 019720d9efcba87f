"""A marked word, sent through every staff page in every place where a request can hold one."""

import http.client
import ipaddress
import json
import secrets
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlencode, urlsplit

from server.check import Finding, failed, good, listed, unsure

PAGES = ("/", "/help", "/trust", "/answer", "/thanks", "/concern", "/no-such-page")
"""Pages whose headers are judged; the last is answered with 404, by us and not by the proxy."""
OVERSIZE_BYTES = 200 * 1024
LONG_HEADER_LETTERS = 40_000
SECONDS = 30
FORM = "application/x-www-form-urlencoded"
REFUSES = (OSError, http.client.HTTPException)


class AddressRefused(Exception):
    """An address that the check may not contact."""


@dataclass(frozen=True, slots=True)
class Sending:
    """One request of the canary."""

    method: str
    address: str
    body: bytes | None = None
    kind: str = FORM
    extra: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: the page without its query, the status, headers with small names, the content."""

    page: str
    status: int
    headers: dict[str, list[str]]
    content: bytes


def new_mark() -> str:
    """A word that was never written anywhere before."""
    return f"canary{secrets.token_hex(12)}"


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def allowed(url: str, public_address: str) -> SplitResult:
    """The parts of an address that may be contacted: this machine, or the organisation's own public address.

    Raises
    ------
    AddressRefused
        For any other host, or what is no web address.
    """
    try:
        parts = urlsplit(url.rstrip("/"))
        host, _ = parts.hostname or "", parts.port
        own = urlsplit(public_address).hostname
    except ValueError as problem:
        raise AddressRefused(url) from problem
    if parts.scheme not in ("http", "https") or not host or not (is_loopback(host) or host == own):
        raise AddressRefused(url)
    return parts


def sendings(mark: str) -> list[Sending]:
    """Every staff page with the mark in path, query and body; also what is refused: too large, malformed, unknown."""
    form = urlencode({"_code": mark, "_lang": mark, "_attempt": mark, "OPN1": mark, mark: mark})
    named = f"{form}&{urlencode({'_wave': mark})}"
    concern = urlencode({"code": mark, "text": mark, "do": mark, mark: mark})
    return [
        *(Sending("GET", f"{page}?mark={mark}&{mark}=1") for page in PAGES),
        *(Sending("GET", f"/{mark}{rest}") for rest in ("", f"/%2e%2e/{mark}?{mark}")),
        *(Sending("GET", f"{page}/{mark}") for page in ("/wave", "/results", "/static")),
        *(
            Sending("POST", f"{page}?{mark}", text.encode())
            for page in ("/answer", "/answer/language")
            for text in (form, named)
        ),
        Sending("POST", f"/answer?{mark}", f"{form}&a={mark * (OVERSIZE_BYTES // len(mark))}".encode()),
        Sending("POST", "/answer", b"\xff\xfe=" + form.encode()),
        *(
            Sending("POST", page, f'{{"link": "{mark}", "{mark}"'.encode(), "application/json")
            for page in (
                "/answer/words",
                "/answer/link",
                "/answer/token",
                "/answer/sealed",
                "/concern/sealed",
                "/concern/thread",
            )
        ),
        Sending("POST", f"/concern?{mark}", concern.encode()),
        Sending("POST", "/concern", f"--{mark}\r\n{mark}".encode(), f"multipart/form-data; boundary={mark}"),
        Sending("POST", f"/{mark}", form.encode()),
        Sending("DELETE", f"/answer?{mark}"),
        # A proxy refuses this one by itself, with a page of its own: no page whose headers are judged.
        Sending(
            "GET", f"/static/{mark}?long={mark}", None, FORM, (("X-Long", mark * (LONG_HEADER_LETTERS // len(mark))),)
        ),
    ]


def send(url: SplitResult, mark: str) -> list[Reply]:
    """Send the canary, each request on a connection of its own; redirects are not followed.

    A request that is cut off halfway was sent all the same: it gives no reply.

    Raises
    ------
    OSError, http.client.HTTPException
        If the very first request is not answered.
    """
    replies = []
    for number, sending in enumerate(sendings(mark)):
        try:
            replies.append(_exchange(url, sending, mark))
        except REFUSES:
            if number == 0:
                raise
    return replies


def send_to_port_80(url: SplitResult, mark: str) -> None:
    """An https address is first typed without the s: the redirect must not write anything down either."""
    if url.scheme != "https" or url.port not in (None, 443):
        return
    plain = urlsplit(f"http://{url.netloc.removesuffix(':443')}")
    for sending in (
        Sending("GET", f"/answer?{mark}"),
        Sending("GET", f"/{mark}"),
        Sending("POST", "/answer", mark.encode()),
    ):
        try:
            _exchange(plain, sending, mark)
        except REFUSES:
            continue


def public_key_at(url: SplitResult) -> str:
    """The key of the installation that answers there; empty if it tells none."""
    try:
        told = json.loads(_exchange(url, Sending("GET", "/.well-known/ascolto"), "").content)
        return str(told["key"])
    except (*REFUSES, ValueError, KeyError, TypeError):
        return ""


def _exchange(url: SplitResult, sending: Sending, mark: str) -> Reply:
    host, port = url.hostname or "", url.port
    connection = (
        http.client.HTTPSConnection(host, port, timeout=SECONDS, context=ssl.create_default_context())
        if url.scheme == "https"
        else http.client.HTTPConnection(host, port, timeout=SECONDS)
    )
    headers = {
        "User-Agent": f"Mozilla/5.0 ({mark})",
        "Referer": f"https://{mark}.invalid/{mark}",
        "Cookie": f"seen={mark}; {mark}=1",
        "Accept-Language": f"it, it-x-{mark};q=0.5",
        "Content-Type": sending.kind,
        "Connection": "close",
        **dict(sending.extra),
    }
    try:
        try:
            connection.request(sending.method, url.path + sending.address, body=sending.body, headers=headers)
        except (BrokenPipeError, ConnectionResetError):
            if connection.sock is None:
                raise
        answer = connection.getresponse()
        kept: dict[str, list[str]] = {}
        for name, value in answer.getheaders():
            kept.setdefault(name.lower(), []).append(value)
        return Reply(sending.address.partition("?")[0], answer.status, kept, answer.read())
    finally:
        connection.close()


def judge_headers(replies: Sequence[Reply], *, https: bool) -> Iterator[Finding]:
    """What every staff page must say, and what no answer to staff may."""
    pages = [reply for reply in replies if reply.page in PAGES and reply.status < 500]
    with_cookie = [_shown(reply) for reply in replies if "set-cookie" in reply.headers]
    yield failed("cookie", pages=_pages(with_cookie)) if with_cookie else good("cookie")
    wanted = {
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "content-security-policy": "default-src 'none'",
    } | ({"strict-transport-security": "max-age="} if https else {})
    for name, beginning in wanted.items():
        wrong = [
            _shown(reply)
            for reply in pages
            if len(reply.headers.get(name, [])) != 1 or not reply.headers[name][0].startswith(beginning)
        ]
        wrong += [page for page in PAGES[:-1] if page not in {reply.page for reply in pages}]
        key = name.replace("-", "_")
        yield failed(key, pages=_pages(wrong)) if wrong else good(key)


def _shown(reply: Reply) -> str:
    """The page as it may be printed: the canary's own addresses hold the mark, which must not get into a log by us."""
    return reply.page if reply.page in PAGES else "/…"


def _pages(pages: list[str]) -> str:
    return listed(list(dict.fromkeys(pages)))


def judge_scheme(url: SplitResult, *, service_says_https: bool) -> Iterator[Finding]:
    """https everywhere but on this machine: on plain http browsers give pages no cryptography, so phones can take no code."""
    if url.scheme == "https":
        yield good("https")
        yield good("https_set") if service_says_https else failed("https_set")
    elif is_loopback(url.hostname or ""):
        yield unsure("https")
    else:
        yield failed("https")
