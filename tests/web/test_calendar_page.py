"""The working calendar over HTTP: the page of the administrator and the API, with every refusal in words."""

import io

import pytest
from small_city import EAST, WEST, City

from gridmgr.account.model import Role

NOTICE = "日期,类型,名称,辖区\n2026-02-16~2026-02-18,放假,春节,\n2026-02-28,调休上班,春节,\n"
YEAR = {"year": 2026}


def sent(city: City, path: str, content: str, role: Role = Role.ADMIN, **fields):
    file = {"file": ("放假通知.csv", io.BytesIO(content.encode()), "text/csv")}
    return city.client(role).post(path, files=file, data=fields)


def days(city: City) -> dict[tuple[str, str], str]:
    found = city.client(Role.ADMIN).get("/api/calendar", params=YEAR).json()["days"]
    return {(each["day"], each["area"]): each["kind"] for each in found}


@pytest.fixture(scope="module")
def noticed(city: City) -> City:
    """The small city with the holidays of its district."""
    assert sent(city, "/api/calendar/days", NOTICE).json()["added"] == 4
    return city


def test_a_table_says_what_it_would_change_before_it_is_taken(noticed: City):
    before = days(noticed)
    other = "日期,类型,名称\n2026-02-16,放假,除夕\n2026-02-17~2026-02-18,放假,春节\n2026-03-01,调休上班,\n"
    told = sent(noticed, "/api/calendar/days", other, dry_run="true").json()
    assert {name: told[name] for name in ("added", "changed", "removed", "written")} == {
        "added": 1, "changed": 1, "removed": 1, "written": False,
    }  # fmt: skip
    assert told["rows"][0] == {
        "day": "2026-02-16", "area": "", "fate": "changed",
        "before": {"kind": "holiday", "name": "春节"}, "after": {"kind": "holiday", "name": "除夕"},
    }  # fmt: skip
    assert [each["fate"] for each in told["rows"]] == ["changed", "removed", "added"]
    page = sent(noticed, "/calendar/days", other)
    assert page.status_code == 200
    assert "尚未写入" in page.text
    assert all(f">{said}<" in page.text for said in ("放假 春节", "放假 除夕", "新增", "修改", "移除"))
    assert days(noticed) == before


def test_a_single_day_of_a_street_is_set_and_taken_back(noticed: City):
    admin = noticed.client(Role.ADMIN)
    before = days(noticed)
    path, area = "/api/calendar/days/2026-02-17", {"area": WEST}
    answer = admin.put(path, params=area, json={"kind": "makeup", "name": "春运值守"})
    assert (answer.status_code, answer.json()["added"]) == (200, 1)
    assert days(noticed) == before | {("2026-02-17", WEST): "makeup"}
    since = {"amount": 1, "since": "2026-02-16T12:00:00+08:00"}
    ends = [admin.get("/api/calendar/due", params=since | {"area": each}).json() for each in (WEST, EAST)]
    assert [each["due_at"][:13] for each in ends] == ["2026-02-17T02", "2026-02-19T02"]
    assert admin.delete(path, params=area).status_code == 204
    again = admin.delete(path, params=area)
    assert (again.status_code, again.json()["type"]) == (404, "about:blank#UnknownDay")
    assert days(noticed) == before


def test_hours_have_a_first_day_and_can_be_taken_back(noticed: City):
    admin, area = noticed.client(Role.ADMIN), {"area": WEST}
    shift = {"weekdays": [0, 1, 2, 3, 4], "spans": "22:00-06:00, 8:00-10:00"}
    set_ = admin.put("/api/calendar/hours/2026-06-01", params=area, json=shift)
    assert set_.status_code == 200, set_.text
    assert set_.json() == {
        "area": WEST, "area_name": set_.json()["area_name"], "first_day": "2026-06-01",
        "weekdays": [0, 1, 2, 3, 4], "spans": [["08:00", "10:00"], ["22:00", "06:00"]],
    }  # fmt: skip
    admin.put("/api/calendar/hours/2026-07-01", params=area, json={"as_around": True})
    kept = admin.get("/api/calendar", params=YEAR).json()["hours"]
    assert [(each["area"], each["first_day"], len(each["spans"])) for each in kept] == [
        ("", "1900-01-01", 2), (WEST, "2026-06-01", 2), (WEST, "2026-07-01", 0),
    ]  # fmt: skip

    def due(since: str) -> str:
        asked = {"amount": 3, "area": WEST, "since": since}
        return admin.get("/api/calendar/due", params=asked).json()["due_at"]

    assert due("2026-05-29T17:00:00+08:00") == "2026-06-01T02:00:00Z"  # a Friday of the old hours
    assert due("2026-06-05T22:00:00+08:00") == "2026-06-05T17:00:00Z"
    assert due("2026-07-01T09:00:00+08:00") == "2026-07-01T04:00:00Z"
    for first_day in ("2026-06-01", "2026-07-01"):
        assert admin.delete(f"/api/calendar/hours/{first_day}", params=area).status_code == 204
    gone = admin.delete("/api/calendar/hours/2026-06-01", params=area)
    assert (gone.status_code, gone.json()["type"]) == (404, "about:blank#UnknownHours")


