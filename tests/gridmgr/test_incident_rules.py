"""The seven-step life as pure decisions."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmgr.incident import rules as incident_rules
from gridmgr.incident.model import NoPlace, Report
from gridmgr.life import rules
from gridmgr.life.model import Action, BadField, IllegalMove, MissingField, Source, State
from gridmgr.life.rules import BY_SYSTEM, FINAL, OPEN, TRANSITIONS, fold

DISTRICT = timezone(timedelta(hours=8))
NOON = datetime(2026, 11, 20, 4, tzinfo=UTC)
PLACE = {"street_code": "510106001", "micro_grid_code": "510106001001001", "edition_id": 1}
PHOTO = {"sha256": "0" * 64, "name": "现场.jpg", "media_type": "image/jpeg"}
GIVEN = {
    Action.REPORT: PLACE,
    Action.CONFIRM: {"found": True},
    Action.DISPATCH: {"handler": "环卫所"},
    Action.REDIRECT: {"handler": "市政管理所", "note": "职责在市政"},
    Action.FEED_BACK: {"note": "已清理", "files": [PHOTO]},
    Action.REWORK: {"note": "仍有垃圾"},
    Action.EVALUATE: {"satisfaction": 5},
    Action.ASK: {"way": "extend", "amount": 1, "unit": "working_days", "note": "雨天"},
    Action.RETIME: {"due_at": NOON.isoformat()},
    Action.HAND_OVER: {"handler": "园林所"},
    Action.TAKE_OVER: {"level": "street"},
}
STRAIGHT = [
    Action.REPORT,
    Action.ACCEPT,
    Action.DISPATCH,
    Action.HANDLE,
    Action.FEED_BACK,
    Action.VERIFY,
    Action.CLOSE,
    Action.EVALUATE,
]


def steps(*actions: Action):
    return [(action, GIVEN.get(action, {}), NOON + timedelta(hours=n)) for n, action in enumerate(actions)]


def test_the_straight_life_has_seven_steps_and_ends_evaluated():
    standing = fold(steps(*STRAIGHT))
    assert standing.state is State.EVALUATED
    assert (standing.handler, standing.satisfaction) == ("环卫所", 5)
    assert standing.closed_at == NOON + timedelta(hours=6)


def test_a_failed_check_goes_back_to_the_handler_and_counts():
    standing = fold(steps(*STRAIGHT[:5], Action.REWORK, Action.FEED_BACK, Action.REWORK))
    assert (standing.state, standing.reworks) == (State.HANDLING, 2)


@pytest.mark.parametrize("state", sorted(State))
@pytest.mark.parametrize("action", sorted(set(Action) - {Action.ADOPT, *BY_SYSTEM}))
def test_only_the_table_moves_an_incident(state, action):
    if (state, action) in TRANSITIONS:
        assert rules.target(state, action, GIVEN.get(action, {})) is TRANSITIONS[state, action]
    else:
        with pytest.raises(IllegalMove):
            rules.target(state, action, {}, "1")


def test_every_state_is_reached_and_every_open_one_is_left():
    assert set(TRANSITIONS.values()) == set(State)
    assert {start for start, _ in TRANSITIONS if start} >= OPEN
    assert set(State) == OPEN | FINAL


def test_a_step_says_what_it_lacks():
    with pytest.raises(MissingField, match="dispatch needs the field handler"):
        rules.check_fields(Action.DISPATCH, {"handler": ""})
    with pytest.raises(BadField, match="satisfaction"):
        rules.check_fields(Action.EVALUATE, {"satisfaction": 6})
    with pytest.raises(BadField, match="note"):
        rules.check_fields(Action.REWORK, {"note": "长" * 2001})


def test_another_systems_state_is_taken_over_only_from_the_start():
    adopted = {
        "state": "closed",
        "closed_at": NOON.isoformat(),
        "due_at": None,
        "accepted_at": NOON.isoformat(),
    }
    standing = fold([(Action.REPORT, PLACE, NOON), (Action.ADOPT, adopted, NOON)])
    assert (standing.state, standing.closed_at) == (State.CLOSED, NOON)
    with pytest.raises(IllegalMove):
        fold([*steps(Action.REPORT, Action.ACCEPT), (Action.ADOPT, adopted, NOON)])


def test_open_cases_follow_the_map_and_closed_ones_do_not():
    moved = PLACE | {"micro_grid_code": "510106001001002", "edition_id": 2}
    standing = fold([*steps(Action.REPORT), (Action.REHOME, moved, NOON)])
    assert (standing.state, standing.micro_grid_code) == (State.REPORTED, "510106001001002")
    with pytest.raises(IllegalMove):
        fold([*steps(*STRAIGHT), (Action.REHOME, moved, NOON)])


@given(
    st.lists(st.sampled_from(sorted(set(Action) - {Action.REPORT, Action.ADOPT, Action.REHOME})), max_size=30)
)
def test_any_legal_history_folds_step_by_step_to_the_same_standing(tries):
    history = steps(Action.REPORT)
    standing = fold(history)
    for n, action in enumerate(tries):
        step = (action, GIVEN.get(action, {"into": "2"}), NOON + timedelta(days=1, hours=n))
        try:
            standing = rules.apply(standing, *step)
        except IllegalMove:
            continue
        history.append(step)
    assert fold(history) == standing
    assert (standing.closed_at is not None) == (standing.state in FINAL)


def test_a_history_told_on_another_clock_leads_to_the_same_standing():
    history = steps(Action.REPORT, Action.ACCEPT, Action.DISPATCH, Action.ASK)
    there = [(action, payload, at.astimezone(DISTRICT)) for action, payload, at in history]
    assert fold(there) == fold(history)


def test_the_chain_notices_any_change():
    link = rules.chain(b"", "20261120-1", 1, Action.REPORT, "李四", NOON, {"a": 1, "b": "暴露垃圾"})
    assert link == rules.chain(b"", "20261120-1", 1, Action.REPORT, "李四", NOON, {"b": "暴露垃圾", "a": 1})
    others = [
        rules.chain(b"x", "20261120-1", 1, Action.REPORT, "李四", NOON, {"a": 1, "b": "暴露垃圾"}),
        rules.chain(b"", "20261120-1", 1, Action.REPORT, "李五", NOON, {"a": 1, "b": "暴露垃圾"}),
        rules.chain(b"", "20261120-1", 1, Action.REPORT, "李四", NOON + timedelta(microseconds=1), {"a": 1}),
        rules.chain(b"", "20261120-1", 1, Action.REPORT, "李四", NOON, {"a": 1, "b": "暴露垃圾 "}),
    ]
    assert link not in others


@pytest.mark.parametrize(
    ("lon", "lat"), [(0, 0), (float("nan"), 30), (181, 30), (104, 95), (float("inf"), 0)]
)
def test_a_place_must_be_on_earth(lon, lat):
    with pytest.raises(NoPlace):
        incident_rules.check_place(Report(lon, lat, "wgs84", 1, Source.PATROL))


def test_a_suspended_case_goes_back_to_where_it_stood():
    for n, before in ((2, State.ACCEPTED), (3, State.DISPATCHED), (4, State.HANDLING)):
        standing = fold(steps(*STRAIGHT[:n], Action.SUSPEND))
        assert (standing.state, standing.suspended_from) == (State.SUSPENDED, before)
        standing = rules.apply(standing, Action.RESUME, {"due_at": None}, NOON)
        assert (standing.state, standing.suspended_from, standing.suspensions) == (before, None, 1)


def test_a_request_waits_until_it_is_answered_or_overtaken():
    asked = fold(steps(*STRAIGHT[:4], Action.ASK))
    assert asked.asked["way"] == "extend"
    assert rules.apply(asked, Action.REFUSE, {"note": "不批"}, NOON).asked is None
    granted = rules.apply(asked, Action.EXTEND, {"due_at": NOON.isoformat()}, NOON)
    assert (granted.asked, granted.extensions, granted.due_at) == (None, 1, NOON)
    assert rules.apply(asked, Action.ATTACH, {"files": [PHOTO]}, NOON).asked is not None
    assert rules.apply(asked, Action.FEED_BACK, {"note": "已办"}, NOON).asked is None


def test_photos_of_the_result_count_from_the_last_rework_on():
    standing = fold(steps(*STRAIGHT[:5]))
    assert (standing.photos, standing.result_photos) == (1, 1)
    standing = rules.apply(standing, Action.REWORK, {"note": "不合格"}, NOON)
    assert (standing.photos, standing.result_photos) == (1, 0)
