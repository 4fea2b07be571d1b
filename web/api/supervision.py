"""Supervision orders: their list, those of a case, and what is done to them."""

from typing import Annotated

from fastapi import Depends, Path, Query
from pydantic import BaseModel, Field

from gridmgr.account.rules import Actor
from gridmgr.clock import TimeUnit
from gridmgr.incident import queries as incidents
from gridmgr.incident.model import Incident
from gridmgr.supervision import queries, rules, service
from gridmgr.supervision.model import Deed, Standing, SupervisionDeed, SupervisionOrder
from gridmgr.supervision.queries import Search
from web.api.schema import problems, router
from web.deps import Allow, Transaction
from web.fields import BigRowId, Code, Utc, text
from web.paging import Page, Paging, paged

routes = router("supervision")
Viewer = Annotated[Actor, Depends(Allow("supervision.view"))]
Issuer = Annotated[Actor, Depends(Allow("supervision.issue"))]
OrderId = Annotated[BigRowId, Path(description="Id of the order.")]
Note = text(rules.LONGEST_NOTE)


class OrderOut(BaseModel):
    """An order on a case: what is wanted, of whom, by when, and how it stands."""

    id: int
    number: str = Field(description="Of the case.", examples=["202601150000042"])
    wanted: str = Field(examples=["今晚 6 点前清理完毕，上传照片"])
    issuer: str = Field(examples=["林晓燕"])
    issued_at: Utc
    due_at: Utc
    body: str | None = Field(description="Who was at work when it was issued.", examples=["环卫所"])
    level: str = Field(description="Which level held the case then.", examples=["street"])
    state: Standing
    late: bool = Field(description="Not answered, and past its time.")
    answered_at: Utc | None
    returns: int
    deeds: list[Deed] = Field(description="What the caller may do to it now.")


class OrderPage(Page[OrderOut]):
    """Orders, the newest first."""


class DeedOut(BaseModel):
    """One thing done to an order."""

    deed: Deed
    actor: str
    at: Utc
    note: str


class OrdersOut(BaseModel):
    """All orders on a case, the newest first, each with what was done to it."""

    orders: list[OrderOut]
    done: dict[int, list[DeedOut]] = Field(description="By the id of the order.")


class OrderIn(BaseModel):
    """What is wanted, and within which time."""

    wanted: text(rules.LONGEST_NOTE, 1) = Field(examples=["今晚 6 点前清理完毕，上传照片"])
    amount: float = Field(gt=0, le=1000, allow_inf_nan=False, examples=[4])
    unit: TimeUnit = TimeUnit.WORKING_HOURS


class DeedIn(BaseModel):
    """What was done, or why it is not enough."""

    deed: Deed = Field(examples=["answer"])
    note: Note = Field("", examples=["已清理完毕"])


@routes.get("/supervision")
def list_orders(
    session: Transaction,
    actor: Viewer,
    paging: Annotated[Paging[int], Depends(paged("supervision", BigRowId))],
    state: Standing | None = None,
    late: Annotated[bool, Query(description="Only those past their time and not answered.")] = False,
    area: Annotated[text(32), Query(description="Code prefix of the place.")] = "",
) -> OrderPage:
    """List the supervision orders on visible cases."""
    found = queries.page(session, actor, Search(state, late, area), paging.fetch, paging.after)
    return paging.page(
        OrderPage, found, lambda row: row[0].id, lambda rows: [_out(actor, *row) for row in rows]
    )


@routes.get("/incidents/{number}/supervision", responses=problems(404))
def show_orders(number: Code, session: Transaction, actor: Viewer) -> OrdersOut:
    """Show the supervision orders on a case, and what was done to each."""
    case = incidents.by_number(session, actor, number)
    orders = queries.of_case(session, case.id)
    done = queries.deeds(session, [each.id for each in orders])
    return OrdersOut(
        orders=[_out(actor, each, case) for each in orders],
        done={order: [_deed(each) for each in deeds] for order, deeds in done.items()},
    )


@routes.post("/incidents/{number}/supervision", status_code=201, responses=problems(404, 409))
def issue_order(number: Code, told: OrderIn, session: Transaction, actor: Issuer) -> OrderOut:
    """Order that something be done on a case; its time is counted on the calendar of its place."""
    order = service.issue(session, actor, number, told.wanted, told.amount, told.unit)
    return _out(actor, order, incidents.by_number(session, actor, number))


@routes.post("/supervision/{order_id}", responses=problems(404, 409))
def do_to_order(order_id: OrderId, told: DeedIn, session: Transaction, actor: Viewer) -> OrderOut:
    """Answer, confirm, return or withdraw an order."""
    service.do(session, actor, order_id, told.deed, told.note)
    return _out(actor, *queries.order(session, actor, order_id))


def _out(actor: Actor, order: SupervisionOrder, case: Incident) -> OrderOut:
    same = {name: getattr(order, name) for name in OrderOut.model_fields if hasattr(order, name)}
    more = {"number": case.number, "issuer": order.issuer_name, "late": queries.is_late(order)}
    return OrderOut(**same | more | {"deeds": rules.deeds(actor, order, case)})


def _deed(each: SupervisionDeed) -> DeedOut:
    return DeedOut(deed=each.deed, actor=each.actor_name, at=each.at, note=each.note)
