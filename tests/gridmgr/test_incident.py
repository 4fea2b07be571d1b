"""Incidents in the database: located, moved, refused, verified."""

from datetime import UTC, date, datetime, timedelta

import pytest
from little import STREET, little_district, square
from sqlalchemy import select, text, update
from sqlalchemy.exc import DatabaseError

from gis.datum import from_wgs84
from gridmgr import clock
from gridmgr.account.model import NotGranted, OutsideGrant
from gridmgr.account.rules import SYSTEM, Role
from gridmgr.audit import queries as audit
from gridmgr.casebook import queries as casebook
from gridmgr.casebook.queries import Search
from gridmgr.hierarchy import service as hierarchy
from gridmgr.incident import queries, service
from gridmgr.incident.model import (
    Incident,
    IncidentEvent,
    IncidentMovedMeanwhile,
    OutsideDistrict,
    UnknownIncident,
)
from gridmgr.intake import service as intake
from gridmgr.life.model import Action, BadField, IllegalMove, State
from gridmgr.life.rules import OPEN

C1 = f"{STREET}001"
FRIDAY = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)  # 16:30 in the district
LIFE = [
    (Role.STREET_DISPATCHER, Action.ACCEPT, {"checked": True}),
    (Role.STREET_DISPATCHER, Action.DISPATCH, {"handler": "环卫所"}),
    (Role.DEPARTMENT_HANDLER, Action.HANDLE, {}),
    (Role.DEPARTMENT_HANDLER, Action.FEED_BACK, {"note": "已清理"}),
    (Role.GRID_MEMBER, Action.VERIFY, {}),
    (Role.STREET_DISPATCHER, Action.CLOSE, {"checked": True}),
    (Role.COMMUNITY_CLERK, Action.EVALUATE, {"satisfaction": 5}),
]


def test_a_report_in_a_house_knows_all_four_levels(district, told):
    found = intake.report(district, SYSTEM, told(0.5, 0.5))
    assert (found.building_code, found.micro_grid_code) == (f"{C1}00001", f"{C1}001")
    assert (found.community_code, found.street_code, found.located) == (C1, STREET, "inside")


@pytest.mark.parametrize("datum", ["gcj02", "bd09", "cgcs2000"])
def test_the_declared_datum_is_taken_back_to_wgs84(district, told, datum):
    plain = told(0.5, 0.5)
    lon, lat = (float(v) for v in from_wgs84(plain.lon, plain.lat, datum))
    found = intake.report(district, SYSTEM, told(lon=lon, lat=lat, datum=datum))
    assert found.building_code == f"{C1}00001"
    assert (found.declared_lon, found.datum) == (lon, datum)
    assert queries.position(found) == pytest.approx((plain.lon, plain.lat), abs=1e-7)


@pytest.mark.parametrize(
    ("column", "row", "grid", "how"),
    [
        (1, 0.2, f"{C1}001", "border"),  # on a shared border: the smaller code
        (0.2, 1.05, f"{C1}001", "outside"),  # north of the district: the nearest, with its distance
    ],
)
def test_a_point_between_has_one_answer(district, told, column, row, grid, how):
    found = intake.report(district, SYSTEM, told(column, row))
    assert (found.micro_grid_code, found.located) == (grid, how)
    assert (found.distance_m > 0) == (how == "outside")


def test_a_report_from_far_away_is_refused_with_its_distance(district, told):
    with pytest.raises(OutsideDistrict, match=r"km outside the district"):
        intake.report(district, SYSTEM, told(0, 9))
    assert district.scalar(select(Incident.id)) is None


def test_the_same_report_sent_again_is_the_same_case(district, told):
    first = intake.report(district, SYSTEM, told(origin="app", source_id="k-1"))
    again = intake.report(district, SYSTEM, told(origin="app", source_id="k-1"))
    assert first.id == again.id


def test_the_whole_life_through_the_hands_of_each_role(district, told, staff):
    with clock.travel(FRIDAY):
        case = intake.report(district, staff[Role.GRID_MEMBER], told())
        for role, action, payload in LIFE:
            service.move(district, staff[role], case.number, action, payload)
    assert case.state == State.EVALUATED
    assert case.due_at == datetime(2026, 11, 23, 3, 30, tzinfo=UTC)  # Monday 11:30
    assert [event.action for event in queries.history(district, case.id)] == [
        "report",
        *(a for _, a, _ in LIFE),
    ]
    assert audit.verify(district).broken == []


