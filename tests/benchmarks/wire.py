"""Bare HTTP over a socket, so that the client is not what is measured."""

import asyncio

FORM = b"application/x-www-form-urlencoded"
JSON = b"application/json"


async def send(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, body: bytes, kind: bytes
) -> tuple[int, bytes]:
    """Post a body and read the whole answer: its status and content."""
    writer.write(
        b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
        % (path.encode(), kind, len(body))
        + body
    )
    head = await reader.readuntil(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
    length = int(lengths[0].split(b":")[1]) if lengths else 0
    return int(head[9:12]), await reader.readexactly(length) if length else b""
