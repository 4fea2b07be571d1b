"""A machine reports and moves step after step: whatever it thinks of, the API keeps its word and its histories."""

import itertools

import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, rule, run_state_machine_as_test
from small_city import City, middle
from test_schema import CHECKS, DOCUMENT, SCHEMA

from gridmgr import db
from gridmgr.account.model import Role
from gridmgr.audit import queries as audit
from gridmgr.life.model import Action

WALK = settings(
    max_examples=10,
    stateful_step_count=25,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
STEPS = [
    ("accept", {"checked": True}), ("dispatch", {"handler": "环卫所"}), ("handle", {}),
    ("feed_back", {"note": "已清理"}), ("verify", {"found": True}), ("rework", {"note": "还有"}),
    ("close", {"checked": True}), ("evaluate", {"satisfaction": 5}), ("void", {"note": "重复"}),
    ("suspend", {"note": "等雨停"}), ("resume", {}),
]  # fmt: skip
ANYTHING = SCHEMA["/api/incidents/{number}/moves"]["POST"].as_strategy()
keys = (f"walk-{n}" for n in itertools.count())


def test_any_order_of_steps_repeats_and_stale_versions_leaves_true_histories(city: City):
    clients = {role: city.client(role) for role in Role}
    admin = clients[Role.ADMIN]

    class Life(RuleBasedStateMachine):
        """Reports and moves by anybody, repeated with their keys, with right and stale versions, and nonsense."""

        cases, sent = Bundle("cases"), Bundle("sent")

        def __init__(self) -> None:
            super().__init__()
            self.seq: dict[str, int] = {}

        @rule(target=cases, cell=st.integers(0, 7))
        def report(self, cell: int) -> str:
            lon, lat = middle(cell)
            told = {"lon": lon, "lat": lat, "datum": "wgs84", "category": "0201"}
            given = {"Idempotency-Key": next(keys)}
            first, again = (admin.post("/api/incidents", json=told, headers=given) for _ in range(2))
            assert (first.status_code, first.content) == (again.status_code, again.content)
            self.seq[first.json()["number"]] = 1
            return first.json()["number"]

        @rule(
            target=sent, case=cases, step=st.sampled_from(STEPS), role=st.sampled_from([Role.ADMIN, *Role]),
            behind=st.sampled_from([None, 0, 0, 1]),
        )  # fmt: skip
        def move(self, case: str, step: tuple, role: Role, behind: int | None) -> tuple:
            given = {"Idempotency-Key": next(keys)}
            if behind is not None:
                given["If-Match"] = f'"{self.seq[case] - behind}"'
            body = {"action": step[0], "payload": step[1]}
            asked = {"url": f"/api/incidents/{case}/moves", "json": body, "headers": given}
            answer = clients[role].post(**asked)
            assert answer.status_code in ((404, 412) if behind else (200, 403, 404, 409, 422)), answer.text
            self.stands(case, self.seq[case] + (answer.status_code == 200))
            return role, asked, answer

        @rule(sent=consumes(sent))
        def send_again(self, sent: tuple) -> None:
            role, asked, first = sent
            if first.status_code == 200:
                again = clients[role].post(**asked)
                assert again.headers["idempotency-replayed"] == "true"
                assert (again.status_code, again.content) == (200, first.content)

        @rule(number=cases, case=ANYTHING)
        def send_anything(self, number: str, case: schemathesis.Case) -> None:
            case.path_parameters = {"number": number}
            case.headers.pop("If-Match", None)
            case.headers["Idempotency-Key"] = next(keys)
            answer = case.call_and_validate(headers=dict(admin.headers), checks=CHECKS)
            self.stands(number, self.seq[number] + (answer.status_code == 200))

        def stands(self, number: str, seq: int) -> None:
            """Hold that a case has taken so many steps, and that its ETag says so."""
            shown = admin.get(f"/api/incidents/{number}")
            assert (shown.json()["seq"], shown.headers["etag"]) == (seq, f'"{seq}"')
            assert admin.get(shown.url, headers={"If-None-Match": f'"{seq}"'}).status_code == 304
            self.seq[number] = seq

        def teardown(self) -> None:
            for number, seq in self.seq.items():
                steps = admin.get(f"/api/incidents/{number}/history", params={"size": 500}).json()["items"]
                assert [step["seq"] for step in steps] == list(range(1, seq + 1))

    run_state_machine_as_test(Life, settings=WALK)
    with db.transaction(city.engine) as session:
        assert audit.verify(session).broken == []


def test_the_steps_walked_are_steps_of_the_table():
    assert {step for step, _ in STEPS} <= set(Action)


def test_what_the_document_links_to_is_there():
    operations = [each for path in DOCUMENT["paths"].values() for each in path.values()]
    taken = {each["operationId"]: {one["name"] for one in each.get("parameters", ())} for each in operations}
    links = [
        link
        for each in operations
        for answer in each["responses"].values()
        for link in answer.get("links", {}).values()
    ]
    assert len(links) >= 7
    for link in links:
        assert set(link["parameters"]) <= taken[link["operationId"]]
