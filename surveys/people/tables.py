"""The people store: who works here and how to reach them, accounts and the log; never an answer."""

from piccolo.columns import JSON, BigInt, Boolean, Bytea, Date, Integer, Text, Timestamptz, Varchar
from piccolo.table import Table


class Unit(Table):
    """A box of the organisation chart: cooperative, territory, service or team."""

    code = Varchar(length=120, primary_key=True)
    name = Text()
    parent = Varchar(length=120, default="")
    position = Integer(default=0)


class Person(Table):
    """One person of the staff. `number` is what HR knows her by, "" while the list has no numbers; `consent` is HR's note
    of her consent to be written to by e-mail or text message."""

    id = BigInt(primary_key=True)
    name = Text()
    contact = Text(default="")
    language = Varchar(length=10, default="")
    unit = Varchar(length=120, index=True)
    gender = Varchar(length=10, default="")
    age = Varchar(length=10, default="")
    joined = Date(default=None, null=True)
    attributes = JSON()
    number = Varchar(length=60, default="")
    consent = Text(default="")


class PersonLeft(Table):
    """Who left the list: the row that she had, by her number alone. Who comes back within a year is no newcomer (`Panel`)."""

    id = BigInt(primary_key=True)
    number = Varchar(length=60)
    joined = Date(default=None, null=True)
    day = Date(default=None, null=True)


class ListDraft(Table):
    """A new staff list that was read and waits for HR's yes: for an hour, one an account. `mark` is of the list it was held against."""

    id = Varchar(length=43, primary_key=True)
    account = Varchar(length=60)
    ends = Timestamptz(default=None, null=True)
    mark = Varchar(length=64)
    content = Text()


class ListBefore(Table):
    """The staff list as it was before the last import, for thirty days: one row."""

    id = Integer(primary_key=True)
    day = Date(default=None, null=True)
    actor = Text()
    content = Text()


class Panel(Table):
    """Who was invited to a wave, and by which channel; `issued` is a day, or nothing.

    Of a personal link only the digest is kept. `asked` and `signed` are the digest of the one blinded value that was
    signed and its signature, for a phone that asks again with the same; neither tells anything of the token. `before` is
    the day of an earlier issue, where two keys allowed a second one.
    """

    id = BigInt(primary_key=True)
    wave = Varchar(length=40, index=True)
    person = BigInt()
    channel = Varchar(length=8)
    issued = Date(default=None, null=True)
    before = Date(default=None, null=True)
    link = Bytea(default=b"", index=True)
    asked = Bytea(default=b"")
    signed = Bytea(default=b"")


class Outbox(Table):
    """A message to one panel member: waiting, sent, failed or mended. Its text and its link are made as it leaves, never kept.

    `member` is wiped as it leaves. Of one that failed it stays where it is `named`: the same message went to everybody of the
    channel, so that it tells nothing of who has a code. `claim` is a random number while it is being sent, else 0.
    """

    id = BigInt(primary_key=True)
    wave = Varchar(length=40, index=True)
    kind = Varchar(length=12)
    state = Varchar(length=8, default="waiting")
    member = BigInt(default=0)
    tries = Integer(default=0)
    day = Date(default=None, null=True)
    named = Boolean(default=False)
    claim = BigInt(default=0)


class TwoKeyAct(Table):
    """What one account asks for and another must confirm; `person` is wiped as soon as the act is settled."""

    id = BigInt(primary_key=True)
    wave = Varchar(length=40, index=True)
    act = Varchar(length=12)
    state = Varchar(length=10, default="asked")
    person = BigInt(default=0)
    family = Varchar(length=12, default="")
    k = Integer(default=0)
    asked_by = Varchar(length=60)
    asked_on = Date(default=None, null=True)
    settled_by = Varchar(length=60, default="")


class Headcount(Table):
    """How many panel members a planned view has, frozen when the wave opened."""

    id = Varchar(length=200, primary_key=True)
    wave = Varchar(length=40, index=True)
    view = Varchar(length=150)
    people = Integer()


class Account(Table):
    """Somebody who signs in: HR, holder, handler, auditor. Never a respondent.

    `failures` and `locked_until` are of an earlier version; what fails is counted in `Attempts`.
    """

    name = Varchar(length=60, primary_key=True)
    role = Varchar(length=20)
    password = Text()
    failures = Integer(default=0)
    locked_until = Timestamptz(default=None, null=True)


class Session(Table):
    """A signed-in browser: the digest of its token, nothing else of it. `idle` is when it ends unless it is used before; `coded`
    says whether it began with a one-time code; `mark` holds account, role, end and token together under a key outside the databases."""

    digest = Varchar(length=64, primary_key=True)
    account = Varchar(length=60, index=True)
    expires = Timestamptz(default=None, null=True)
    idle = Timestamptz(default=None, null=True)
    day = Date(default=None, null=True)
    failures = Integer(default=0)
    coded = Boolean(default=False)
    mark = Varchar(length=64, default="")


class Attempts(Table):
    """What failed at one lock (the password or the codes of an account) since it was last opened, and until when it waits.

    One row a lock is for all names that nobody has: a stranger's attempt costs the same work whatever name he tries.
    """

    lock = Varchar(length=80, primary_key=True)
    failures = Integer(default=0)
    waits_until = Timestamptz(default=None, null=True)
    day = Date(default=None, null=True)
    failed_today = Integer(default=0)


class Device(Table):
    """A browser that signed in to an account before: the digest of its token and the account's name together."""

    digest = Varchar(length=64, primary_key=True)
    account = Varchar(length=60, index=True)
    failures = Integer(default=0)
    day = Date(default=None, null=True)


class LogEntry(Table):
    """One act of an account or of the program, by day, chained to the one before."""

    number = BigInt(primary_key=True)
    day = Date(default=None, null=True)
    actor = Text()
    act = Varchar(length=40)
    details = JSON()
    digest = Bytea()


class StepBegun(Table):
    """A step of a wave's life that was begun and is not over (`surveys.lifecycle.steps`): what, by whom, on which day.

    `said` tells whether the log has the act that tells it; `mark` holds the rest together under a key outside the databases.
    """

    id = Varchar(length=80, primary_key=True)
    wave = Varchar(length=40, index=True)
    step = Varchar(length=30)
    day = Date(default=None, null=True)
    actor = Text()
    details = JSON()
    said = Boolean(default=False)
    mark = Varchar(length=64, default="")


class SecondFactor(Table):
    """The shared secret of an account's one-time codes (RFC 6238), and the last code's counter, so that none works twice."""

    account = Varchar(length=60, primary_key=True)
    secret = Bytea()
    last = BigInt(default=0)


class ReportedYear(Table):
    """The figures of one reporting year as HR gave them (`analysis.pdr125.year_figures`), where they are from, who typed them and when.

    Here and in no other store: pay by level and gender tells what single people earn.
    """

    year = Integer(primary_key=True)
    figures = JSON()
    source = Text()
    typed_by = Varchar(length=60)
    typed_on = Date(default=None, null=True)
