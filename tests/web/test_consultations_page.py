"""Consultations over HTTP: kinds from a table, a question with a form, answers with files, a veto, another round."""

import io

import pytest
from PIL import Image
from small_city import EAST, SCRIPT, WEST, City

from gridmgr.account.model import Role

TABLE = (
    "code,sphere,name_zh,name_en,asks,vetoes,amount,unit,silence,form\n"
    f"lift,项目验收,验收 {SCRIPT},Lifts,街道,街道,4,working_hours,wait,"
    "asker.project!:text:项目|Project；asker.on:day:日期|Day；asked.fit:choice(合格/不合格):查验|Found；asked.n:number:户数\n"
).encode()
FAULTY = TABLE.replace("街道,街道".encode(), "街道,居民".encode())


def png() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (30, 20), "teal").save(content, "PNG")
    return content.getvalue()


LEADER, CLERK, CENTRE, PLANNER = Role.STREET_LEADER, Role.COMMUNITY_CLERK, Role.COMMAND_CENTRE, Role.PLANNER


@pytest.fixture(scope="module")
def kinds(city: City) -> None:
    """Bring the table of kinds on its page: checked first, then taken."""
    centre = city.client(CENTRE)
    checked = centre.post("/consultations/kinds", files={"file": ("kinds.csv", TABLE)}, data={"do": "check"})
    assert (checked.status_code, "尚未写入" in checked.text) == (200, True)
    bad = centre.post("/consultations/kinds", files={"file": ("kinds.csv", FAULTY)})
    assert (bad.status_code, "不能否决" in bad.text) == (422, True)
    taken = centre.post("/api/consultations/kinds", files={"file": ("kinds.csv", TABLE)})
    assert taken.json() == {"added": 1, "changed": 0, "removed": 0, "unchanged": 0, "written": True}
    codes = [each["code"] for each in centre.get("/api/consultations/kinds").json()["items"]]
    assert codes == ["boundary", "lift"]
    assert (
        city.client(CLERK).post("/api/consultations/kinds", files={"file": ("k.csv", TABLE)}).status_code
        == 403
    )


@pytest.fixture(scope="module")
def asked(city: City, kinds: None) -> int:
    """Ask both streets on the page."""
    told = {
        "kind": "lift", "title": f"电梯 {SCRIPT}", "what": "请各街道查验", "asked": [WEST, EAST],
        "fact_name": ["project", "on"], "fact": ["一号电梯", "2026-02-15"],
    }  # fmt: skip
    answer = city.client(CENTRE).post("/consultations", data=told)
    assert answer.status_code == 303, answer.text
    return int(answer.headers["location"].rpartition("/")[2])


def test_pages_show_it_and_run_nothing(city: City, asked: int):
    paths = ("/consultations", "/consultations?state=open&sphere=acceptance", f"/consultations?area={WEST}",
             f"/consultations/{asked}", "/consultations/kinds")  # fmt: skip
    for path in paths:
        for role in (LEADER, CENTRE, Role.GRID_MEMBER):
            for language in ("zh", "en"):
                page = city.client(role, language).get(path)
                assert page.status_code == 200, (path, role, page.text[:500])
                assert SCRIPT not in page.text
    assert "一号电梯" in city.client(LEADER).get(f"/consultations/{asked}").text
    assert city.client(CENTRE).get("/consultations/kinds.xlsx").content[:2] == b"PK"
    assert city.client(CENTRE).get("/consultations/new").status_code == 200
    assert city.client(CENTRE).get("/consultations/new?kind=lift").status_code == 200
    assert city.client(CENTRE).get("/consultations/new?kind=none").status_code == 404
    assert city.client(Role.GRID_MEMBER).get("/consultations/new").status_code == 403
    assert "待答复的征求意见" in city.client(LEADER).get("/desk").text


