"""The daily alarm on PostGIS: what a day's scan keeps, whom it tells, that it never changes and can be repeated."""

from datetime import date, datetime, timedelta

import pytest
from little import CATEGORIES, SOUTH, STEP, STREET, WEST, layer, square
from numpy.random import default_rng
from pydantic import ValidationError
from sqlalchemy import Engine, delete, select, text, update
from sqlalchemy.exc import OperationalError, ProgrammingError

from gridmgr import clock, db
from gridmgr.account import queries as accounts
from gridmgr.account import service as account_service
from gridmgr.account.model import NotGranted, Role
from gridmgr.account.rules import SYSTEM, Actor, Grant
from gridmgr.category import queries as matters
from gridmgr.category import rules as matter_rules
from gridmgr.category import service as matter_service
from gridmgr.hierarchy import service as hierarchy
from gridmgr.incident.model import Report
from gridmgr.intake import service as intake
from gridmgr.life.model import Source
from gridmgr.morning import queries as mornings
from gridmgr.notice.model import Kind, Notice
from gridmgr.reactions import REACTIONS
from gridmgr.scan import queries, rules, service
from gridmgr.scan.model import Cluster, DayNotOver, NoteNeeded, NotScanned, UnknownAlarm, UnknownMatter
from gridmgr.settings import Settings, settings

DAY = date(2026, 9, 20)
MORNING = datetime(2026, 9, 21, 5, 31, tzinfo=clock.zone())
RUBBISH, GAS = "市容环境", "突发事件"
PEOPLE = {"centre": (Role.COMMAND_CENTRE, ""), "street": (Role.STREET_LEADER, STREET),
          "other": (Role.STREET_LEADER, "510106002"), "member": (Role.GRID_MEMBER, f"{STREET}001001")}  # fmt: skip


def city() -> dict:
    """Two streets of one community each, of six by two micro-grids each."""
    rows = [
        (
            f"51010600{s}001{n:03}",
            f"第{n}微网格",
            f"51010600{s}001",
            square(6 * s - 6 + (n - 1) % 6, (n - 1) // 6),
        )
        for s in (1, 2)
        for n in range(1, 13)
    ]
    return {
        "street": layer([(f"51010600{s}", f"街道{s}", None, square(6 * (s - 1), 0, 6, 2)) for s in (1, 2)]),
        "community": layer(
            [(f"51010600{s}001", f"社区{s}", f"51010600{s}", square(6 * (s - 1), 0, 6, 2)) for s in (1, 2)]
        ),
        "micro_grid": layer(rows),
        "building": layer([(f"{STREET}00100001", "1号", f"{STREET}001001", square(0.4, 0.4, 0.1, 0.1))]),
    }


def told(session, column: float, row: float, code: str, at: datetime) -> Report:
    category = matters.by_code(session, code, DAY).id
    return Report(WEST + column * STEP, SOUTH + row * STEP, "wgs84", category, Source.PATROL, reported_at=at)


@pytest.fixture(scope="module")
def burning(engine: Engine, run_folder) -> Engine:
    """A month of chance over both streets, and rubbish in three neighbouring grids of the first on its last days."""
    draw = default_rng(7)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings(), "home", run_folder / "scan")
        patch.setattr(settings(), "scan_permutations", 499)
        with db.transaction(engine) as session:
            hierarchy.load(session, city(), date(2026, 1, 1), "首版")
            matter_service.publish(session, "试点", date(2026, 1, 1), matter_rules.parse(CATEGORIES))
            for name, (role, code) in PEOPLE.items():
                account_service.open_account(
                    session, name, name, "a long enough password", [Grant(role, code)]
                )
            days, gas = draw.integers(0, 30, 150), draw.random(150) < 0.2
            reports = [
                told(session, *place, "S0503" if urgent else "S0102", clock.midnight(DAY, 10 / 24 - int(day)))
                for place, day, urgent in zip(
                    draw.uniform((0.05, 0.05), (11.95, 1.95), (150, 2)), days, gas, strict=True
                )
            ]
            reports += [
                told(session, 1.2 + 0.15 * n, 0.5, "S0102", clock.midnight(DAY, 0.4 - n % 2))
                for n in range(12)
            ]
            with clock.travel(MORNING - timedelta(hours=1)):
                intake.report_many(session, SYSTEM, reports)
        yield engine


