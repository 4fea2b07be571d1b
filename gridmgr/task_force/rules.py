"""What a task force must be like, how it stands, and who may do what to it. No session, no time of day."""

from dataclasses import dataclass
from datetime import date, timedelta

from gridmgr.account.rules import Actor, can
from gridmgr.errors import Problem
from gridmgr.life.model import Action, State
from gridmgr.life.rules import WORKED_ON
from gridmgr.task_force.model import (
    EndPast,
    EndTooFar,
    LeadNeeded,
    NoMembers,
    NotTheirForce,
    PlaceWrong,
    PurposeMissing,
    Raised,
    Standing,
    TaskForce,
)
from gridmgr.words import N_

LONGEST_PURPOSE, LONGEST_NAME, LONGEST_DAYS = 500, 100, 366


@dataclass(frozen=True)
class Occasion:
    """What task forces are raised for again and again: fills the form."""

    key: str
    name: str
    purpose: str
    days: int


OCCASIONS = {
    each.key: each
    for each in (
        Occasion("leases", N_("Leases task force"), N_("Check and register let houses, and mend what is unsafe."), 60),
        Occasion("elections", N_("Elections task force"), N_("Run the election of the committees."), 90),
        Occasion("petitions", N_("Petitions task force"), N_("Settle petitions that have waited long."), 30),
        Occasion("roads", N_("Road works task force"), N_("Clear the way for road works, and settle claims."), 120),
        Occasion("flood", N_("Flood task force"), N_("Guard against flood and typhoon."), 14),
    )
}  # fmt: skip
"""Ouhai's occasions (field.md §1, A2), and the one every place has."""


def check(told: Raised, today: date) -> None:
    """Refuse a task force that lacks something, or that has ended before it begins.

    Raises
    ------
    PurposeMissing, NoMembers, LeadNeeded, EndPast, EndTooFar, PlaceWrong
    """
    named = 0 < len(told.name.strip()) <= LONGEST_NAME and 0 < len(told.purpose.strip()) <= LONGEST_PURPOSE
    if not named:
        raise PurposeMissing(most=LONGEST_PURPOSE)
    if not told.members:
        raise NoMembers
    if told.lead not in told.members:
        raise LeadNeeded
    if (told.lon is None) != (told.lat is None):
        raise PlaceWrong
    check_end(told.ends_on, today)


def check_end(ends_on: date, today: date) -> None:
    """Refuse a last day that has passed, or lies too far ahead.

    Raises
    ------
    EndPast, EndTooFar
    """
    if ends_on < today:
        raise EndPast(day=ends_on.isoformat())
    if ends_on > today + timedelta(days=LONGEST_DAYS):
        raise EndTooFar(most=LONGEST_DAYS)


def standing(force: TaskForce, today: date) -> Standing:
    """Return how a task force stands on a day."""
    if force.disbanded_at is not None:
        return Standing.DISBANDED
    return Standing.ENDED if force.ends_on < today else Standing.RUNNING


def refusal(actor: Actor, force: TaskForce, lead_id: int | None) -> Problem | None:
    """Return why an actor may not change a task force; those who raise them there may, and its lead."""
    if actor.id is not None and actor.id == lead_id:
        return None
    if can(actor, "task_force.manage", force.area):
        return None
    return NotTheirForce(area=force.area or "-")


def step_under(state: State) -> Action | None:
    """Return the step that puts a case in a state under a task force, None if there is none."""
    if state is State.ACCEPTED:
        return Action.DISPATCH
    return Action.REDIRECT if state in WORKED_ON else None
