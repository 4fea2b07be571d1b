"""A plan of the demonstration on public notice: one micro-grid is halved, and residents say what they think."""

from datetime import timedelta
from hashlib import sha256

from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account import queries as accounts
from gridmgr.account.rules import SYSTEM
from gridmgr.boundary_plan import queries as plans
from gridmgr.boundary_plan import service as drawing
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.plan_edit import service as edits
from gridmgr.public_notice import service as notices
from gridmgr.publication import queries, service

TITLE = "大网格一分为二"
AGO = timedelta(hours=20)
SHOWN = ("李阿姨", "边界最好沿着小路走，别把一个院子分成两个网格。", "已按小路调整，楼栋不拆分。")
WAITING = ("", "新网格什么时候配网格员？")


def announce(session: Session) -> int:
    """Put a plan for the demonstration community on public notice, once; returns how many comments it got."""
    shown = [accounts.by_username(session, name) for name in ("planner", "clerk")]
    if not all(shown) or queries.page(session, SYSTEM, 1):
        return 0
    planner, clerk = (accounts.actor_of(each) for each in shown)
    begun = max(clock.now() - AGO, clock.midnight(hierarchy.editions(session)[0].effective))
    with clock.travel(begun):
        plan = drawing.create(session, planner, TITLE, clerk.grants[0].code)
        state = plans.state(session, plan, None)
        units = state.plan.units.loc[state.numbers.index]
        largest = units.to_crs(units.estimate_utm_crs()).area.idxmax()
        ground = units.geometry[largest]
        west, south, east, north = ground.bounds
        line = [[(west + east) / 2, south - 0.001], [(west + east) / 2, north + 0.001]]
        drawn = edits.draw(session, planner, plan.id, None, "split", {"code": largest, "line": line})
        found = service.submit(session, planner, plan.id, drawn.tip)
        service.announce(session, planner, found.id)
    middle = ground.representative_point()
    for n, (name, told, *reply) in enumerate((SHOWN, WAITING)):
        with clock.travel(begun + (n + 1) * (clock.now() - begun) / 3):
            sender = sha256(f"demonstration {n}".encode()).hexdigest()
            place = (middle.x, middle.y) if reply else None
            said = notices.comment(session, found.id, sender, name, told, place)
            if reply:
                notices.moderate(session, planner, found.id, said.id, True, reply[0])
    return 2
