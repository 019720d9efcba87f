"""The organisation as HR describes it; what changed of it, and where its invitations lead, in the log of acts."""

from dataclasses import asdict

from surveys.lifecycle.context import Site
from surveys.people import log
from surveys.public import organisation
from surveys.public.organisation import OrganisationRecord


async def keep(site: Site, record: OrganisationRecord, seen: str | None = None) -> None:
    """Keep it. The representative reads which parts changed, help and notice among them, and another address by name: to that
    links, slips and posters lead from now on.

    Raises
    ------
    OrganisationChanged
        If it is not any more what `seen` is the mark of. Nothing was changed.
    """
    before = await organisation.load()
    await organisation.save(site.engines["public"], record, seen)
    people, was, now = site.engines["people"], asdict(before) if before else {}, asdict(record)
    if changed := sorted(name for name in now if now[name] != was.get(name)):
        await log.record(people, site.day, site.actor, "organisation changed", parts=", ".join(changed))
    if "address" in changed:
        await log.record(people, site.day, site.actor, "address changed", address=record.address)