def test_what_cannot_be_asked_is_refused_and_what_was_typed_is_there_again(city: City, kinds: None):
    told = {
        "kind": "lift",
        "title": "二号电梯",
        "what": "夜里查验",
        "asked": ["999"],
        "fact_name": ["project"],
        "fact": [""],
    }
    refused = city.client(CENTRE).post("/consultations", data=told)
    assert (refused.status_code, "夜里查验" in refused.text) == (422, True)
    again = city.client(CENTRE).post("/consultations", data=told | {"asked": [WEST]})
    assert (again.status_code, "必须填写" in again.text) == (422, True)
    api = city.client(CENTRE)
    body = {"kind": "lift", "title": "甲", "asked": [WEST], "facts": {"project": "甲"}}
    for wrong, status in (
        ({"kind": "none"}, 404), ({"asked": []}, 422), ({"subject_ref": "plan:1"}, 422), ({"again_of": 999999}, 404),
        ({"facts": {"project": "甲", "z": 1}}, 422), ({"facts": {"project": "甲", "on": "不知道"}}, 422),
        ({"files": [{"sha256": "0" * 64}]}, 404), ({"title": " "}, 422), ({"title": "甲\x00"}, 422),
    ):  # fmt: skip
        assert api.post("/api/consultations", json=body | wrong).status_code == status, wrong


def test_a_street_answers_with_a_file_another_stops_it_and_it_is_asked_again(city: City, asked: int):
    leader, centre = city.client(LEADER), city.client(CENTRE)
    base = f"/consultations/{asked}"
    parties = {each["code"]: each["id"] for each in centre.get(f"/api{base}").json()["parties"]}
    opinion = {
        "party": parties[WEST],
        "said": "object",
        "reason": "",
        "answer_name": ["fit", "n"],
        "answer": ["不合格", "12"],
    }
    without = leader.post(f"{base}/opinion", data=opinion, files={"upload": ("查验.png", png())})
    assert (without.status_code, "查验.png" in without.text) == (422, True)  # it need not be chosen again
    assert leader.post(f"{base}/opinion", data=opinion | {"said": "perhaps"}).status_code == 422
    given = leader.post(
        f"{base}/opinion", data=opinion | {"reason": "门槛过高"}, files={"upload": ("查验.png", png())}
    )
    assert (given.status_code, given.headers["location"]) == (303, base)
    whole = city.client(CLERK).get(f"/api{base}").json()
    (held,) = (file for word in whole["words"] for file in word["files"])
    assert city.client(CLERK).get(f"/api/files/{held['sha256']}").status_code == 200
    assert next(each for each in whole["parties"] if each["code"] == WEST)["answers"] == {
        "fit": "不合格",
        "n": 12,
    }
    several = leader.post(f"/api{base}/opinion", json={"said": "agree"})
    assert (several.status_code, "指明" in several.json()["detail"]) == (422, True)
    assert (
        city.client(Role.GRID_MEMBER).post(f"/api{base}/opinion", json={"said": "agree"}).status_code == 403
    )

    replied = centre.post(
        f"{base}/reply", data={"party": parties[WEST], "adopted": "true", "note": "加装坡道"}
    )
    assert replied.status_code == 303
    veto = {"party": parties[EAST], "said": "veto", "reason": "消防通道被占"}
    assert leader.post(f"/api{base}/opinion", json=veto).json()["state"] == "stopped"
    late = leader.post(f"/api{base}/opinion", json=veto | {"said": "agree"})
    assert (late.status_code, "已结束" in late.json()["detail"]) == (409, True)
    assert "加装坡道" in leader.get(base).text
    assert centre.post(f"/api{base}/withdraw", json={"note": "晚了"}).status_code == 409

    again = centre.get(f"/consultations/new?again={asked}")
    assert (again.status_code, "一号电梯" in again.text) == (200, True)
    body = {
        "kind": "lift",
        "title": "电梯",
        "asked": [WEST],
        "facts": {"project": "一号电梯"},
        "again_of": asked,
    }
    second = centre.post("/api/consultations", json=body)
    assert (second.status_code, second.json()["round"]) == (201, 2)
    gone = centre.post(f"/consultations/{second.json()['id']}/withdraw", data={"note": "暂缓"})
    assert gone.status_code == 303
    figures = leader.get("/api/consultations/figures").json()
    (acceptance,) = figures["spheres"]
    assert (acceptance["stopped"], acceptance["withdrawn"], acceptance["vetoes"]) == (1, 1, 1)
    listed = leader.get("/api/consultations?state=stopped&size=1").json()
    assert [each["id"] for each in listed["items"]] == [asked]
