"""The public store: what staff may see, and nothing about any one of them."""

from piccolo.columns import JSON, BigInt, Boolean, Bytea, Date, Integer, Text, Varchar
from piccolo.table import Table


class Organisation(Table):
    """The one cooperative of this installation: names, languages, contacts, notice. One row, id 1."""

    id = BigInt(primary_key=True)
    content = JSON()


class Wave(Table):
    """One run of a questionnaire in time. Rules, plan, panel and questionnaire are frozen when it opens."""

    id = Varchar(length=40, primary_key=True)
    title = JSON()
    state = Varchar(length=12)
    starts = Date(default=None, null=True)
    ends = Date(default=None, null=True)
    opened = Date(default=None, null=True)
    closed = Date(default=None, null=True)
    released = Date(default=None, null=True)
    origin = Varchar(length=10, default="ascolto")
    panel = JSON()
    questionnaire = JSON()
    plan = JSON()
    rules = JSON()
    headcount_bands = JSON()
    messages = JSON()
    seal_key = Bytea(default=b"")
    phone_key = Bytea(default=b"")
    token_key = Bytea(default=b"")
    holders = JSON()
    signed_plan = Text(default="")
    confirmations = JSON(default="{}")
    invited = Integer(default=0)
    slips = Integer(default=0)
    drawn = Integer(default=0)
    received_tens = Integer(default=None, null=True)
    received_on = Date(default=None, null=True)
    extensions = JSON()
    read_on = Date(default=None, null=True)


class Bulletin(Table):
    """What is published when a wave closes: counts, and the sorted digests of spent codes."""

    wave = Varchar(length=40, primary_key=True)
    counts = JSON()
    digests = Text()


class ReleaseDocument(Table):
    """The signed release document of one wave, as canonical JSON."""

    wave = Varchar(length=40, primary_key=True)
    document = Text()
    pattern = Text(default="")


class Releasing(Table):
    """The last release of a wave that was begun: its step, and how it ended. No hour, and nothing of anyone."""

    wave = Varchar(length=40, primary_key=True)
    step = Varchar(length=40, default="")
    failed = Varchar(length=40, default="")
    finished = Boolean(default=False)


class Chart(Table):
    """One chart of a release, drawn once from its document."""

    id = Varchar(length=120, primary_key=True)
    wave = Varchar(length=40, index=True)
    svg = Text()
    signature = Varchar(length=88, default="")


class Evidence(Table):
    """The state of one indicator, set by a person and reviewed by another; both as written text."""

    indicator = Varchar(length=8, primary_key=True)
    state = Varchar(length=12)
    figure = Text(default="")
    source = Text(default="")
    note = Text(default="")
    valid_until = Date(default=None, null=True)
    set_by = Text()
    set_on = Date(default=None, null=True)
    reviewed_by = Text(default="")
    reviewed_on = Date(default=None, null=True)
    reviewed_mark = Varchar(length=32, default="")
    review_signature = Varchar(length=88, default="")


class EvidenceEntry(Table):
    """One act on the evidence of an indicator and what stood after it: never changed, never taken away. The day, no hour."""

    id = Varchar(length=40, primary_key=True)
    indicator = Varchar(length=8, index=True)
    number = Integer()
    day = Date()
    who = Text()
    act = Varchar(length=20)
    state = JSON()


class KeptScorecard(Table):
    """The scorecard of a year as it stood on a day, in the edition of the practice of that day: canonical JSON, signed."""

    id = Varchar(length=20, primary_key=True)
    year = Integer(index=True)
    text = Text()
    signature = Varchar(length=88)


class Promise(Table):
    """By when the management answers what a wave says, and that it did."""

    wave = Varchar(length=40, primary_key=True)
    due = Date()
    signed_by = Text()
    signed_on = Date()
    answer = JSON(default="{}")
    answered_by = Text(default="")
    answered_on = Date(default=None, null=True)
    changed_on = Date(default=None, null=True)


class EvidenceDocument(Table):
    """A dated document of an indicator: a file kept here, or a link."""

    id = Varchar(length=32, primary_key=True)
    indicator = Varchar(length=8, index=True)
    title = Text()
    day = Date(default=None, null=True)
    link = Text(default="")
    file_name = Text(default="")
    content = Bytea(default=b"")
    sha256 = Varchar(length=64, default="")


class RegisterEntry(Table):
    """One line of the register of the audit: a finding, an internal audit, a review by the management, an objective."""

    number = BigInt(primary_key=True)
    kind = Varchar(length=20)
    clause = Varchar(length=20, default="")
    indicator = Varchar(length=8, default="")
    title = Text()
    evidence = Text(default="")
    owner = Text()
    due = Date(default=None, null=True)
    closed_on = Date(default=None, null=True)
    outcome = Text(default="")
    team = Text(default="")
    set_on = Date(default=None, null=True)
    changed_on = Date(default=None, null=True)


class RegisterDocument(Table):
    """A dated document of a line of the register: a file kept here, or a link."""

    id = Varchar(length=32, primary_key=True)
    entry = BigInt(index=True)
    title = Text()
    day = Date(default=None, null=True)
    link = Text(default="")
    file_name = Text(default="")
    content = Bytea(default=b"")
    sha256 = Varchar(length=64, default="")


class RegisterAct(Table):
    """One act on a line of the register and what stood after it: never changed, never taken away. The day, no hour."""

    id = Varchar(length=40, primary_key=True)
    entry = BigInt(index=True)
    number = Integer()
    day = Date()
    who = Text()
    act = Varchar(length=20)
    state = JSON()


class Action(Table):
    """Something the organisation said it will do, by whom and by when."""

    id = Varchar(length=32, primary_key=True)
    wave = Varchar(length=40, index=True)
    indicator = Varchar(length=8, default="")
    text = Text()
    owner = Text()
    due = Date(default=None, null=True)
    done = Boolean(default=False)
    done_on = Date(default=None, null=True)
    set_on = Date(default=None, null=True)
    area = Varchar(length=1, default="")
    unit = Varchar(length=120, default="")
    changed_on = Date(default=None, null=True)


class Keyring(Table):
    """One version of the list of handlers' keys, as signed."""

    number = BigInt(primary_key=True)
    text = Text()
    signatures = JSON()


class Channel(Table):
    """The concern channel: its settings, its gate and its yearly bands. One row, id 1."""

    id = BigInt(primary_key=True)
    content = JSON()


class Comment(Table):
    """One answer to an open question, sealed to the guarantee team; in clear only when two people have let it out."""

    id = BigInt(primary_key=True)
    wave = Varchar(length=40, index=True)
    item = Varchar(length=20)
    state = Varchar(length=10, default="sealed")
    sealed = Bytea(default=b"")
    proposal = Bytea(default=b"")
    proposed_by = Varchar(length=60, default="")
    text = Text(default="")
    signature = Text(default="")


class Ring(Table):
    """One ring of version 2, as signed by two of three seats."""

    number = BigInt(primary_key=True)
    text = Text()
    signatures = JSON()


class Still(Table):
    """What lengthens a ring, as signed; one for a ring."""

    number = BigInt(primary_key=True)
    text = Text()
    signatures = JSON()
