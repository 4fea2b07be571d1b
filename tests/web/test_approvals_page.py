"""One window over HTTP: kinds from a table, an application, answers, the decision, and the permit on later cases."""

import pytest
from small_city import EAST, MEMBER_GRID, SCRIPT, WEST, City

from gridmgr import db
from gridmgr.account import service as accounts
from gridmgr.account.model import Role
from gridmgr.account.rules import Grant
from gridmgr.category import queries as matters

TABLE = f"name,matters,amount,unit,silence\n门头装修 {SCRIPT},0201,4,working_hours,wait\n".encode()
KIND = f"门头装修 {SCRIPT}"
HOUSE = f"{WEST}00100000"  # in the grid member's micro-grid
DESK, HANDLER, CENTRE = Role.STREET_DISPATCHER, Role.DEPARTMENT_HANDLER, Role.COMMAND_CENTRE


@pytest.fixture(scope="module")
def kinds(city: City) -> None:
    """Bring the table of kinds on its page: checked first, then taken."""
    centre = city.client(CENTRE)
    checked = centre.post("/approvals/kinds", files={"file": ("kinds.csv", TABLE)}, data={"do": "check"})
    assert (checked.status_code, "尚未写入" in checked.text) == (200, True)
    assert centre.get("/api/approvals/kinds").json()["items"] == []
    bad = centre.post("/approvals/kinds", files={"file": ("kinds.csv", TABLE.replace(b"0201", b"77"))})
    assert (bad.status_code, "77" in bad.text) == (422, True)
    taken = centre.post("/api/approvals/kinds", files={"file": ("kinds.csv", TABLE)})
    assert taken.json() == {"added": 1, "changed": 0, "removed": 0, "unchanged": 0, "written": True}


@pytest.fixture(scope="module")
def application(city: City, kinds: None) -> int:
    """Open an application at a house; the sanitation department is asked."""
    told = {"kind": KIND, "applicant": f"老张 {SCRIPT}", "what": "换招牌", "code": HOUSE}
    answer = city.client(DESK).post("/api/approvals", json=told)
    assert answer.status_code == 201, answer.text
    assert [each["body"] for each in answer.json()["opinions"]] == ["环卫所"]
    return answer.json()["id"]


def test_pages_show_an_application_to_everybody_and_run_nothing(city: City, application: int):
    for path in ("/approvals", "/approvals?state=open", f"/approvals/{application}", "/approvals/kinds"):
        for role in (DESK, HANDLER, Role.GRID_MEMBER):
            page = city.client(role).get(path)
            assert page.status_code == 200, (path, role)
            assert "门头装修" in page.text
            assert SCRIPT not in page.text
    assert "待我单位答复" in city.client(HANDLER).get("/approvals?state=ours").text
    assert city.client(DESK).get("/approvals/kinds.xlsx").content[:2] == b"PK"
    assert city.client(DESK).get(f"/approvals/new?code={HOUSE}").status_code == 200
    assert city.client(Role.GRID_MEMBER).get("/approvals/new").status_code == 403


def test_what_cannot_be_asked_is_refused_and_what_was_typed_is_there_again(city: City, kinds: None):
    told = {"kind": KIND, "applicant": "李四", "what": "夜里施工", "code": "999"}
    refused = city.client(DESK).post("/approvals", data=told)
    assert (refused.status_code, "夜里施工" in refused.text) == (404, True)
    again = city.client(DESK).post("/approvals", data=told | {"code": HOUSE, "valid_until": "不知道"})
    assert again.status_code == 422
    assert city.client(DESK).post("/api/approvals", json=told | {"kind": "没有"}).status_code == 404
    assert city.client(DESK).get("/approvals/999999").status_code == 404


