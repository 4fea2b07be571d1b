"""Duty over HTTP: the page of those who lead, the API, what a grid member sees, and every refusal in words."""

import io
from datetime import timedelta

import pytest
from small_city import MEMBER_GRID, WEST, City

from gridmgr import clock
from gridmgr.account.model import Role
from web import deps

HEAD = "用户名,岗位,辖区编码,日期,时段,主副岗\n"


def roster(city: City, **changes) -> str:
    """Return a roster of the grid member for this week, by day."""
    monday = clock.today() - timedelta(days=clock.today().weekday())
    usual = {
        "user": Role.GRID_MEMBER.value, "role": "网格员", "area": MEMBER_GRID,
        "days": f"{monday}~{monday + timedelta(days=6)}", "hours": "00:00-24:00", "part": "主岗",
    }  # fmt: skip
    return HEAD + ",".join((usual | changes).values()) + "\n"


def sent(city: City, path: str, content: str, role: Role = Role.STREET_DISPATCHER, **fields):
    file = {"file": ("排班.csv", io.BytesIO(content.encode()), "text/csv")}
    return city.client(role).post(path, files=file, data=fields)


def test_a_roster_is_checked_then_taken_and_shown(city: City):
    table = roster(city)
    page = sent(city, "/duty/shifts", table)
    assert page.status_code == 200
    assert "尚未写入" in page.text
    told = sent(city, "/api/duty/shifts", table, dry_run="true").json()
    assert (told["turns"], told["replaced"], told["written"], told["gaps"]) == (7, 0, False, [])
    assert "已导入" in sent(city, "/duty/shifts", table, do="import").text
    home = MEMBER_GRID
    shown = city.client(Role.STREET_DISPATCHER).get("/duty", params={"area": home}).text
    assert shown.count('class="turn"') == 7
    found = city.client(Role.GRID_MEMBER).get("/api/duty", params={"area": home}).json()
    assert [(each["role"], each["away"]) for each in found["now"] if each["begins"]] == [
        ("grid_member", False)
    ]
    listed = city.client(Role.GRID_MEMBER).get("/api/duty/shifts", params={"size": 3}).json()
    assert (len(listed["items"]), listed["next"] is not None) == (3, True)


def test_a_bad_roster_names_row_column_and_reason(city: City):
    page = sent(city, "/duty/shifts", roster(city, user="谁也不是", hours="25点"))
    assert page.status_code == 422
    assert "时段" in page.text
    answer = sent(city, "/api/duty/shifts", roster(city, user="谁也不是"), Role.ADMIN)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "用户名"


def test_leave_is_noted_covered_and_ended(city: City):
    leader = city.client(Role.STREET_DISPATCHER)
    now = clock.local(clock.now())
    form = {
        "username": Role.GRID_MEMBER.value, "begins": f"{now:%Y-%m-%dT%H:%M}",
        "ends": f"{now + timedelta(days=1):%Y-%m-%dT%H:%M}", "cover": "", "reason": "<b>年休</b>",
    }  # fmt: skip
    refused = leader.post("/duty/leave", data=form | {"ends": "昨天"})
    assert (refused.status_code, "昨天" in refused.text) == (422, True)
    assert leader.post("/duty/leave", data=form).status_code in (200, 303)
    page = leader.get("/duty").text
    assert "&lt;b&gt;年休&lt;/b&gt;" in page
    assert "<b>年休</b>" not in page
    twice = leader.post("/duty/leave", data=form)
    assert twice.status_code == 409
    (leave,) = leader.get("/api/duty/leave").json()["items"]
    home = MEMBER_GRID
    found = city.client(Role.GRID_MEMBER).get("/api/duty", params={"area": home}).json()["now"]
    assert any(each["away"] and each["cover"] is None for each in found)
    assert leader.delete(f"/api/duty/leave/{leave['id']}").status_code == 204
    assert leader.get("/api/duty/leave").json()["items"] == []
    assert leader.delete("/api/duty/leave/999999").status_code == 404


@pytest.mark.parametrize(
    "path", ["/duty", "/duty?day=gestern&unit=999", "/duty?day=9999-12-31", "/duty?after=x"]
)
def test_odd_questions_are_answered(city: City, path: str):
    answer = city.client(Role.STREET_DISPATCHER).get(path)
    assert answer.status_code in (200, 403, 404, 422)


def test_a_grid_member_may_look_in_the_own_area_and_lead_nobody(city: City):
    member = city.client(Role.GRID_MEMBER)
    page = member.get("/duty")
    assert page.status_code == 200
    assert "/duty/shifts" not in page.text
    assert member.get("/api/duty", params={"area": WEST}).status_code == 403
    assert sent(city, "/api/duty/shifts", roster(city), Role.GRID_MEMBER).status_code == 403


def test_the_week_leaves_as_a_table_that_can_be_brought_back(city: City):
    leader = city.client(Role.STREET_DISPATCHER)
    book = leader.get("/duty.xlsx")
    assert book.status_code == 200
    file = {"file": ("排班.xlsx", io.BytesIO(book.content), "application/octet-stream")}
    told = leader.post("/api/duty/shifts", files=file, data={"dry_run": "true"})
    assert (told.status_code, told.json()["turns"], told.json()["replaced"]) == (200, 7, 7)


def test_those_who_are_on_duty_and_no_others_are_read_of_the_database_once(city: City):
    from gridmgr import db
    from gridmgr.duty import queries

    with db.transaction(deps.engine()) as session:
        first = queries.seats(session)
    with db.transaction(deps.engine()) as session:
        assert queries.seats(session) is first