def test_a_step_is_refused_to_the_wrong_role_and_in_the_wrong_place(district, told, staff):
    here, there = (intake.report(district, SYSTEM, told(column)) for column in (0.1, 3.1))
    with pytest.raises(NotGranted):
        service.move(district, staff[Role.PLANNER], here.number, Action.ACCEPT)
    with pytest.raises(UnknownIncident):  # she does not even see it
        service.move(district, staff[Role.COMMUNITY_CLERK], there.number, Action.ACCEPT)


def test_one_may_look_at_what_one_reported_elsewhere_but_not_move_it(district, told, staff):
    member = staff[Role.GRID_MEMBER]
    elsewhere = intake.report(district, member, told(3.1))
    assert queries.by_number(district, member, elsewhere.number).id == elsewhere.id
    for role, action, payload in LIFE[:4]:
        service.move(district, staff[role], elsewhere.number, action, payload)
    with pytest.raises(OutsideGrant):
        service.move(district, member, elsewhere.number, Action.VERIFY)


def test_of_two_people_one_wins_and_the_other_is_told(district, told, staff):
    case = intake.report(district, SYSTEM, told())
    seen = case.last_seq
    service.move(
        district,
        staff[Role.STREET_DISPATCHER],
        case.number,
        Action.ACCEPT,
        {"checked": True},
        expected_seq=seen,
    )
    with pytest.raises(IncidentMovedMeanwhile, match="now accepted"):
        service.move(
            district, staff[Role.COMMUNITY_CLERK], case.number, Action.VOID, {"note": "x"}, expected_seq=seen
        )


def test_a_step_out_of_order_changes_nothing(district, told):
    case = intake.report(district, SYSTEM, told())
    with pytest.raises(IllegalMove):
        service.move(district, SYSTEM, case.number, Action.CLOSE)
    assert (case.state, case.last_seq) == (State.REPORTED, 1)


def test_a_case_is_merged_into_another_live_one_only(district, told):
    case, twin = (intake.report(district, SYSTEM, told()) for _ in range(2))
    with pytest.raises(BadField, match="another live incident"):
        service.move(district, SYSTEM, case.number, Action.MERGE, {"into": case.number})
    service.move(district, SYSTEM, case.number, Action.MERGE, {"into": twin.number})
    assert case.state == State.MERGED


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE incident_event SET actor_name = '别人'",
        "DELETE FROM incident_event",
        "TRUNCATE incident_event CASCADE",
        "DELETE FROM incident",
    ],
)
def test_history_is_written_once(district, told, statement):
    intake.report(district, SYSTEM, told())
    with pytest.raises(DatabaseError), district.begin_nested():
        district.execute(text(statement))
    assert len(queries.history(district, district.scalar(select(Incident.id)))) == 1


@pytest.mark.parametrize(
    "tamper",
    [
        'UPDATE incident_event SET payload = payload || \'{"description": "没事"}\' WHERE seq = 1',
        "UPDATE incident_event SET occurred_at = occurred_at - interval '1 day' WHERE seq = 2",
        "UPDATE incident_event SET actor_name = '别人' WHERE seq = 2",
        "DELETE FROM incident_event WHERE seq = 2",
        "DELETE FROM incident_event",
        "UPDATE incident SET state = 'closed'",
        "UPDATE incident SET due_at = due_at + interval '1 day'",
    ],
)
def test_whoever_switches_the_guard_off_is_found_out(district, told, tamper):
    case = intake.report(district, SYSTEM, told())
    service.move(district, SYSTEM, case.number, Action.ACCEPT, {"checked": True})
    assert audit.verify(district).broken == []
    district.flush()
    district.execute(text("ALTER TABLE incident_event DISABLE TRIGGER USER"))
    district.execute(text(tamper))
    district.execute(text("ALTER TABLE incident_event ENABLE TRIGGER USER"))
    assert audit.verify(district).broken == [case.number]


