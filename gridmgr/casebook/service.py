"""The one verb of the casebook: open cases go along when a unit that answers for them is no more. It never commits."""

from collections.abc import Mapping

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.rules import SYSTEM
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.incident import service as incident
from gridmgr.incident.model import Incident
from gridmgr.life.model import Action
from gridmgr.life.rules import OPEN


def hand_on(session: Session, heirs: Mapping[str, str]) -> None:
    """Give open cases that the people of a unit answer for to those of its heir, with a row in their history."""
    of = or_(Incident.handler_code.in_(list(heirs)), Incident.owner_code.in_(list(heirs)))
    asked = select(Incident).where(of, Incident.state.in_(OPEN)).order_by(Incident.id)
    found = session.scalars(asked.with_for_update(key_share=True)).all()
    names = hierarchy.names(session, heirs.values(), clock.today())
    steps = []
    for each in found:
        names_now = ((each.handler, each.handler_code), (each.owner, each.owner_code))
        name, code = next(pair for pair in names_now if pair[1] in heirs)
        after = heirs[code]
        told = {
            "handler": names.get(after, after),
            "handler_code": after,
            "before": name,
            "before_code": code,
        }
        steps.append((each, told))
    incident.by_system(session, SYSTEM, Action.HAND_OVER, steps)