@pytest.fixture
def session(burning: Engine):
    with db.transaction(burning, REACTIONS) as session, clock.travel(MORNING):
        yield session
        session.rollback()


def actor(session, name: str) -> Actor:
    return accounts.actor(session, name)


def found(session, **search) -> list[queries.Alarm]:
    return queries.page(session, SYSTEM, queries.Search(**search), 50)


# ---- pure ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("hour", "minute", "day"), [(5, 29, 19), (5, 30, 20), (23, 59, 20)])
def test_from_half_past_five_on_the_day_before_is_due(hour, minute, day):
    at = datetime(2026, 9, 21, hour, minute, tzinfo=clock.zone())
    assert rules.last_day(at) == date(2026, 9, day)


def test_only_whole_days_and_two_levels_are_scanned():
    rules.check(DAY, "community", DAY + timedelta(days=1))
    with pytest.raises(DayNotOver):
        rules.check(DAY, "micro_grid", DAY)
    with pytest.raises(NotScanned, match="micro_grid, community"):
        rules.check(DAY, "street", DAY + timedelta(days=1))


def test_an_alarm_that_no_scan_could_raise_is_refused():
    assert Settings(alarm_days=1000, scan_permutations=999).alarm_days == 1000
    with pytest.raises(ValidationError, match="999 permutations"):
        Settings(alarm_days=1000.5, scan_permutations=999)


# ---- on PostGIS ------------------------------------------------------------------------------------------


def test_what_has_just_begun_is_found_kept_and_told(session):
    scan = service.run(session, DAY)
    (alarm, *_rest) = found(session, day=DAY)
    assert (alarm.scan.id, alarm.cluster.rank, alarm.loud) == (scan.id, 1, True)
    assert alarm.cluster.recurrence_days >= 365
    assert set(alarm.codes) & {f"{STREET}00100{n}" for n in (2, 3, 4)}
    assert (scan.units, scan.cases, scan.first_day, scan.seed) == (
        24,
        162,
        date(2026, 8, 22),
        DAY.toordinal(),
    )
    daily = alarm.cluster.daily
    window = (DAY - alarm.cluster.since).days + 1
    assert sum(observed for observed, _ in daily[-window:]) == alarm.cluster.observed
    assert sum(expected for _, expected in daily[-window:]) == pytest.approx(alarm.cluster.expected, abs=0.01)
    assert len(queries.cases_of(session, SYSTEM, alarm.cluster.id, 99)) == alarm.cluster.observed
    heard = session.execute(
        select(Notice.account_id, Notice.details).where(Notice.kind == Kind.SCAN_ALARM)
    ).all()
    assert {each[0] for each in heard} == {actor(session, name).id for name in ("centre", "street")}
    assert {each[1]["page"] for each in heard} >= {f"/alarms/{alarm.cluster.id}"}


def test_the_worker_scans_everything_first_and_then_each_class_once(session):
    did = 0
    while service.watch(session):
        did += 1
    assert (did, {each.matter for each in queries.scans(session, DAY, "micro_grid")}) == (
        3,
        {"", RUBBISH, GAS},
    )
    with clock.travel(MORNING - timedelta(minutes=2)):
        assert service.watch(session)  # before half past five it is the day before that is still due


def test_a_scan_that_was_done_stays_and_can_be_repeated(session):
    scan = service.run(session, DAY)
    assert service.run(session, DAY) is scan
    with clock.travel(MORNING + timedelta(hours=1)):  # told of later
        intake.report_many(session, SYSTEM, [told(session, 1.5, 0.5, "S0102", clock.midnight(DAY, 0.4))])
    repeated, kept = service.again(session, scan)[0], found(session, day=DAY, weak=True)
    first = next(each.cluster for each in kept if each.cluster.rank == 1)
    assert (repeated.llr, repeated.p, repeated.observed) == (first.llr, first.p, first.observed)
    assert [code for code, *_ in repeated.units] == list(kept[0].codes)