REFUSED = [
    ("PUT", "/api/calendar/days/2026-02-20", {}, {"kind": "makeup"}, "WorkedAlready", "本来就上班"),
    ("PUT", "/api/calendar/days/2026-02-20", {"area": "999"}, {"kind": "holiday"}, "NoSuchArea", "999"),
    (
        "PUT", "/api/calendar/hours/2026-06-01", {}, {"weekdays": [0], "spans": "20:00-04:00,03:00-05:00"},
        "SpansOverlap", "20:00-04:00",
    ),
    ("PUT", "/api/calendar/hours/2026-06-01", {}, {"weekdays": [0], "spans": "9-12"}, "BadHours", "9-12"),
    ("PUT", "/api/calendar/hours/2026-06-01", {}, {"spans": "9:00-12:00"}, "BadWeekdays", "星期"),
    (
        "PUT", "/api/calendar/hours/2026-06-01", {"area": "999"}, {"weekdays": [0], "spans": "9:00-12:00"},
        "NoSuchArea", "999",
    ),
    ("PUT", "/api/calendar/hours/2026-06-01", {}, {"as_around": True}, "NothingAround", "上级辖区"),
    ("GET", "/api/calendar/due", {"amount": 4, "area": "999"}, None, "NoSuchArea", "999"),
    ("GET", "/api/calendar/due", {"amount": 900, "since": "2999-06-01T00:00:00Z"}, None, "BeyondCalendar", "100"),
    ("GET", "/api/calendar/due", {"amount": 1, "since": "0001-01-01T00:00:00Z"}, None, "BeyondCalendar", "100"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "params", "body", "kind", "words"), REFUSED)
def test_the_api_refuses_in_words(noticed: City, method, path, params, body, kind, words):
    answer = noticed.client(Role.ADMIN).request(method, path, params=params, json=body)
    assert (answer.status_code, answer.json()["type"]) == (422, f"about:blank#{kind}")
    assert words in answer.json()["detail"]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"amount": "4", "since": "2026-11-20T16:30"}, "2026-11-23 11:30"),
        ({"amount": ""}, "时限应为大于 0"),
        ({"amount": "<b>4"}, "“&lt;b&gt;4”不符合"),
        ({"amount": "nan"}, "时限应为大于 0"),
        ({"amount": "4", "since": "昨天"}, "“昨天”不是有效的日期时间"),
        ({"amount": "4", "since": "9999-12-31T23:00"}, "超出了日历的年份范围"),
        ({"amount": "4", "code": "999"}, "999"),
    ],
)
def test_the_tester_says_when_a_limit_ends_or_why_it_does_not(noticed: City, asked, words):
    client = noticed.client(Role.GRID_MEMBER)
    for headers in (
        {},
        {"hx-request": "true"},
    ):  # a page without scripts, and the part that follows the typing
        answer = client.get("/calendar/due", params=asked, headers=headers)
        assert answer.status_code == (200 if "11-23" in words else 422)
        assert words in answer.text
        assert ("<h1>" in answer.text) == (not headers)


def test_the_page_keeps_what_was_typed_when_it_refuses(noticed: City):
    admin = noticed.client(Role.ADMIN)
    day = admin.post(
        "/calendar/day", data={"day": "2026-02-20", "kind": "makeup", "name": "补班", "code": WEST}
    )
    assert day.status_code == 422
    assert "本来就上班" in day.text
    assert all(f'value="{typed}"' in day.text for typed in ("2026-02-20", "补班", WEST))
    hours = {"first_day": "2026-06-01", "code": "999", "spans": "08:00-16:00", "weekdays": ["1", "7"]}
    refused = admin.post("/calendar/hours", data=hours)
    assert refused.status_code == 422
    assert all(f'value="{typed}"' in refused.text for typed in ("2026-06-01", "999", "08:00-16:00"))
    for path, fields in [
        ("/calendar/day", {"day": "soon"}), ("/calendar/day", {"day": "2026-02-20", "kind": "party"}),
        ("/calendar/day", {"day": "2026-03-03", "do": "drop"}), ("/calendar/hours", {"first_day": "soon"}),
        ("/calendar/hours", {"first_day": "2026-03-03", "do": "drop"}),
    ]:  # fmt: skip
        assert admin.post(path, data=fields).status_code in (404, 422)
    assert admin.get("/calendar", params={"code": "999"}).status_code == 422


def test_the_page_shows_a_year_as_an_area_works_it(noticed: City):
    admin, before = noticed.client(Role.ADMIN), days(noticed)
    set_ = admin.post(
        "/calendar/day", data={"day": "2026-02-17", "kind": "makeup", "name": "值守", "code": WEST}
    )
    assert (set_.status_code, set_.headers["location"]) == (303, "/calendar?year=2026#days")
    whole = admin.get("/calendar", params=YEAR).text
    west = admin.get("/calendar", params=YEAR | {"code": WEST}).text
    assert 'class="holiday elsewhere" title="放假 春节">17' in whole
    assert 'class="makeup" title="调休上班 值守">17' in west
    admin.post("/calendar/day", data={"day": "2026-02-17", "code": WEST, "do": "drop"})
    assert days(noticed) == before


def test_only_who_manages_the_calendar_changes_it(noticed: City):
    clerk, before = noticed.client(Role.COMMUNITY_CLERK), days(noticed)
    assert clerk.get("/calendar").status_code == 200
    assert clerk.post("/calendar/day", data={"day": "2026-03-07", "kind": "makeup"}).status_code == 403
    assert clerk.put("/api/calendar/days/2026-03-07", json={"kind": "makeup"}).status_code == 403
    assert clerk.delete("/api/calendar/days/2026-02-16").status_code == 403
    assert sent(noticed, "/api/calendar/days", NOTICE, Role.COMMUNITY_CLERK).status_code == 403
    assert days(noticed) == before
