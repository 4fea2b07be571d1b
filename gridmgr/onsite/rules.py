"""Which check a case waits for, and whom to send. No session, no time of day."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from gridmgr.incident.model import Incident
from gridmgr.incident.rules import PUBLIC
from gridmgr.life.model import Action, State
from gridmgr.onsite.model import How, Kind

LONGEST_NOTE = 200


def wanted(case: Incident) -> Kind | None:
    """Return which check on site a case waits for now, None if for none.

    Rule: field.md §3: 核实 of what the public reports before it is accepted, 核查 of what was fed back.
    """
    if case.state == State.REPORTED and case.source in PUBLIC and case.confirmed is None:
        return Kind.CONFIRM
    return Kind.VERIFY if case.state == State.FED_BACK else None


DONE_BY = {
    Kind.CONFIRM: frozenset({Action.CONFIRM, Action.SETTLE}),
    Kind.VERIFY: frozenset({Action.VERIFY, Action.REWORK}),
}
"""The steps that are what somebody was sent for."""


@dataclass(frozen=True)
class Walker:
    """Somebody who could look on site: how found, and how far the own area is from the place."""

    account_id: int
    how: How
    distance_m: float = 0.0


def nearest(walkers: Iterable[Walker], tried: Collection[int], unfit: Collection[int]) -> Walker | None:
    """Return whom to send: the own grid's member, else the nearest, else the leader, else the clerk.

    Nobody is sent twice, and nobody checks the own work.
    """
    able = [one for one in walkers if one.account_id not in tried and one.account_id not in unfit]
    order = list(How)
    return min(able, key=lambda one: (order.index(one.how), one.distance_m, one.account_id), default=None)
