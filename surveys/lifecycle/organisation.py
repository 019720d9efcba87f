"""The organisation as HR describes it; where its invitations lead, in the log of acts."""

from surveys.lifecycle.context import Site
from surveys.people import log
from surveys.public import organisation
from surveys.public.organisation import OrganisationRecord


async def keep(site: Site, record: OrganisationRecord) -> None:
    """Keep it; another address, to which links, slips and posters lead from now on, is read by the representative."""
    before = await organisation.load()
    await organisation.save(site.engines["public"], record)
    if before is None or record.address != before.address:
        await log.record(site.engines["people"], site.day, site.actor, "address changed", address=record.address)