def test_two_workers_do_not_do_the_same_scan(burning, session):
    service.run(session, DAY)
    with db.transaction(burning) as other, clock.travel(MORNING):
        other.execute(text("SET LOCAL lock_timeout = '300ms'"))
        assert service.run(other, DAY, "community").units == 2  # another scan goes on
        with pytest.raises(OperationalError, match="lock timeout"):
            queries.done(other, DAY, "micro_grid", "")
        other.rollback()


@pytest.mark.parametrize("write", [update(Cluster).values(p=1), delete(Cluster)])
def test_the_database_lets_nobody_change_what_was_found(session, write):
    service.run(session, DAY)
    with pytest.raises(ProgrammingError, match="never changed"), session.begin_nested():
        session.execute(write)


def test_everybody_sees_the_alarms_of_the_own_area(session):
    service.run(session, DAY)
    (alarm,) = found(session, day=DAY)
    assert queries.page(session, actor(session, "street"), queries.Search(), 9) == [alarm]
    assert queries.page(session, actor(session, "other"), queries.Search(), 9) == []
    with pytest.raises(UnknownAlarm):
        queries.alarm(session, actor(session, "other"), alarm.cluster.id)


def test_who_has_looked_says_what_was_found_and_the_next_day_is_quiet(session):
    service.run(session, DAY)
    (alarm,) = found(session, day=DAY)
    number = alarm.cluster.id
    service.look(session, actor(session, "street"), number, " 夜市外溢,已约谈 ")
    service.look(session, actor(session, "centre"), number, "转城管")
    looks = queries.alarm(session, SYSTEM, number).looks
    assert [(each.actor_name, each.note) for each in looks] == [
        ("street", "夜市外溢,已约谈"),
        ("centre", "转城管"),
    ]
    assert found(session, open=True) == []
    for wrong in ("", " ", "x" * 501):
        with pytest.raises(NoteNeeded):
            service.look(session, actor(session, "street"), number, wrong)
    with pytest.raises(UnknownAlarm):
        service.look(session, actor(session, "other"), number, "看过")
    member = Actor(None, "m", (Grant(Role.GRID_MEMBER, f"{STREET}001"),))
    with pytest.raises(NotGranted):
        service.look(session, member, number, "看过")
    notices = select(Notice.id).where(Notice.kind == Kind.SCAN_ALARM)
    before = len(session.scalars(notices).all())
    with clock.travel(MORNING + timedelta(days=1)):
        service.run(session, DAY + timedelta(days=1))
    assert len(session.scalars(notices).all()) == before


def test_communities_and_classes_are_scanned_on_demand(session):
    assert service.run(session, DAY, "community").units == 2
    assert service.run(session, DAY, matter=GAS).cases < 60
    with pytest.raises(UnknownMatter):
        service.run(session, DAY, matter="<img onerror>")


def test_before_anything_has_happened_there_is_nothing(session):
    scan = service.run(session, date(2026, 2, 1))
    assert (scan.cases, found(session, day=scan.day, weak=True)) == (0, [])


def test_the_morning_shows_the_alarms_of_the_day_that_was_scanned_last(session):
    service.run(session, DAY)
    with clock.travel(MORNING + timedelta(days=2)):  # the worker has stood still
        service.run(session, DAY + timedelta(days=1), "community")  # by hand, and not what the page looks at
        seen = mornings.morning(session, actor(session, "street"))
    assert seen.scanned == DAY
    assert [each.scan.day for each in seen.alarms] == [DAY]


def test_pages_go_on_where_they_ended(session):
    service.run_all(session, DAY)
    everything = found(session, weak=True)
    assert len(everything) > 3
    rest = queries.page(session, SYSTEM, queries.Search(weak=True), 50, everything[1].cluster.id)
    assert [each.cluster.id for each in rest] == [each.cluster.id for each in everything[2:]]
