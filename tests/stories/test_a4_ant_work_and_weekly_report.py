"""A4 工作周报 + 蚂蚁分工: a task is cut into small claims that people pick up; the week reports itself."""

from datetime import date, timedelta

import pytest
from climbing import MONDAY, after
from little import STREET

from gridmgr import clock
from gridmgr.account import queries as accounts
from gridmgr.account import service as account_service
from gridmgr.account.model import Role
from gridmgr.account.rules import Grant
from gridmgr.attachment import service as attachment
from gridmgr.claim import queries, service
from gridmgr.claim.model import Cutting, Deed, NoPlaceLeft, NotOnDuty, Standing
from gridmgr.duty.model import Shift
from gridmgr.weekly import queries as weeks
from gridmgr.weekly import service as weekly

pytestmark = pytest.mark.db
WEEK = date(2026, 9, 7)


@pytest.fixture
def ants(district):
    """Eight grid members, two on each micro-grid; the second of each is on duty in the evening only."""
    found = []
    for n in range(8):
        grid = f"{STREET}00{n // 4 + 1}00{n // 2 % 2 + 1}"
        opened = account_service.open_account(
            district, f"ant{n}", f"网格员{n}", "a long enough password", [Grant(Role.GRID_MEMBER, grid)]
        )
        begins = after(9 if n % 2 else 0)
        district.add(
            Shift(
                account_id=opened.id, role=Role.GRID_MEMBER, code=grid, substitute=False, begins=begins,
                ends=begins + timedelta(hours=8),
            )
        )  # fmt: skip
        found.append(accounts.actor_of(opened))
    district.flush()
    return found


def test_a_typhoon_check_is_cut_into_small_claims_and_the_week_counts_them(desk, staff, ants):
    """A4 蚂蚁分工: 排查危房任务拆成小任务，在岗人员认领、办结、验收；工作周报自动生成，数字不再变化."""
    dispatcher = staff[Role.STREET_DISPATCHER]

    def at(hours: float, work):
        return desk.at(after(hours), work)

    pieces = [
        at(0, lambda g=grid: service.cut(desk.session, dispatcher, Cutting("台风前排查危房", after(8), code=g)))
        for grid in (f"{STREET}001001", f"{STREET}001002", f"{STREET}002001", f"{STREET}002002")
    ]  # fmt: skip
    together = at(
        0, lambda: service.cut(desk.session, dispatcher, Cutting("搬运沙袋", after(8), code=STREET, places=3))
    )

    # Whoever is on duty picks up what lies in the own grid; whoever is not, cannot.
    with pytest.raises(NotOnDuty):
        at(1, lambda: service.take(desk.session, ants[1], pieces[0].id))
    for ant, piece in zip(ants[::2], pieces, strict=True):
        at(1, lambda a=ant, p=piece: service.take(desk.session, a, p.id))
    for ant in ants[:6:2]:
        at(1, lambda a=ant: service.take(desk.session, a, together.id))
    with pytest.raises(NoPlaceLeft):
        at(1, lambda: service.take(desk.session, ants[6], together.id))

    # Each reports done with a note and a photo; three pieces are accepted, one comes back and is done again.
    proof = attachment.store(desk.session, ants[0], "排查.txt", "三户已转移".encode())
    files = [{"sha256": proof.sha256, "name": "排查.txt"}]
    for ant, piece in zip(ants[::2], pieces, strict=True):
        at(3, lambda a=ant, p=piece: service.do(desk.session, a, p.id, Deed.REPORT, "已排查", files))
    at(4, lambda: service.do(desk.session, dispatcher, pieces[3].id, Deed.RETURN, "漏了一户"))
    at(5, lambda: service.do(desk.session, ants[6], pieces[3].id, Deed.REPORT, "补查完毕"))
    for piece in pieces:
        at(6, lambda p=piece: service.do(desk.session, dispatcher, p.id, Deed.ACCEPT))
    assert {each.state for each in pieces} == {Standing.DONE}
    for n in (0, 2):
        at(6, lambda a=ants[n]: service.do(desk.session, a, together.id, Deed.REPORT, "搬完"))
        at(7, lambda: service.do(desk.session, dispatcher, together.id, Deed.ACCEPT))
    assert together.state == Standing.OPEN  # the third has not reported yet
    held = queries.held(desk.session, [together.id])[together.id]
    assert sorted(each.state for each in held) == ["accepted", "accepted", "at_work"]

    # The report of the week makes itself: of a person, of the people one leads, of the street.
    with clock.travel(after(24 * 7)):
        (own,) = weeks.people(desk.session, ants[0], WEEK)
        assert (own.pieces, own.hours) == (2, 8.0)
        led = {each.key: each.pieces for each in weeks.people(desk.session, staff[Role.STREET_LEADER], WEEK)}
        assert {key: number for key, number in led.items() if number} == {
            "ant0": 2, "ant2": 2, "ant4": 1, "ant6": 1,
        }  # fmt: skip
        (street,) = weeks.streets(desk.session, staff[Role.STREET_LEADER], WEEK)
        assert (street.pieces, street.hours) == (6, 64.0)

    # What happens later, or is written into the roster later, leaves the week as it was.
    at(24 * 7 + 1, lambda: weekly.keep_last(desk.session))
    at(24 * 7 + 2, lambda: service.do(desk.session, ants[4], together.id, Deed.REPORT, "补报"))
    at(24 * 7 + 2, lambda: service.do(desk.session, dispatcher, together.id, Deed.ACCEPT))
    desk.session.add(
        Shift(
            account_id=ants[0].id, role=Role.GRID_MEMBER, code=STREET, substitute=False, begins=MONDAY,
            ends=after(20),
        )
    )  # fmt: skip
    desk.session.flush()
    with clock.travel(after(24 * 8)):
        assert weeks.streets(desk.session, staff[Role.STREET_LEADER], WEEK) == [street]
        (after_,) = weeks.streets(desk.session, staff[Role.STREET_LEADER], WEEK + timedelta(days=7))
        assert after_.pieces == 1
