"""Every place where nouns meet: what happened, and who listens. Read it top to bottom, it is all there is."""

from sqlalchemy.orm import Session

from gridmgr import jobs
from gridmgr.account.rules import SYSTEM
from gridmgr.hierarchy.model import EditionPublished
from gridmgr.incident import service as incident


def _rehome_open_cases(session: Session, event: EditionPublished) -> None:
    """Open cases move to the units that now hold their place."""
    incident.rehome_open(session, SYSTEM)


def _prepare_maps(session: Session, event: EditionPublished) -> None:
    """Tiles and the locator of the new state are made in the background."""
    jobs.defer(session, jobs.PREPARE_MAPS)


REACTIONS = {
    EditionPublished: [_rehome_open_cases, _prepare_maps],
}