def test_an_objection_stops_it_and_its_permit_stands_on_later_cases(city: City, application: int):
    handler, desk, centre = (city.client(role) for role in (HANDLER, DESK, CENTRE))
    early = desk.post(f"/api/approvals/{application}/decision", json={"deed": "grant"})
    assert (early.status_code, "尚未答复" in early.json()["detail"]) == (409, True)
    base = f"/approvals/{application}"
    silent = handler.post(f"{base}/answer", data={"said": "object", "note": ""})
    assert silent.status_code == 422
    assert handler.post(f"{base}/answer", data={"said": "perhaps"}).status_code == 422
    said = handler.post(f"{base}/answer", data={"said": "object", "note": "堵了垃圾房", "law": "市容条例"})
    assert (said.status_code, said.headers["location"]) == (303, base)
    page = desk.get(base).text
    assert "堵了垃圾房" in page
    assert "异议未解决前不能准予" in page
    refused = desk.post(f"{base}/decision", data={"deed": "grant", "note": "先批了"})
    assert (refused.status_code, "环卫所不同意" in refused.text, "先批了" in refused.text) == (
        409,
        True,
        True,
    )
    assert desk.post(f"{base}/overrule", data={"body": "环卫所", "note": "不管"}).status_code == 403
    aside = centre.post(f"/api{base}/overrule", json={"body": "环卫所", "note": "另设垃圾房"})
    assert aside.json()["opinions"][0]["overruled"] is True
    done = handler.post(f"/api{base}/answer", json={"said": "conditions", "note": "垃圾日清"}).json()
    assert (done["objecting"], done["waiting"]) == ([], [])
    granted = desk.post(f"{base}/decision", data={"deed": "grant", "note": "按图施工"})
    assert granted.status_code == 303
    whole = desk.get(f"/api{base}").json()
    assert whole["conditions"] == "环卫所：垃圾日清\n按图施工"
    assert [each["deed"] for each in whole["done"]] == ["ask", "object", "overrule", "conditions", "grant"]
    with db.transaction(city.engine) as session:
        category = matters.by_code(session, "0201").id
    report = {"datum": "wgs84", "category": "0201", "source": "patrol", "lon": 104.005, "lat": 30.605}
    filed = desk.post("/api/incidents", json=report | {"description": "招牌"})
    assert filed.status_code in (200, 201), (filed.text, category)
    number = filed.json()["number"]
    (permit,) = desk.get(f"/api/incidents/{number}/permits").json()["permits"]
    assert permit["id"] == application
    accepted = desk.post(
        f"/api/incidents/{number}/moves", json={"action": "accept", "payload": {"checked": True}}
    )
    assert accepted.status_code == 200
    case = desk.get(f"/incidents/{number}").text
    assert "此处已获许可" in case
    assert "垃圾日清" in case
    assert "停工或处罚前请先核对许可内容" in case
    figures = desk.get("/api/approvals/figures").json()
    assert (figures["settled"], figures["granted"], figures["questioned"]) == (1, 1, 1)
    assert figures["bodies"][0] | {"asked": 1, "objected": 1, "conditions": 1} == figures["bodies"][0]
    assert "批后被查" in desk.get("/approvals").text


def test_it_is_scoped_and_pages(city: City, application: int):
    with db.transaction(city.engine) as session:
        accounts.open_account(
            session, "east", "东街", "a long enough password", [Grant(Role.STREET_DISPATCHER, EAST)]
        )
        actor = accounts.queries.actor_of(accounts.queries.by_username(session, "east"))
        token = accounts.issue_token(session, actor, "tests")[0]
    east = city.client(DESK)
    east.headers["Authorization"] = f"Bearer {token}"
    assert east.get("/api/approvals").json()["items"] == []
    assert east.get(f"/api/approvals/{application}").status_code == 404
    told = {"kind": KIND, "applicant": "李四", "what": "换招牌", "code": MEMBER_GRID}
    assert east.post("/api/approvals", json=told).status_code == 404
    new = [city.client(DESK).post("/api/approvals", json=told).json()["id"] for _ in range(2)]
    first = city.client(DESK).get("/api/approvals", params={"size": 1}).json()
    rest = city.client(DESK).get("/api/approvals", params={"size": 1, "cursor": first["next"]}).json()
    assert rest["items"][0]["id"] < first["items"][0]["id"]
    ours = city.client(HANDLER).get("/api/approvals", params={"ours": "true"}).json()["items"]
    assert [each["id"] for each in ours][:2] == new[::-1]
