"""Random lives of cases, for tests that must hold for any history."""

from datetime import UTC, datetime, timedelta
from random import Random

from gridmgr import clock
from gridmgr.account.rules import SYSTEM, Actor
from gridmgr.incident import queries as incidents
from gridmgr.incident import service
from gridmgr.incident.model import Incident, IncidentEvent
from gridmgr.life import rules as life
from gridmgr.life.model import Action

NINE = datetime(2026, 9, 7, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
BODIES = ("环卫所", "执法队", "市场所")
STEPS = [
    *sorted({action for _state, action in life.TRANSITIONS} - {Action.REPORT}),
    Action.REHOME, Action.RETIME, Action.TAKE_OVER, Action.HAND_OVER, Action.WHISTLE,
]  # fmt: skip

MAIN = [
    Action.ACCEPT, Action.DISPATCH, Action.HANDLE, Action.FEED_BACK, Action.VERIFY, Action.CLOSE, Action.EVALUATE,
]  # fmt: skip


def payload(chance: Random, action: Action, at: datetime) -> dict:
    """What a step of this kind may carry."""
    due = (at + chance.randrange(-9, 90) * HOUR).isoformat() if chance.random() < 0.8 else None
    handler = {"handler": chance.choice(BODIES), "handler_code": chance.choice((None, "330302001001"))}
    given = {
        Action.ACCEPT: {"due_at": due, "limit_unit": "working_hours"},
        Action.REOPEN: {"due_at": due, "limit_unit": "hours", "note": "又有了"},
        Action.EXTEND: {"due_at": due},
        Action.RESUME: {"due_at": due},
        Action.RETIME: {"due_at": at.isoformat()},
        Action.CONFIRM: {"found": chance.random() < 0.7},
        Action.EVALUATE: {"satisfaction": chance.randrange(1, 6)},
        Action.DISPATCH: handler | {"level": chance.choice(("street", "district", None))},
        Action.REDIRECT: handler,
        Action.HAND_OVER: handler | ({"before": chance.choice(BODIES)} if chance.random() < 0.8 else {}),
        Action.HAND_UP: {"level": "street"},
        Action.TAKE_OVER: {"level": "district"},
        Action.ASK: {"way": "void", "note": "不是我们的"},
        Action.REHOME: {"street_code": "330302002", "community_code": "330302002001", "edition_id": None},
        Action.ADOPT: {"state": chance.choice(("handling", "closed", "reported", "voided")), "due_at": due},
    }
    return given.get(action, {})


def walk(session, chance: Random, case: Incident, recorded: datetime = NINE, by: Actor = SYSTEM) -> None:
    """Take a case some steps the tables allow; some are written down later than they are taken."""
    rows = []
    kinds = [Action.ADOPT] * 3 * (
        case.last_seq == 1
    ) + STEPS  # another system's word follows the report at once, or never comes
    for _step in range(chance.randrange(0, 14)):
        recorded += chance.randrange(1, 9) * HOUR
        at = recorded - chance.choice((0, 0, 0, 12)) * HOUR
        standing = incidents.standing(case)
        action = chance.choice([each for each in kinds if possible(standing, each)] or [None])
        kinds = STEPS + MAIN * 4
        over = standing.state in life.FINAL and chance.random() < 0.7
        if over or action is None or (action is Action.FINISH_TASK and not standing.open_tasks):
            break
        given = payload(chance, action, at)
        if action is Action.REHOME:
            given["edition_id"] = case.edition_id
        with clock.travel(recorded):
            rows.append(service._appended(by, case, action, given, at))
    session.add_all(IncidentEvent(**row) for row in rows)


def possible(standing, action: Action) -> bool:
    try:
        life.target(standing.state, action, {"state": "handling"}, back=standing.suspended_from)
    except life.IllegalMove:
        return False
    return True
