"""Categories over HTTP: the administrator's page and the API; what is only checked is not written."""

import io

import pytest
from small_city import CATEGORY, SCRIPT, City

from gridmgr.account.model import Role

HEAD = ",".join(CATEGORY)
ROW = ",".join(map(str, CATEGORY.values()))
FUTURE = "2027-01-01"  # other tests report under today's table


def table(*rows: str) -> str:
    return "\n".join((HEAD, *rows)) + "\n"


@pytest.fixture
def sent(city: City):
    browser, csrf = city.browser(Role.ADMIN)

    def send(content: str, do: str, **fields):
        file = {"file": ("事项.csv", io.BytesIO(content.encode()), "text/csv")}
        data = {"csrf": csrf, "do": do, "effective": FUTURE} | fields
        return browser.post("/categories/import", files=file, data=data)

    return send


def in_force(city: City, day: str) -> set[str]:
    found = city.client(Role.ADMIN).get("/api/categories", params={"at": day}).json()["items"]
    return {each["code"] for each in found}


def test_a_table_is_checked_then_published_for_a_day_to_come(city: City, sent):
    fresh = table(ROW.replace("环卫所", "城管局"), ROW.replace("0201", "0299").replace("暴露垃圾", SCRIPT))
    checked = sent(fresh, "check", title="新版")
    assert checked.status_code == 200 and SCRIPT not in checked.text
    assert "环卫所 → 城管局" in checked.text and "0299" in checked.text
    assert in_force(city, FUTURE) == {"0201"}
    assert sent(fresh, "publish", title="新版").status_code == 200
    assert (in_force(city, FUTURE), in_force(city, "2026-12-31")) == ({"0201", "0299"}, {"0201"})
    assert sent(fresh, "publish", title="新版").status_code == 409
    page = city.client(Role.ADMIN).get("/categories", params={"at": FUTURE}).text
    assert "新版" in page and "城管局" in page and SCRIPT not in page


def test_bad_cells_are_named_and_nothing_is_published(city: City, sent):
    before = in_force(city, FUTURE)
    answer = sent(table(ROW, ROW.replace("event", "吃饭").replace("0201", "0202")), "publish")
    assert answer.status_code == 422 and "吃饭" in answer.text
    assert sent("", "publish").status_code in (400, 422)
    assert sent(table(ROW), "publish", effective="2026-02-30").status_code == 422
    assert in_force(city, FUTURE) == before


def test_the_table_can_be_taken_away_and_brought_back(city: City):
    admin = city.client(Role.ADMIN)
    taken = admin.get("/categories.xlsx")
    file = {"file": ("categories.xlsx", io.BytesIO(taken.content))}
    answer = admin.post("/api/categories/import", files=file, data={"dry_run": "true"})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["changes"], answer.json()["written"]) == ([], False)


def test_the_api_rehearses_and_names_bad_cells(city: City, as_role):
    admin, before = as_role(Role.ADMIN), in_force(city, "2028-01-01")
    day = {"effective": "2028-01-01"}

    def post(client, content: str, **data):
        file = {"file": ("事项.csv", io.BytesIO(content.encode()), "text/csv")}
        return client.post("/api/categories/import", files=file, data=day | data)

    other = table(ROW.replace("0201", "0777"))
    would = post(admin, other, dry_run="true").json()
    assert not would["written"] and {"added"} <= {each["kind"] for each in would["changes"]}
    assert in_force(city, "2028-01-01") == before
    assert post(admin, table(ROW.replace(",1,4.0", ",9,4.0"))).status_code == 422
    assert post(as_role(Role.COMMAND_CENTRE), other).status_code == 403
    assert post(admin, other).json()["written"]
    assert in_force(city, "2028-01-01") == {"0777"}


def test_only_administrators_have_the_page(city: City):
    assert city.client(Role.PLANNER).get("/categories").status_code == 403
    assert city.client(Role.ADMIN).get("/categories", params={"at": "2026-13-01"}).status_code == 422
    assert city.client(Role.ADMIN).get("/categories.xlsx", params={"at": "morgen"}).status_code == 422


def test_policies_and_notes_for_a_code_that_goes_away_are_named_before_it_goes(city: City, sent, as_role):
    admin, day = as_role(Role.ADMIN), "2027-06-01"
    policies = "category,severity,stage,amount,unit,share,act,level\n0201,,handle,2,hours,,,\n02,,verify,2,hours,,,\n"
    file = {"file": ("时限.csv", io.BytesIO(policies.encode()), "text/csv")}
    answer = admin.post("/api/policies", files=file, data={"effective": day, "title": "远期"})
    assert answer.status_code == 201, answer.text
    note = {"action": "close", "category": "0201", "zh": "垃圾已清", "en": ""}
    assert admin.post("/api/phrases", json=note).status_code == 204
    other = table(ROW.replace("0201", "0202"))
    shown = sent(other, "check", effective=day).text
    assert (
        "有 1 条时限政策针对 0201" in shown and "有 1 条常用语针对 0201" in shown and "针对 02，" not in shown
    )
    assert "针对" not in sent(table(ROW), "check", effective=day).text
    file = {"file": ("事项.csv", io.BytesIO(other.encode()), "text/csv")}
    would = admin.post(
        "/api/categories/import", files=file, data={"effective": day, "dry_run": "true"}
    ).json()
    assert would["orphans"] == [
        {"kind": "policy", "category": "0201", "count": 1}, {"kind": "phrase", "category": "0201", "count": 1},
    ]  # fmt: skip
