"""A new secret for one-time codes: drawn, shown as a picture that an app reads, and read back from a form."""

import os
from base64 import b32decode, b32encode
from urllib.parse import quote

SECRET_BYTES = 20


def drawn(name: str) -> tuple[str, str]:
    """A new secret for one-time codes: as text, and as the picture that an app reads."""
    text = b32encode(os.urandom(SECRET_BYTES)).decode()
    return text, picture_of(name, text)


def picture_of(name: str, secret: str) -> str:
    """The address of a secret (otpauth) as a QR."""
    import segno

    code = segno.make(f"otpauth://totp/Ascolto:{quote(name)}?secret={secret}&issuer=Ascolto", error="m")
    return str(code.svg_data_uri(scale=4, border=2, light="#fff"))


def secret_of(text: str) -> bytes | None:
    """Read a secret that a form brings back, if it is one."""
    try:
        secret = b32decode(text)
    except ValueError:
        return None
    return secret if len(secret) == SECRET_BYTES else None
