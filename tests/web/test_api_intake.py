"""Many reports at once: what can be filed is filed, each refused one says why."""

from small_city import MEMBER_GRID, City, middle

from gridmgr.account.model import Role


def report(cell: int = 0, **more: object) -> dict:
    """Return a report in the middle of a cell."""
    lon, lat = middle(cell)
    return {"lon": lon, "lat": lat, "datum": "wgs84", "category": "0201"} | more


def test_a_batch_files_what_it_can_and_names_the_others(city: City):
    told = [
        report(0, origin="app", source_id="b-1"),
        report(0, lon=10.0, origin="app", source_id="b-2"),
        report(0, category="9999"),
        report(0, lon=0.0, lat=0.0),
        report(1, origin="app", source_id="b-1"),
        report(0, lon=10.0, origin="app", source_id="b-2"),
    ]
    answer = city.client(Role.COMMAND_CENTRE).post("/api/incidents/batch", json={"reports": told})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert [each["status"] for each in body["outcomes"]] == [201, 422, 404, 422, 201, 422]
    assert (body["filed"], body["refused"]) == (2, 4)
    assert body["outcomes"][0]["number"] == body["outcomes"][4]["number"]
    assert all(each["detail"] for each in body["outcomes"] if each["status"] != 201)


def test_a_batch_sent_again_files_nothing_twice(city: City):
    told = {"reports": [report(n, origin="app", source_id=f"again-{n}") for n in range(3)]}
    first, second = (
        [
            each["number"]
            for each in city.client(Role.ADMIN).post("/api/incidents/batch", json=told).json()["outcomes"]
        ]
        for _ in range(2)
    )
    assert first == second
    assert len(set(first)) == 3


def test_what_is_not_simple_is_not_settled_and_leaves_nothing(city: City):
    client = city.client(Role.GRID_MEMBER)
    before = client.get("/api/incidents").json()["items"]
    body = report(note="已劝离", result=[{"sha256": "0" * 64}])
    answer = client.post("/api/incidents/settle", json=body)
    assert answer.status_code == 422, answer.text
    assert client.get("/api/incidents").json()["items"] == before
    assert MEMBER_GRID
