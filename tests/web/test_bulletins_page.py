"""Reports over HTTP: list, page, PDF, map and pictures, to want one, plans, and whose they are."""

import io
from datetime import timedelta

import pytest
from pypdf import PdfReader
from small_city import SCRIPT, WEST, City

from gridmgr import clock, db
from gridmgr.account.model import Role
from gridmgr.account.rules import SYSTEM
from gridmgr.bulletin import service
from gridmgr.digest import queries as digests
from gridmgr.digest.model import Period, Subject
from gridmgr.digest.rules import span

LEADER, MEMBER = Role.STREET_LEADER, Role.GRID_MEMBER


@pytest.fixture(scope="module")
def written(city: City) -> int:
    """Write the report of a street on this week, next Monday; return its id."""
    week = span(Period.WEEK, clock.today())
    with (
        clock.travel(clock.midnight(week.last, 1) + timedelta(hours=6)),
        db.transaction(city.engine) as session,
    ):
        target = digests.target(session, Subject.STREET, WEST)
        return service.write(session, SYSTEM, target, week).id


def test_a_report_is_listed_and_read(city: City, written: int):
    leader = city.client(LEADER)
    listed = leader.get("/bulletins")
    assert (listed.status_code, f'href="/bulletins/{written}"' in listed.text) == (200, True)
    page = leader.get(f"/bulletins/{written}")
    assert page.status_code == 200
    assert f'src="/bulletins/{written}/counts.png"' in page.text
    assert "picture:" not in page.text
    assert SCRIPT not in page.text
    picture = leader.get(f"/bulletins/{written}/counts.png")
    assert (picture.headers["content-type"], picture.content[:4]) == ("image/png", b"\x89PNG")
    assert "In short" in city.client(LEADER, "en").get(f"/bulletins/{written}").text
    chart = leader.get(f"/bulletins/{written}.html")
    assert chart.headers["content-disposition"].startswith("attachment")
    assert SCRIPT not in chart.text


def test_its_pdf_is_told_by_an_etag(city: City, written: int):
    leader = city.client(LEADER)
    answer = leader.get(f"/bulletins/{written}.pdf")
    assert "工作周报" in PdfReader(io.BytesIO(answer.content)).pages[0].extract_text()
    again = leader.get(f"/bulletins/{written}.pdf", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


def test_programs_get_all_its_numbers(city: City, written: int):
    leader = city.client(LEADER)
    (row,) = leader.get("/api/bulletins", params={"subject": "street"}).json()["items"]
    assert (row["id"], row["issue"], row["name"]) == (written, 1, f"区{WEST}")
    full = leader.get(f"/api/bulletins/{written}").json()
    assert full["content"]["flow"]["reported"] == 1
    assert full["sentences"][0].startswith("本周受理 1 件")
    assert set(full["files"]) >= {"zh.pdf", "zh.html", "map.html", "days.png"}
    for name, status in (("zh.pdf", 200), ("no.png", 404), ("fr.pdf", 422)):
        assert leader.get(f"/api/bulletins/{written}/files/{name}").status_code == status


def test_nobody_else_sees_it(city: City, written: int):
    member = city.client(MEMBER)
    for path in (f"/bulletins/{written}", f"/bulletins/{written}.pdf", f"/api/bulletins/{written}"):
        assert member.get(path).status_code == 404
    assert member.get("/api/bulletins").json() == {"items": [], "next": None}
    assert member.post("/api/bulletins", json={"subject": "district"}).status_code == 403
    assert member.get("/bulletins").status_code == 200


def test_one_is_wanted_and_others_are_planned(city: City, written: int):
    leader, csrf = city.browser(LEADER)
    running = {"csrf": csrf, "subject": "district", "period": "week", "day": clock.today().isoformat()}
    assert "尚未结束" in leader.post("/bulletins/want", data=running).text
    planned = leader.post(
        "/bulletins/plan", data={"csrf": csrf, "subject": "district", "period": "month", "below": "1"}
    )
    assert planned.status_code == 303
    plans = leader.get("/api/bulletins/plans").json()["plans"]
    assert [(each["subject"], each["key"]) for each in plans][:1] == [("district", "")]
    assert len(plans) == 3
    bad = {"csrf": csrf, "subject": "street", "key": "999", "period": "week", "tell": "nobody"}
    assert "没有名为 999 的报告对象" in leader.post("/bulletins/plan", data=bad).text
    assert leader.post(f"/bulletins/plan/{plans[0]['id']}/end", data={"csrf": csrf}).status_code == 303
    assert len(leader.get("/api/bulletins/plans").json()["plans"]) == 2
    assert leader.get("/api/bulletins/due").json() == {"due": []}
