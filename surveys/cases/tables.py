"""The cases store. In clear: states, days, public keys, sizes. Keys of rows are drawn or hashed: no order of arrival."""

from piccolo.columns import JSON, BigInt, Boolean, Bytea, Date, Integer, Text, Varchar
from piccolo.table import Table


class Case(Table):
    """One code and what came under it. `locator` and `auth` are SHA-256 of what the code derives.

    State and days only schedule: what a person reads of them comes from signed letters. `words`: what each reader's desk (a blind
    name) last found in them, and of how many letters. `reader` and `signer` are of version 1.
    """

    id = BigInt(primary_key=True)
    version = Integer(default=1)
    locator = Bytea(unique=True, index=True)
    auth = Bytea()
    reader = Text(default="")
    signer = Varchar(length=64, default="")
    state = Varchar(length=12)
    received = Date(default=None, null=True)
    acknowledged = Date(default=None, null=True)
    outcome = Date(default=None, null=True)
    written = Date(default=None, null=True)
    contested = Boolean(default=False)
    rekey = Boolean(default=False)
    holds = JSON()
    held = Boolean(default=False)
    recovered = Date(default=None, null=True)
    ender = Bytea(default=b"")
    ended = Boolean(default=False)
    words = Text(default="")


class Epoch(Table):
    """A key that a stream of messages is sealed to. Version 1 kept its public half (`recipient`); version 2 keeps none, so
    that only readers can write, and `link`: the private half of the epoch before, sealed to this one. `at`: the letter
    that brought it. Until somebody other than
    its `maker` (a blind name) has opened it, it is not `confirmed`, and whoever read before still reads."""

    id = BigInt(primary_key=True)
    case = BigInt(index=True)
    stream = Varchar(length=8)
    number = Integer()
    recipient = Text(default="")
    link = Bytea(default=b"")
    at = Integer(default=0)
    confirmed = Boolean(default=True)
    maker = Bytea(default=b"")


class Wrap(Table):
    """An epoch's private half sealed to one reader; `reader` is an HMAC under K_cases. Ten an epoch, eight in version 1."""

    id = BigInt(primary_key=True)
    epoch = BigInt(index=True)
    reader = Bytea()
    sealed = Bytea()


class Message(Table):
    """One sealed message; `number` counts in its stream. A `replacement` without its content waits until a second reader has
    looked that nothing else was changed."""

    id = BigInt(primary_key=True)
    case = BigInt(index=True)
    stream = Varchar(length=8)
    number = Integer()
    epoch = Integer()
    sealed = Bytea()
    replacement = Bytea(default=b"")
    maker = Bytea(default=b"")


class Piece(Table):
    """A part of a sealed attachment; without a case it waits two days in the spool."""

    id = BigInt(primary_key=True)
    upload = Bytea(index=True)
    case = BigInt(default=None, null=True, index=True)
    number = Integer()
    sealed = Bytea()
    arrived = Date(default=None, null=True)


class Handler(Table):
    """A handler's own sealed key bundle, training and absence. `contact` gets the daily notice."""

    name = Varchar(length=60, primary_key=True)
    salt = Bytea()
    bundle = Text()
    recipient = Text()
    signer = Varchar(length=64)
    statement = Text(default="")
    contact = Text(default="")
    trained = Date(default=None, null=True)
    away_from = Date(default=None, null=True)
    away_until = Date(default=None, null=True)


class DeskLine(Table):
    """One act of a handler, sealed under K_cases and chained to the one before."""

    number = BigInt(primary_key=True)
    sealed = Bytea()
    digest = Bytea()


class Tally(Table):
    """How many cases a year had, and how many missed a time: counted when the year is over or a case is deleted."""

    year = Integer(primary_key=True)
    cases = Integer(default=0)
    late = Integer(default=0)
