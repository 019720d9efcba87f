"""What an installation may set, all from the environment; no secret has a default."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from surveys.stores import STORES, StoreSettings


@dataclass(frozen=True, slots=True)
class Settings:
    """Where data lives and how the outside sees us."""

    stores: StoreSettings
    https: bool = False
    """Set when a proxy speaks https for us: cookies are then marked Secure."""
    smtp: str = ""
    """``smtp://[user@]host:port`` or ``smtps://…``; without it no notice is sent."""
    smtp_password: str = ""
    mail_from: str = "ascolto@localhost"

    metrics: str = ""
    """``PORT`` on loopback, or ``HOST:PORT``; without it no figures are served."""

    @property
    def data(self) -> Path:
        return self.stores.data


def from_environment(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read ASCOLTO_DATA, ASCOLTO_DATABASE_URL, ASCOLTO_PASSWORD_PEOPLE|ANSWERS|CASES|PUBLIC, ASCOLTO_HTTPS, ASCOLTO_SMTP,
    ASCOLTO_PASSWORD_SMTP, ASCOLTO_MAIL_FROM and ASCOLTO_METRICS.

    Raises
    ------
    ValueError
        If the database address holds no ``{store}``, or what is set for figures is no address.
    """
    url = environ.get("ASCOLTO_DATABASE_URL") or None
    if url and "{store}" not in url:
        raise ValueError("ASCOLTO_DATABASE_URL must hold {store}: each store is a database of its own")
    metrics = environ.get("ASCOLTO_METRICS", "")
    if metrics and not metrics.rpartition(":")[2].isdecimal():
        raise ValueError("ASCOLTO_METRICS must be PORT or HOST:PORT")
    passwords = {
        s: environ[f"ASCOLTO_PASSWORD_{s.upper()}"] for s in STORES if f"ASCOLTO_PASSWORD_{s.upper()}" in environ
    }
    data = Path(environ.get("ASCOLTO_DATA", "data")).absolute()
    return Settings(
        StoreSettings(data, url, passwords),
        https=environ.get("ASCOLTO_HTTPS", "") == "1",
        smtp=environ.get("ASCOLTO_SMTP", ""),
        smtp_password=environ.get("ASCOLTO_PASSWORD_SMTP", ""),
        metrics=metrics,
        mail_from=environ.get("ASCOLTO_MAIL_FROM", "ascolto@localhost"),
    )