def test_a_redraw_takes_open_cases_along_and_leaves_closed_ones(district, told):
    still_open, done = (intake.report(district, SYSTEM, told(1.1)) for _ in range(2))
    for _, action, payload in LIFE[:6]:
        service.move(district, SYSTEM, done.number, action, payload)
    after = little_district()
    after["micro_grid"].geometry = [square(0, 0, 1.5), square(1.5, 0, 0.5), square(2, 0), square(3, 0)]
    hierarchy.load(district, {"micro_grid": after["micro_grid"]}, date(2026, 7, 1))
    with clock.travel(datetime(2026, 7, 2, tzinfo=UTC)):
        assert service.rehome_open(district, SYSTEM) == 1
        assert service.rehome_open(district, SYSTEM) == 0
    assert (still_open.micro_grid_code, done.micro_grid_code) == (f"{C1}001", f"{C1}002")
    assert queries.history(district, still_open.id)[-1].action == Action.REHOME
    assert audit.verify(district).broken == []


def test_reports_of_the_past_are_located_on_the_map_of_their_day(district, told):
    after = little_district()
    after["micro_grid"].geometry = [square(0, 0, 1.5), square(1.5, 0, 0.5), square(2, 0), square(3, 0)]
    hierarchy.load(district, {"micro_grid": after["micro_grid"]}, date(2026, 7, 1))
    days = [datetime(2026, 6, 30, 12, tzinfo=UTC), datetime(2026, 7, 2, tzinfo=UTC)]
    ids = intake.report_many(district, SYSTEM, [told(1.1, reported_at=day) for day in days])
    codes = [district.get(Incident, one).micro_grid_code for one in ids]
    assert codes == [f"{C1}002", f"{C1}001"]


def test_lists_are_narrowed_and_paged_without_losing_any(district, told):
    intake.report_many(
        district, SYSTEM, [told(n % 4 + 0.1, reported_at=FRIDAY + timedelta(hours=n)) for n in range(11)]
    )
    seen, before = [], None
    while rows := casebook.page(district, SYSTEM, Search(), 4, before):
        seen += [row.number for row in rows]
        before = casebook.place(Search(), rows[-1])
    assert len(seen) == len(set(seen)) == 11
    assert len(casebook.page(district, SYSTEM, Search(code=f"{C1}002"), 50)) == 3
    assert casebook.count_by_state(district, SYSTEM, Search(open=True))[State.REPORTED] == 11
    assert casebook.page(district, SYSTEM, Search(until=date(2026, 11, 19)), 50) == []
    assert len(casebook.page(district, SYSTEM, Search(since=date(2026, 11, 21)), 50)) == 3  # by local days


def test_a_member_sees_the_own_micro_grid_only(district, told, staff):
    intake.report_many(district, SYSTEM, [told(n + 0.1) for n in range(4)])
    member = staff[Role.GRID_MEMBER]
    assert {row.micro_grid_code for row in casebook.page(district, member, Search(), 50)} == {f"{C1}001"}
    assert len(casebook.map_points(district, member, Search(), 50)) == 1


def test_open_means_not_yet_final(district, told):
    intake.report(district, SYSTEM, told())
    district.execute(update(Incident).values(state=State.VOIDED))
    assert State.VOIDED not in OPEN
    assert casebook.page(district, SYSTEM, Search(open=True), 5) == []


def test_events_remember_who_and_when(district, told, staff):
    case = intake.report(district, staff[Role.GRID_MEMBER], told())
    event = district.scalar(select(IncidentEvent).where(IncidentEvent.incident_id == case.id))
    assert (event.actor_name, event.payload["description"]) == (Role.GRID_MEMBER, "垃圾")


def test_words_however_short_or_odd_find_what_holds_them_all(district, told):
    one = intake.report(district, SYSTEM, told(description="荷花路井盖缺失", address="荷花路 50% 处"))
    two = intake.report(district, SYSTEM, told(description="荷叶街护栏破损_已锈", address="荷叶街3号"))

    def numbers(words: str) -> set[str]:
        return {case.number for case in casebook.page(district, SYSTEM, Search(words=words), 50)}

    assert numbers("井盖") == {one.number}
    assert numbers("荷") == numbers("") == {one.number, two.number}
    assert numbers("荷叶 护栏") == {two.number}
    assert numbers("盖井") == numbers("荷花 护栏") == set()
    assert numbers("0%") == {one.number}
    assert numbers("损_") == numbers("3号") == {two.number}
    assert numbers(one.number) == {one.number}
    assert numbers("\\") == numbers("'; --") == numbers("{井,盖}") == set()
