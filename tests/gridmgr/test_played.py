"""A fictional district built and played through the real verbs: broken off, resumed, touched by hand, lived on."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from threading import Event

import pytest
from sqlalchemy import select

from gridmgr import clock, db
from gridmgr.account import queries as accounts
from gridmgr.account import service as account_service
from gridmgr.account.rules import SYSTEM
from gridmgr.audit import queries as audit
from gridmgr.casebook import queries as casebook
from gridmgr.casebook.queries import Search
from gridmgr.claim import queries as claims
from gridmgr.coapproval import queries as coapproval
from gridmgr.command_room import queries as command_room
from gridmgr.dispatch import queries as dispatch
from gridmgr.duty import queries as duty
from gridmgr.escalation.model import CaseClock, RungClimbed, Running
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hotspot import queries as hotspot
from gridmgr.incident import queries as incident_queries
from gridmgr.incident import service as incident
from gridmgr.incident.model import Incident, IncidentEvent
from gridmgr.incident.rules import DESK, EITHER
from gridmgr.life.model import Action, State
from gridmgr.life.rules import target
from gridmgr.module import queries as modules
from gridmgr.one_grid import queries as one_grid
from gridmgr.onsite import queries as onsite
from gridmgr.position import queries as positions
from gridmgr.public_notice import queries as public_notices
from gridmgr.reactions import REACTIONS
from gridmgr.settings import settings
from gridmgr.simulation import dispatching, joint, noticing, organising, queries, rules, service, walking
from gridmgr.simulation.model import ACCOUNTS, City, Played

SEED, MONDAY = 7, date(2026, 9, 7)


@dataclass
class Story:
    """A hamlet built, played with a break, touched by hand, and played on."""

    engine: object
    since: datetime
    until: datetime
    city: City
    states: dict[str, str]
    resumed: Played
    again: Played
    by_hand: str
    next_day: Played
    lived: int


class PowerCutError(Exception):
    pass


@pytest.fixture(scope="module")
def story(engine, tmp_path_factory):
    since = datetime(2026, 9, 7, tzinfo=clock.zone()).astimezone(UTC)
    until = since + timedelta(days=3)

    def cut(share: float) -> None:
        if share > 0.5:
            raise PowerCutError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings(), "home", tmp_path_factory.mktemp("home"))
        with db.transaction(engine, REACTIONS) as session:
            assert service.build(session, "tiny", SEED, date(2026, 1, 1)) is not None
        with pytest.raises(PowerCutError):
            service.play(engine, REACTIONS, since, until, SEED, cut)
        resumed = service.play(engine, REACTIONS, since, until, SEED)
        with db.transaction(engine) as session:
            states = dict(map(tuple, session.execute(select(Incident.source_id, Incident.state))))
            city = queries.city(session, SEED)
        again = service.play(engine, REACTIONS, since, until, SEED)
        by_hand = void_by_hand(engine, until)
        next_day = service.play(engine, REACTIONS, until, until + timedelta(days=1), SEED, workers=4)
        lived = live_until(engine, until + timedelta(days=1, hours=11))
        yield Story(engine, since, until, city, states, resumed, again, by_hand, next_day, lived)


def void_by_hand(engine, at: datetime) -> str:
    with db.transaction(engine, REACTIONS) as session, clock.travel(at):
        number = session.scalars(
            select(Incident.number).where(Incident.state == State.ACCEPTED).order_by(Incident.number.desc())
        ).first()
        incident.move(session, SYSTEM, number, Action.VOID, {"note": "by hand"})
    return number


def live_until(engine, now: datetime) -> int:
    stop = Event()
    heard = []

    def hear(share: float) -> None:
        heard.append(share)
        stop.set()

    with clock.travel(now):
        service.live(engine, REACTIONS, stop, SEED, hear)
    return len(heard)


@pytest.mark.db
def test_what_a_power_cut_broke_off_is_resumed_to_just_what_was_planned(story):
    chances, calendar = rules.Chances(story.city), clock.working_calendar()
    planned: dict[str, str] = {}
    for n in range(3):
        for act in rules.day_plan(SEED, MONDAY + timedelta(days=n), story.city, chances, calendar):
            if act.at < story.until:
                planned[act.key] = target(planned.get(act.key), act.action, act.payload)
    assert story.resumed.reports > 20
    assert story.resumed.skipped > 20
    assert story.states == planned


@pytest.mark.db
def test_playing_the_same_window_again_adds_nothing(story):
    assert (story.again.reports, story.again.moves) == (0, 0)
    assert story.again.skipped > 300


@pytest.mark.db
def test_a_case_moved_by_hand_is_left_to_the_hand(story):
    assert story.next_day.reports > 20
    assert story.next_day.skipped > 0
    with db.transaction(story.engine) as session:
        case = incident_queries.by_number(session, SYSTEM, story.by_hand)
        assert case.state == State.VOIDED


@pytest.mark.db
def test_a_living_district_catches_up_with_the_time(story):
    assert story.lived >= 2
    with db.transaction(story.engine) as session:
        _, last = queries.played(session, rules.origin(SEED))
    assert last > story.until + timedelta(days=1)


@pytest.mark.db
def test_the_histories_hold_and_run_forward_in_time(story):
    with db.transaction(story.engine) as session:
        verified = audit.verify(session)
        rows = session.execute(
            select(IncidentEvent.incident_id, IncidentEvent.occurred_at).order_by(
                IncidentEvent.incident_id, IncidentEvent.seq
            )
        ).all()
    assert verified.broken == []
    assert verified.incidents > 120
    assert all(a.occurred_at < b.occurred_at for a, b in pairwise(rows) if a.incident_id == b.incident_id)


@pytest.mark.db
def test_four_workers_side_by_side_leave_no_rung_for_the_next_hour(story):
    begin, end = story.until, story.until + timedelta(days=1)
    with db.transaction(story.engine) as session:
        climbed = session.scalars(select(RungClimbed).where(RungClimbed.due_at.between(begin, end))).all()
        running = select(CaseClock).where(CaseClock.state == Running.RUNNING)
        clocks = session.scalars(running).all()
    assert len(climbed) > 10
    assert all(each.due_at <= each.climbed_at <= each.due_at + timedelta(hours=1) for each in climbed)
    done = {(each.clock_id, each.rung) for each in climbed}
    due = {(one.id, rung) for one in clocks for rung, at in enumerate(one.rung_times) if begin < at <= end}
    assert due <= done


@pytest.mark.db
def test_the_planted_hotspot_is_found(story):
    with db.transaction(story.engine) as session, clock.travel(story.until):
        found = hotspot.gi(session, SYSTEM, "micro_grid", Search()).units
    (spot,) = story.city.hotspots
    assert (found.loc[list(spot.grids), "klass"] > 0).any()
    assert set(found["z"].nlargest(3).index) & set(spot.grids)


@pytest.mark.db
def test_each_demonstration_account_logs_in_and_sees_its_part(story):
    seen = {}
    with db.transaction(story.engine) as session:
        for demo in ACCOUNTS:
            account_service.log_in(session, demo.username, demo.password)
            actor = accounts.actor_of(accounts.by_username(session, demo.username))
            assert [grant.role for grant in actor.grants] == [demo.role]
            seen[demo.level] = sum(casebook.count_by_state(session, actor, Search()).values())
    assert 0 < seen["micro_grid"] <= seen["community"] <= seen["street"] == seen[""]


@pytest.mark.db
def test_demonstration_staff_do_their_own_work(story):
    with db.transaction(story.engine) as session:
        account = accounts.by_username(session, "dispatcher")
        worked = select(IncidentEvent.action).where(IncidentEvent.actor_id == account.id)
        assert {Action.DISPATCH, Action.CLOSE} <= set(session.scalars(worked)) <= DESK | EITHER


@pytest.mark.db
def test_a_district_is_built_once(story):
    with db.transaction(story.engine) as session:
        assert service.build(session, "tiny", SEED, date(2026, 1, 1)) is None


@pytest.mark.db
def test_the_desks_of_the_demonstration_street_have_a_roster_of_a_fortnight_once(story):
    monday = date(2026, 12, 7)
    with db.transaction(story.engine) as session:
        turns = service.open_rosters(session, monday)
        assert turns == service.open_rosters(session, monday) + turns
        shown = accounts.by_username(session, "dispatcher").grants[0].code
        found = duty.listing(
            session, SYSTEM, clock.midnight(monday, -28), clock.midnight(monday, 14), "", 100_000
        )
        assert len(found) == turns > 0
        assert turns % 42 == 0
        assert {turn.code[: len(shown)] for turn, *_ in found} == {shown}
        assert {turn.role for turn, *_ in found} == {"street_dispatcher", "community_clerk", "grid_member"}
        session.rollback()


@pytest.mark.db
def test_members_of_the_demonstration_street_walk_their_grids_and_are_seen(story):
    with db.transaction(story.engine) as session:
        sent = walking.walk(session)
        assert 0 < sent <= walking.WALKERS
        assert walking.walk(session) == 0  # nobody sends twice within minutes
        seen = positions.page(session, accounts.actor(session, "dispatcher"), "", 100)
        assert len(seen) == sent
        assert all(each.code in {grant.code for grant in each.account.grants} for each in seen)
        session.rollback()


@pytest.mark.db
def test_the_demonstration_has_bodies_modules_of_different_ways_and_two_task_forces_once(story):
    with db.transaction(story.engine) as session:
        assert organising.organise(session) > 20
        assert organising.organise(session) == 0
        shown = accounts.by_username(session, "dispatcher").grants[0].code
        room = command_room.room(session, SYSTEM, shown)
        assert all(each.lead for each in room.lines)
        assert {each.body.kind for each in room.posts} == {"station", "team", "command_room"}
        assert sum(each.pile.open for each in room.lines) == room.whole.open
        assert sorted(post.pile.open > 0 for _, post in room.forces) == [False, True]
        templates = {each.template for each in modules.groupings(session).values()}
        assert len(templates) == min(4, len(hierarchy.streets(session)))
        lists = one_grid.page(session, SYSTEM, shown, 1000)
        assert len(lists) > 3
        assert all({"党建", "综治", "城管"} <= set(each.lines) for found in lists.values() for each in found)
        session.rollback()


@pytest.mark.db
def test_the_demonstration_street_has_pieces_to_take_and_applications_in_its_window_once(story):
    with db.transaction(story.engine, REACTIONS) as session:
        member = accounts.actor(session, "member")
        pieces = joint.cut_pieces(session, SEED)
        assert pieces == joint.cut_pieces(session, SEED) + pieces
        states = Counter(each.state for each in claims.page(session, member, claims.Search(), 50))
        assert states["done"] >= 1
        assert states["open"] >= 4
        assert claims.counts(session, member)["mine"] == 1
        assert joint.ask_together(session) == 3
        assert joint.ask_together(session) == 0
        found = coapproval.page(session, SYSTEM, coapproval.Search(), 10)
        assert Counter(each.state for each in found) == {"open": 2, "granted": 1}
        opinions = coapproval.opinions(session, [each.id for each in found])
        assert any(each.said == "object" for every in opinions.values() for each in every)


@pytest.mark.db
def test_the_demonstration_community_has_a_plan_on_public_notice_once(story):
    with db.transaction(story.engine, REACTIONS) as session:
        assert noticing.announce(session) == 2
        assert noticing.announce(session) == 0
        (found,) = public_notices.notices(session)
        said = public_notices.comments(session, found.id, shown=False)
        assert (found.state, len(found.changes["new"])) == ("notice", 1)
        assert [(each.state, lon is None) for each, lon, _ in said] == [("waiting", True), ("shown", False)]
        session.rollback()


@pytest.mark.db
def test_the_demonstration_street_has_cases_to_dispatch_and_sends_its_member_to_look_once(story):
    with db.transaction(story.engine, REACTIONS) as session:
        assert dispatching.dispatch(session) == len(dispatching.TOLD)
        assert dispatching.dispatch(session) == 0
        assert {each.mode for each in dispatch.settings(session)} == {"suggest", "automatic"}
        dispatcher, member = (accounts.actor(session, name) for name in ("dispatcher", "member"))
        assert len(dispatch.page(session, dispatcher, dispatch.queue(dispatcher), 50)) >= 3
        assert onsite.page(session, member, 50, mine=True, running=True)
