"""Many sweepers at once, and people at work among them: each rung is climbed once, and nobody waits."""

from collections import Counter
from datetime import date, datetime, timedelta
from threading import Barrier, Thread

import pytest
from climbing import MONDAY, SAMPLE, after, publish
from little import STREET
from sqlalchemy import select, text

from gridmgr import clock, db
from gridmgr.account import service as accounts
from gridmgr.account.model import Role
from gridmgr.account.rules import SYSTEM, Grant
from gridmgr.audit import queries as audit
from gridmgr.category import queries as categories
from gridmgr.escalation import queries, service
from gridmgr.escalation.model import RungClimbed
from gridmgr.incident import queries as incidents
from gridmgr.incident import service as incident
from gridmgr.incident.model import Incident, Report
from gridmgr.intake import service as intake
from gridmgr.life.model import Action, State
from gridmgr.notice.model import Notice
from gridmgr.reactions import REACTIONS
from gridmgr.supervision.model import SupervisionDeed, SupervisionOrder

pytestmark = pytest.mark.db
CASES, SWEEPERS = 240, 4


@pytest.fixture
def busy(own_district):
    """A district of its own with many open cases, each with several rungs due, and people to be told."""
    with clock.travel(MONDAY), db.transaction(own_district, REACTIONS) as session:
        publish(session, SAMPLE.read_text("utf-8").partition("\n")[2])
        for role in (Role.GRID_MEMBER, Role.COMMUNITY_CLERK, Role.STREET_DISPATCHER, Role.COMMAND_CENTRE):
            accounts.open_account(session, role, f"{role}", "a long enough password", [Grant(role, STREET)])
        category = categories.by_code(session, "S0102", date(2026, 9, 7)).id
        report = Report(104.001, 30.001, "wgs84", category, "patrol", reported_at=MONDAY)
        intake.report_many(session, SYSTEM, [report] * CASES)
    return own_district


def together(work, number: int = SWEEPERS) -> list:
    """Run the same work in several threads at once; returns what each returned or raised."""
    ready, done = Barrier(number), []

    def run(n: int) -> None:
        ready.wait()
        try:
            done.append(work(n))
        except Exception as wrong:
            done.append(wrong)

    threads = [Thread(target=run, args=(n,)) for n in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done


def sweep_dry(engine, at: datetime, batch: int = 7) -> int:
    """Sweep in small batches until nothing is left that is not in other hands."""
    total = 0
    while True:
        with clock.travel(at), db.transaction(engine, REACTIONS) as session:
            served = service.sweep(session, batch)
        if not served:
            return total
        total += served


def test_many_sweepers_at_once_climb_each_rung_once_and_miss_none(busy):
    served = together(lambda n: sweep_dry(busy, after(2)))
    assert sum(served) == CASES
    assert sum(number > 0 for number in served) > 1  # they did share the work
    with db.transaction(busy) as session:
        climbed = Counter(
            tuple(row) for row in session.execute(select(RungClimbed.clock_id, RungClimbed.rung))
        )
        assert set(climbed.values()) == {1}
        assert len(climbed) == 3 * CASES
        assert len(audit.unserved(session)) == 0
        assert {case.level for case in session.scalars(select(Incident))} == {"community"}
        assert audit.verify(session).broken == []
        kinds = Counter(
            session.scalars(select(Notice.kind).where(Notice.kind.in_(["remind", "told", "taken_over"])))
        )
        assert kinds == {"remind": CASES, "taken_over": CASES, "told": CASES}


def test_many_sweepers_issue_one_order_a_case_where_a_ladder_supervises(busy):
    with clock.travel(MONDAY), db.transaction(busy, REACTIONS) as session:
        publish(
            session,
            ",,dispatch,1,hours,50%,remind,community,10%,3,,\n,,dispatch,,,100%,supervise,street,,,,2 hours\n"
            ",,dispatch,,,120%,supervise,district,,,,2 hours\n",
            date(2026, 1, 2),
        )
        numbers = [row.number for row in session.scalars(select(Incident).order_by(Incident.id))]
        for number in numbers:
            incident.move(session, SYSTEM, number, Action.ACCEPT, {"checked": True})
    together(lambda n: sweep_dry(busy, after(1)))
    served = together(lambda n: sweep_dry(busy, after(2)))
    assert sum(served) == CASES and sum(number > 0 for number in served) > 1
    with db.transaction(busy) as session:
        climbed = Counter(session.execute(select(RungClimbed.act, RungClimbed.rung)).all())
        assert climbed == {
            **{("remind", n): CASES for n in range(3)}, ("supervise", 3): CASES, ("supervise", 4): CASES,
        }  # fmt: skip
        orders = Counter(session.scalars(select(SupervisionOrder.incident_id)))
        assert set(orders.values()) == {1} and len(orders) == CASES
        deeds = Counter(session.scalars(select(SupervisionDeed.deed)))
        assert deeds == {"issue": CASES, "urge": CASES}
        with clock.travel(after(2)):
            assert len(audit.unserved(session)) == 0
        assert audit.verify(session).broken == []


def test_people_move_cases_while_they_are_swept_and_neither_waits_for_ever(busy):
    with db.transaction(busy) as session:
        numbers = [row.number for row in session.scalars(select(Incident).order_by(Incident.id))]

    def work(n: int):
        if n < 2:
            return sweep_dry(busy, after(2))
        for number in numbers[n::2]:
            with clock.travel(after(2)), db.transaction(busy, REACTIONS) as session:
                incident.move(session, SYSTEM, number, Action.ACCEPT, {"checked": True})
        return len(numbers[n::2])

    done = together(work)
    assert not [each for each in done if isinstance(each, Exception)]
    sweep_dry(busy, after(2))
    with db.transaction(busy) as session:
        assert {case.state for case in session.scalars(select(Incident))} <= {State.ACCEPTED, State.REPORTED}
        with clock.travel(after(2)):
            assert len(audit.unserved(session)) == 0
        assert audit.verify(session).broken == []
        doubled = "SELECT 1 FROM rung_climbed GROUP BY clock_id, rung HAVING count(*) > 1"
        assert session.execute(text(doubled)).all() == []
        late = (
            "SELECT count(*) FROM rung_climbed JOIN case_clock ON id = clock_id "
            "WHERE ended_at IS NOT NULL AND climbed_at > ended_at"
        )
        assert session.scalar(text(late)) == 0


def test_a_case_in_somebodys_hands_is_left_for_the_next_sweep(busy):
    with db.transaction(busy) as holding, clock.travel(after(0.5)):
        number = holding.scalar(select(Incident.number).order_by(Incident.id).limit(1))
        incidents.locked(holding, SYSTEM, number)
        with db.transaction(busy, REACTIONS) as session:
            assert service.sweep(session) == CASES - 1
    assert sweep_dry(busy, after(0.5)) == 1


def test_a_sweep_that_breaks_off_has_climbed_nothing(busy):
    with pytest.raises(ZeroDivisionError), clock.travel(after(2)), db.transaction(busy, REACTIONS) as session:
        assert service.sweep(session) == CASES
        raise ZeroDivisionError
    with db.transaction(busy) as session:
        assert session.scalar(select(RungClimbed.clock_id)) is None
    assert sweep_dry(busy, after(2), 5000) == CASES


def test_the_sweep_goes_by_the_clock_of_the_database(busy):
    with db.transaction(busy, REACTIONS) as session:
        assert abs(queries.moment(session) - clock.now()) < timedelta(seconds=5)
        assert service.sweep(session) in (
            0,
            CASES,
        )  # those cases of 2026 are due or not by today's date alone
