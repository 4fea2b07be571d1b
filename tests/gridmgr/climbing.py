"""What the tests of clocks share: policies from rows, and a desk that works at instants of one's choice."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from gridmgr import clock, sheet
from gridmgr.account.rules import SYSTEM
from gridmgr.category import queries as categories
from gridmgr.escalation import queries, service
from gridmgr.escalation.model import Clock
from gridmgr.events import drain
from gridmgr.incident import service as incident
from gridmgr.incident.model import Incident
from gridmgr.intake import service as intake
from gridmgr.life.model import Action
from gridmgr.notice.model import Kind, Notice
from gridmgr.policy import rules
from gridmgr.policy import service as policies
from gridmgr.policy.model import LADDER
from gridmgr.reactions import REACTIONS

MONDAY = datetime(2026, 9, 7, 1, tzinfo=UTC)  # 9:00 in the district
SAMPLE = Path(__file__).resolve().parents[2] / "sample_maps" / "policies.csv"
USUAL = {
    Action.ACCEPT: {"checked": True}, Action.DISPATCH: {"handler": "环卫所"}, Action.CLOSE: {"checked": True},
}  # fmt: skip


def after(hours: float = 0, **more) -> datetime:
    return MONDAY + timedelta(hours=hours, **more)


def publish(session, rows: str, effective: date = date(2026, 1, 1)) -> None:
    """Publish policies from the rows of a table; the last columns may be left out."""
    content = "category,severity,stage,amount,unit,share,act,level,every,times,when,answer\n" + rows
    told = sheet.read(content.encode(), "policies.csv", rules.policy_columns())
    codes = [each.code for each in categories.in_force(session, effective)]
    policies.publish(session, "试点", effective, rules.read_policies(told, codes, LADDER))


class Desk:
    """Report, step and sweep at instants of one's choice."""

    def __init__(self, session, told):
        self.session, self.told = session, told

    def at(self, instant: datetime, work):
        with clock.travel(instant):
            done = work()
            drain(self.session, REACTIONS)
        return done

    def report(self, instant: datetime = MONDAY, **changes) -> Incident:
        told = self.told(reported_at=instant, **changes)
        return self.at(instant, lambda: intake.report(self.session, SYSTEM, told))

    def move(self, case: Incident, instant: datetime, action: Action, actor=SYSTEM, **payload) -> None:
        payload = USUAL.get(action, {}) | payload
        self.at(instant, lambda: incident.move(self.session, actor, case.number, action, payload))

    def handling(self, **changes) -> Incident:
        """A case that was reported, accepted, dispatched and taken in hand at nine on Monday."""
        case = self.report(**changes)
        for action in (Action.ACCEPT, Action.DISPATCH, Action.HANDLE):
            self.move(case, MONDAY, action)
        return case

    def sweep(self, instant: datetime) -> int:
        return self.at(instant, lambda: service.sweep(self.session))

    def clocks(self, case: Incident) -> dict[str, str]:
        return {each.stage: each.state.value for each in queries.of_case(self.session, case.id)}

    def clock(self, case: Incident, stage: str) -> Clock:
        """The last clock of a stage of a case."""
        return [each for each in queries.of_case(self.session, case.id) if each.stage == stage][-1]

    def climbs(self, case: Incident, stage: str) -> list[tuple]:
        (one,) = [each for each in queries.of_case(self.session, case.id) if each.stage == stage]
        rows = queries.climbs(self.session, [one]).get(one.id, [])
        return [(row.rung, row.act, row.level, row.reached, row.note) for row in rows]

    def told_to(self, actor) -> list[tuple]:
        asked = (
            select(Notice.kind, Notice.incident_id).where(Notice.account_id == actor.id).order_by(Notice.id)
        )
        kinds = (Kind.REMIND, Kind.TOLD, Kind.TAKEN_OVER)
        return [tuple(row) for row in self.session.execute(asked.where(Notice.kind.in_(kinds)))]
