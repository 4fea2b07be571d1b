"""Reads of supervision orders; every one starts from the cases the actor may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.queries import visible_to
from gridmgr.account.rules import Actor
from gridmgr.incident import queries as incidents
from gridmgr.incident.model import Incident
from gridmgr.supervision.model import Answering, Standing, SupervisionDeed, SupervisionOrder, UnknownOrder


@dataclass(frozen=True)
class Search:
    """What a list of orders is narrowed to; every field may be absent."""

    state: Standing | None = None
    late: bool = False  # still open, and past its time
    area: str = ""


def late() -> ColumnElement[bool]:
    """Return the SQL condition that an order is past its time and not answered."""
    return (SupervisionOrder.state == Standing.OPEN) & (SupervisionOrder.due_at < clock.now())


def is_late(order: SupervisionOrder) -> bool:
    """Say of one order what `late` says of all."""
    return order.state == Standing.OPEN and order.due_at < clock.now()


def _visible(actor: Actor) -> Select:
    """Return the statement of orders with their cases: on visible cases, and for the own body or street."""
    cases = incidents.visible(actor).with_only_columns(Incident.id)
    own = visible_to(actor, SupervisionOrder.unit_code)
    if actor.body:
        own |= SupervisionOrder.apart & (SupervisionOrder.body == actor.body)
    return (
        select(SupervisionOrder, Incident)
        .join(Incident, Incident.id == SupervisionOrder.incident_id)
        .where(SupervisionOrder.incident_id.in_(cases) | own)
    )


def page(
    session: Session, actor: Actor, search: Search, size: int, before: int | None = None
) -> list[tuple[SupervisionOrder, Incident]]:
    """Return one page of orders with their cases, the newest first, going on after the order `before`."""
    asked = _visible(actor)
    if search.state:
        asked = asked.where(SupervisionOrder.state == search.state)
    if search.late:
        asked = asked.where(late())
    if search.area:
        asked = asked.where(Incident.home.startswith(search.area, autoescape=True))
    if before is not None:
        asked = asked.where(SupervisionOrder.id < before)
    rows = session.execute(asked.order_by(SupervisionOrder.id.desc()).limit(size))
    return [tuple(row) for row in rows]


def order(session: Session, actor: Actor, order_id: int) -> tuple[SupervisionOrder, Incident]:
    """Return one order and its case.

    Raises
    ------
    UnknownOrder
    """
    row = session.execute(_visible(actor).where(SupervisionOrder.id == order_id)).first()
    if row is None:
        raise UnknownOrder(id=order_id)
    return tuple(row)


def of_case(session: Session, incident_id: int) -> list[SupervisionOrder]:
    """Return the orders on a case, the newest first."""
    asked = select(SupervisionOrder).where(SupervisionOrder.incident_id == incident_id)
    return list(session.scalars(asked.order_by(SupervisionOrder.id.desc())))


def deeds(session: Session, orders: Sequence[int]) -> dict[int, list[SupervisionDeed]]:
    """Return what was done to orders, in order."""
    asked = select(SupervisionDeed).where(SupervisionDeed.order_id.in_(orders))
    found: dict[int, list[SupervisionDeed]] = {}
    for each in session.scalars(asked.order_by(SupervisionDeed.order_id, SupervisionDeed.seq)):
        found.setdefault(each.order_id, []).append(each)
    return found


def counts(session: Session, actor: Actor) -> dict[str, int]:
    """Return how many visible orders stand in each way, and how many of the open ones are late."""
    asked = _visible(actor).with_only_columns(
        SupervisionOrder.state, func.count(), func.count().filter(late())
    )
    rows = session.execute(asked.group_by(SupervisionOrder.state)).all()
    return {state: number for state, number, _ in rows} | {"late": sum(row[2] for row in rows)}


def answering(session: Session, actor: Actor, since: datetime, until: datetime) -> list[Answering]:
    """Return how bodies and levels answered the visible orders issued between two instants, the slowest first.

    In time is what was answered by its due time; late what was answered after it, or is past it and open.
    """
    in_time = SupervisionOrder.answered_at <= SupervisionOrder.due_at
    tardy = (SupervisionOrder.answered_at > SupervisionOrder.due_at) | late()
    asked = (
        _visible(actor)
        .with_only_columns(
            SupervisionOrder.body, SupervisionOrder.level, func.count(), func.count().filter(in_time),
            func.count().filter(tardy), func.count().filter(SupervisionOrder.state == Standing.OPEN),
        )
        .where(
            SupervisionOrder.issued_at >= since, SupervisionOrder.issued_at < until,
            SupervisionOrder.state != Standing.WITHDRAWN,
        )
        .group_by(SupervisionOrder.body, SupervisionOrder.level)
    )  # fmt: skip
    found = [Answering(*row) for row in session.execute(asked)]
    return sorted(found, key=lambda each: (each.rate if each.rate is not None else 2, -each.orders))
