"""Whistles as the fragments show them: those of a case with the form to blow one, and one with all that can be done."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.attendance import queries as came
from gridmgr.category import queries as matters
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.incident.model import Incident
from gridmgr.life.rules import OPEN as OPEN_CASES
from gridmgr.whistle import queries, rules
from gridmgr.whistle.model import OPEN, Called, MinutesBeyond, Whistle, Why

STREET = "street:"  # before the code of a street, among the names of departments
NOTHING_YET = {"why": "", "wanted": "", "chosen": None, "minutes": {}, "lead": ""}


def of_case(session: Session, actor: Actor, case: Incident) -> dict[str, Any]:
    """Return what the section of a case's page shows: its whistles, and whom one could be blown for."""
    found = queries.of_case(session, case.id)
    side = rules.caller_of(actor, case)
    may_blow = side is not None and case.state in OPEN_CASES and not any(each.state in OPEN for each in found)
    values = {
        "whistles": [lines(session, each) for each in found], "may_blow": may_blow, "blow_given": NOTHING_YET,
        "blow_problem": "",
        "own_department": case.handler if not case.handler_code else None, "upward": side == "street",
        "terms": queries.terms(session), "whys": list(Why), "callable_bodies": [], "callable_streets": [],
    }  # fmt: skip
    if may_blow:
        values["callable_bodies"] = queries.bodies(session, case.home) if side == "street" else []
        streets = hierarchy.streets(session).items()
        values["callable_streets"] = [
            (STREET + code, name) for code, name in streets if side != "street" or code != case.street_code
        ]
        values["own_department"] = (
            values["own_department"] or matters.by_id(session)[case.category_id].department
        )
    return values


def lines(session: Session, whistle: Whistle) -> dict[str, Any]:
    """Return a whistle with those it calls and how each stands."""
    now = clock.now()
    found = queries.calls(session, [whistle.id]).get(whistle.id, [])
    return {
        "whistle": whistle, "calls": [(call, rules.presence(call, now)) for call in found], "now": now,
        "sign": rules.sign(whistle, found, now),
    }  # fmt: skip


def one(session: Session, actor: Actor, whistle: Whistle, case: Incident) -> dict[str, Any]:
    """Return what the page of a whistle shows: whom it calls, what was done, and what may be done now."""
    found = queries.calls(session, [whistle.id]).get(whistle.id, [])
    return lines(session, whistle) | {
        "case": case, "category": matters.by_id(session)[case.category_id],
        "sees_case": any(case.home.startswith(code) for code in actor.scope),
        "record": queries.deeds(session, [whistle.id]).get(whistle.id, []),
        "deeds": rules.deeds(actor, whistle, case.home, found),
        "call_deeds": {call.id: rules.call_deeds(actor, whistle, case.home, call) for call in found},
        "place": queries.places(session, [whistle.id])[whistle.id],
        "arrivals": {call.id: (lon, lat) for call, lon, lat in came.arrivals(session, [whistle.id])},
        "callable_bodies": queries.bodies(session, case.home) if whistle.upward else [],
        "callable_streets": [(STREET + code, name) for code, name in hierarchy.streets(session).items()],
        "needs_note": rules.NEEDS_NOTE, "terms": rules.terms_of(whistle.terms),
    }  # fmt: skip


def called(chosen: Sequence[str], known: Sequence[str], minutes: Sequence[str], lead: str) -> list[Called]:
    """Return whom a form calls: `known` and `minutes` are all its rows in order, `chosen` those that are ticked.

    Raises
    ------
    MinutesBeyond
        What stands for minutes is no number.
    """
    times: Mapping[str, str] = dict(zip(known, minutes, strict=False))
    found = [_called(each, times.get(each, ""), each == lead) for each in dict.fromkeys(chosen)]
    return [replace(found[0], lead=True)] if len(found) == 1 else found


def _called(name: str, minutes: str, lead: bool) -> Called:
    try:
        number = int(minutes) if minutes.strip() else None
    except ValueError:
        raise MinutesBeyond(least=rules.MINUTES[0], most=rules.MINUTES[1]) from None
    if name.startswith(STREET):
        return Called(unit_code=name.removeprefix(STREET), lead=lead, minutes=number)
    return Called(name, lead=lead, minutes=number)
