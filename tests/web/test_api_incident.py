"""An incident's life through the API: reported, moved step by step, listed, found, exported."""

from small_city import MEMBER_GRID, City, middle

from gridmgr.account.model import Role

LIFE = [
    (Role.COMMUNITY_CLERK, "accept", {}, "accepted"),
    (Role.STREET_DISPATCHER, "dispatch", {"handler": "环卫所"}, "dispatched"),
    (Role.DEPARTMENT_HANDLER, "handle", {}, "handling"),
    (Role.DEPARTMENT_HANDLER, "feed_back", {"note": "已清理"}, "fed_back"),
    (Role.COMMUNITY_CLERK, "rework", {"note": "还有"}, "handling"),
    (Role.DEPARTMENT_HANDLER, "feed_back", {"note": "清理完毕"}, "fed_back"),
    (Role.GRID_MEMBER, "verify", {}, "verified"),
    (Role.STREET_DISPATCHER, "close", {}, "closed"),
    (Role.COMMUNITY_CLERK, "evaluate", {"satisfaction": 5}, "evaluated"),
]


def filed(city: City, cell: int = 0, **more: object) -> dict:
    """Return a new incident in the middle of a cell."""
    lon, lat = middle(cell)
    body = {"lon": lon, "lat": lat, "datum": "wgs84", "category": "0201"} | more
    answer = city.client(Role.COMMAND_CENTRE).post("/api/incidents", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_report_finds_its_units_and_tells_what_may_come_next(city: City):
    incident = filed(city, description="人行道")
    assert (incident["state"], incident["micro_grid_code"]) == ("reported", MEMBER_GRID)
    assert (incident["located"], incident["distance_m"]) == ("inside", 0)
    assert incident["actions"] == ["accept", "merge", "void", "hand_up", "attach"]
    assert incident["reported_at"].endswith("Z")


def test_the_seven_steps_are_taken_by_those_who_may_and_leave_a_chain(city: City):
    number = filed(city)["number"]
    for seq, (role, action, payload, state) in enumerate(LIFE, start=1):
        step = {"action": action, "payload": payload, "expected_seq": seq}
        answer = city.client(role).post(f"/api/incidents/{number}/moves", json=step)
        assert answer.status_code == 200, (action, answer.text)
        assert answer.json()["state"] == state
    history = city.client(Role.GRID_MEMBER).get(f"/api/incidents/{number}/history").json()["items"]
    assert [row["action"] for row in history] == ["report", *(action for _, action, _, _ in LIFE)]
    assert len({row["hash"] for row in history}) == len(history)


def test_a_step_nobody_can_take_now_is_a_conflict_and_changes_nothing(city: City):
    number = filed(city)["number"]
    address, chief = f"/api/incidents/{number}/moves", city.client(Role.ADMIN)
    assert chief.post(address, json={"action": "close"}).status_code == 409
    assert chief.post(address, json={"action": "accept", "expected_seq": 7}).status_code == 409
    assert chief.post(address, json={"action": "void"}).status_code == 422
    assert chief.get(f"/api/incidents/{number}").json()["seq"] == 1


def test_the_same_report_of_another_system_is_filed_once(city: City):
    twins = [filed(city, origin="12345", source_id="A-1") for _ in range(2)]
    assert twins[0]["number"] == twins[1]["number"]


def test_pages_follow_one_another_without_a_gap_or_a_repeat(city: City):
    made = {filed(city, cell)["number"] for cell in range(5)}
    client, seen, cursor = city.client(Role.ADMIN), [], None
    while True:
        query = {"size": 3} | ({"cursor": cursor} if cursor else {})
        page = client.get("/api/incidents", params=query).json()
        seen += [item["number"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen))
    assert made <= set(seen)


def test_filters_narrow_list_map_and_figures_alike(city: City):
    filed(city, 6)
    grid = "510106002002001"
    client = city.client(Role.ADMIN)
    items = client.get("/api/incidents", params={"code": grid}).json()["items"]
    points = client.get("/api/map/incidents", params={"code": grid}).json()
    figures = client.get("/api/figures", params={"code": grid, "level": "micro_grid"}).json()
    assert {item["micro_grid_code"] for item in items} == {grid}
    assert len(points["items"]) == len(items) == figures["total"]["counts"]["reported"]
    assert points["complete"]
    assert [area["code"] for area in figures["areas"]] == [grid]
    assert figures["formulas"]["on_time_rate"] == "closed_on_time ÷ due"


def test_a_map_row_names_number_place_state_category_and_what_its_mark_says(city: City):
    incident = filed(city, 7)
    answer = city.client(Role.ADMIN, "en").get("/api/map/incidents").json()
    rows = answer["items"]
    row = next(row for row in rows if row[1] == incident["number"])
    assert row[2:5] == [round(middle(7)[0], 6), round(middle(7)[1], 6), "reported"]
    assert answer["categories"][str(row[5])] == "Exposed rubbish"
    assert row[6:] == ["patrol", 1, 0, 0]


def test_a_place_far_outside_is_refused_with_its_distance(city: City):
    body = {"lon": 121.0, "lat": 31.0, "datum": "wgs84", "category": "0201"}
    answer = city.client(Role.GRID_MEMBER).post("/api/incidents", json=body)
    assert answer.status_code == 422
    assert answer.json()["details"]["distance_km"] > 1000


def test_every_worklist_of_a_desk_names_the_filters_that_list_it(city: City):
    filed(city, 6)
    client = city.client(Role.STREET_DISPATCHER, "en")
    worklists = {each["name"]: each for each in client.get("/api/desk").json()["worklists"]}
    assert worklists["accept"]["title"] == "To accept"
    assert worklists["accept"]["count"] >= 1
    for each in worklists.values():
        found = client.get(each["incidents"] + "&size=500")
        assert found.status_code == 200, each
        assert len(found.json()["items"]) == each["count"], each["name"]
