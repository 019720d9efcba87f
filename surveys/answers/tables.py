"""The answers store: sealed envelopes and digests; no time, no order, no person.

Keys are integers only: on SQLite any other key keeps a hidden row number that tells the order of arrival.
"""

from piccolo.columns import BigInt, Boolean, Bytea, Date, Integer, Varchar
from piccolo.table import Table


class Slot(Table):
    """One place of the urn, filled with noise at opening and overwritten by at most one sealed sheet."""

    id = BigInt(primary_key=True)
    wave = Varchar(length=40)
    taken = Boolean(default=False)
    sheet = Bytea()


class Spent(Table):
    """A code that was used. The key is the first 63 bits of its digest; `attempt` is a digest too."""

    id = BigInt(primary_key=True)
    wave = Varchar(length=40)
    digest = Bytea()
    attempt = Bytea()


class Slip(Table):
    """The digest of one printed code."""

    id = BigInt(primary_key=True)
    wave = Varchar(length=40)
    digest = Bytea()


class Gate(Table):
    """A wave that takes tokens: the row goes when the wave closes, in the store of the answers and so in their commit."""

    id = BigInt(primary_key=True)
    wave = Varchar(length=40)


class SlipBatch(Table):
    """Slips that were printed together: how many, on which day, and whether they were handed over or made void. No code names its batch."""

    id = BigInt(primary_key=True)
    wave = Varchar(length=40)
    number = Integer()
    slips = Integer()
    voided = Integer(default=0)
    state = Varchar(length=8)
    day = Date(default=None, null=True)
