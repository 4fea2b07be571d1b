"""Verbs of publications: submit a plan, announce it, consult on it, approve, publish, withdraw. They never commit."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gis.errors import Problem
from gridmgr import clock
from gridmgr.account.rules import SYSTEM, Actor, can, require
from gridmgr.boundary_plan import queries as plans
from gridmgr.boundary_plan import rules as drawn
from gridmgr.boundary_plan import service as drawing
from gridmgr.boundary_plan.model import BoundaryPlan, PlanClosed, Status
from gridmgr.consultation import queries as consultations
from gridmgr.consultation import service as consultation
from gridmgr.consultation.model import Asking, ConsultationEnded
from gridmgr.consultation.model import Standing as Came
from gridmgr.consultation.rules import BOUNDARY, goes_on
from gridmgr.db import apart, copy_frame
from gridmgr.grid_code import queries as codes
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy import service as maps
from gridmgr.hierarchy.model import BUILDING
from gridmgr.i18n import _
from gridmgr.notice import service as telling
from gridmgr.notice.model import Kind, Message
from gridmgr.plan_edit import service as edits
from gridmgr.publication import queries, rules
from gridmgr.publication.model import (
    BaseTaken,
    DayPast,
    Deed,
    DrawnSince,
    FindingsLeft,
    NothingToPublish,
    NoticeRuns,
    NoticeShort,
    NotPublished,
    NotSubmitter,
    OpinionsIn,
    OwnPlan,
    Publication,
    PublicationGround,
    PublicationStep,
    RecallOver,
    State,
)
from gridmgr.publication.queries import Outcome
from gridmgr.publication.rules import MATTER, TERMS
from gridmgr.terms import service as dated
from gridmgr.terms.rules import read


def submit(session: Session, actor: Actor, plan_id: int, on_tip: int | None, note: str = "") -> Publication:
    """Close a draft and check the map it makes; it is drawn on no more until it comes back.

    Raises
    ------
    UnknownPlan, NotGranted, OutsideGrant, PlanClosed, PlanMoved, Claimed
    NothingToPublish, BaseTaken
    FindingsLeft
    """
    plan = plans.by_id(session, actor, plan_id, locked=True)
    require(actor, "plan.draw", plan.area_code)
    if plan.status != Status.DRAFT:
        raise PlanClosed(name=plan.name)
    rebase_to_newest(session, plan)
    drawing.taken(session, actor, plan_id, on_tip)
    standing = plans.standing(session, plan, plan.tip_id)
    if not drawn.touched(standing.base, standing.state):
        raise NothingToPublish(name=plan.name)
    warnings = _checked(session, plan, queries.outcome(session, plan, plan.tip_id))
    plan.status, plan.claim_until = Status.SUBMITTED, None
    found = Publication(
        plan_id=plan.id, tip_id=plan.tip_id, area_code=plan.area_code, title=plan.name, state=State.CHECKED,
        changes=plans.changes(session, standing), warnings=warnings, keep_in_hand=False,
        submitted_by=actor.id, submitted_name=actor.name, submitted_at=clock.now(),
    )  # fmt: skip
    session.add(found)
    session.flush()
    _note(session, found, actor, Deed.SUBMIT, note.strip()[: rules.LONGEST_NOTE])
    return found


def _checked(session: Session, plan: BoundaryPlan, made: Outcome) -> list[dict[str, Any]]:
    """Return the findings that only warn.

    Raises
    ------
    FindingsLeft
    """
    amiss = queries.findings(session, plan, made)
    errors = [each for each in amiss if each["severity"] == "error"]
    if errors:
        first = rules.sentence(errors[0])
        raise FindingsLeft(count=len(errors), first=_filled(first, errors[0]))
    return amiss[:500]


def _filled(sentence: str, finding: Mapping[str, Any]) -> str:
    try:
        return sentence.format(**finding | finding["detail"])
    except (KeyError, ValueError, TypeError):
        return f"{finding['kind']} {finding['code']}"


def rebase(session: Session, actor: Actor, plan_id: int) -> BoundaryPlan:
    """Take a draft to the newest state of the map, if nobody has changed what it draws.

    Raises
    ------
    UnknownPlan, NotGranted, OutsideGrant, PlanClosed
    BaseTaken
    """
    plan = plans.by_id(session, actor, plan_id, locked=True)
    require(actor, "plan.draw", plan.area_code)
    if plan.status != Status.DRAFT:
        raise PlanClosed(name=plan.name)
    rebase_to_newest(session, plan)
    return plan


def rebase_to_newest(session: Session, plan: BoundaryPlan) -> bool:
    """Let a plan stand on the newest state of the map; returns whether it stood on another one.

    Raises
    ------
    BaseTaken
    """
    newest = hierarchy.editions(session)[0]
    if newest.stamp == plan.base:
        return False
    base, state = (plans.state(session, plan, each) for each in (None, plan.tip_id))
    edits = plans.drawn_by(session, plan)
    taken = queries.changed_since(session, plan, newest.effective, edits, drawn.homes(base.plan, state.plan))
    there = queries.still(session, newest.effective, edits)
    lost = {code for code in edits if code in base.plan.units.index} - there
    if taken or lost:
        raise BaseTaken(codes=", ".join(sorted({*taken, *lost})[:10]))
    plan.base, plan.base_day = newest.stamp, newest.effective
    plan.base_mark = plans.mark(session)
    session.flush()
    return True


def announce(session: Session, actor: Actor, publication_id: int, days: int | None = None) -> Publication:
    """Put a checked plan on public notice, for the days of the terms unless told.

    Raises
    ------
    UnknownPublication, NotGranted, OutsideGrant, NotNow, TermOutside, NoticeShort
    """
    found = _held(session, actor, publication_id, "plan.draw", Deed.ANNOUNCE)
    known = queries.terms(session)
    least = known["notice_days"]
    length = least if days is None else read(TERMS, known | {"notice_days": days})["notice_days"]
    if length < least and not can(actor, "plan.manage", found.area_code):
        raise NoticeShort(days=int(least))
    found.notice_from = clock.now()
    found.notice_until = found.notice_from + timedelta(days=length)
    _note(session, found, actor, Deed.ANNOUNCE, "")
    return found


def consult(session: Session, actor: Actor, publication_id: int, what: str = "") -> Publication:
    """Ask the streets and communities a plan touches, once its public notice is over.

    Rule: field.md C6, 征求意见前置: their opinions come first, and a veto stops it.

    Raises
    ------
    UnknownPublication, NotGranted, OutsideGrant, NotNow, NoticeRuns, AskedAlready, OpinionsIn
    """
    found = _held(session, actor, publication_id, "plan.draw", Deed.CONSULT)
    if queries.heard(session, found):
        raise OpinionsIn
    if found.notice_until is not None and found.notice_until > clock.now():
        raise NoticeRuns(until=consultations.shown(found.notice_until))
    plan = queries.plan_of(session, found)
    made = queries.outcome(session, plan, found.tip_id)
    about = Asking(title=found.title, what=what.strip(), area=found.area_code)
    asked = consultation.ask(session, actor, BOUNDARY.code, _subject(found), sorted(made.communities), about)
    found.consultation_id = asked.id
    _note(session, found, actor, Deed.CONSULT, "")
    return found


def _subject(found: Publication) -> str:
    return f"plan:{found.plan_id}"


def hear(session: Session, event: ConsultationEnded) -> None:
    """Note what the opinions on a plan came to; a veto stops it, and the plan is a draft again."""
    asked = select(Publication).where(
        Publication.consultation_id == event.consultation_id, Publication.state == State.CONSULTING
    )
    found = session.scalar(asked.with_for_update())
    if found is None:
        return
    deed = Deed.STOP if event.outcome == Came.STOPPED else Deed.HEAR
    _note(session, found, SYSTEM, deed, event.outcome)
    if found.state == State.STOPPED:
        _back(session, found)


def approve(
    session: Session, actor: Actor, publication_id: int, effective: date, *, keep_in_hand: bool = False
) -> Publication:
    """Approve a plan those concerned have been asked about, for a day; until it is published, for another one too.

    Raises
    ------
    UnknownPublication, NotGranted, OutsideGrant, NotNow, DayPast, OwnPlan
    NotConsulted, StillRunning, Vetoed
    """
    found = _held(session, actor, publication_id, "plan.approve", Deed.APPROVE)
    if actor.id is not None and found.submitted_by == actor.id:
        raise OwnPlan
    if effective < clock.today():
        raise DayPast(day=effective)
    consultations.check_consulted(session, BOUNDARY.code, _subject(found))
    found.effective, found.keep_in_hand, found.problem = effective, keep_in_hand, None
    _note(session, found, actor, Deed.APPROVE, effective.isoformat())
    return found


def publish(session: Session, actor: Actor, publication_id: int) -> Publication:
    """Make an approved plan the map from today on: rows, lineage, cases, people and tiles, all or nothing.

    Raises
    ------
    UnknownPublication, NotGranted, OutsideGrant, NotNow
    BaseTaken, FindingsLeft, BackdatedEdition, RetiredCode
    """
    found = _held(session, actor, publication_id, "plan.approve", Deed.PUBLISH)
    plan = session.get_one(BoundaryPlan, found.plan_id, with_for_update=True)
    if rebase_to_newest(session, plan):
        _note(session, found, SYSTEM, Deed.REBASE, plan.base_day.isoformat())
    made = queries.outcome(session, plan, found.tip_id)
    _checked(session, plan, made)
    rows = queries.ground_rows(session, plan.base_day, made)
    loaded = maps.load(
        session, made.levels, clock.today(), found.title, made.among, keep_in_hand=found.keep_in_hand
    )
    found.edition_id, found.effective, found.published_at = loaded.edition.id, clock.today(), clock.now()
    found.problem, plan.status = None, Status.PUBLISHED
    seq = _note(session, found, actor, Deed.PUBLISH, "")
    copy_frame(session, PublicationGround, rows.assign(publication_id=found.id, seq=seq))
    return found


def recall(session: Session, actor: Actor, publication_id: int, note: str) -> Publication:
    """Give the ground back at once as it was, on the very day it was published, saying why.

    Units get back the codes they had; cases and people follow, as they do a publication. The plan is approved
    as before, for no day: it may be approved for another one, or be taken back.

    Raises
    ------
    UnknownPublication, NotGranted, OutsideGrant, NotNow, NoteUnfit
    RecallOver, DrawnSince
    """
    found = _held(session, actor, publication_id, "plan.approve", Deed.RECALL)
    note, newest, kept = rules.reason(note), hierarchy.editions(session)[0], queries.ground(session, found)
    if not kept or (newest.id, newest.effective) != (found.edition_id, clock.today()):
        raise RecallOver
    plan = session.get_one(BoundaryPlan, found.plan_id, with_for_update=True)
    was, became = kept
    there = queries.present(session, was, became)
    off = {code for level in became for code in rules.drawn_since(became[level], there[level])}
    if off:
        raise DrawnSince(codes=", ".join(sorted(off)[:10]))
    levels = {level: frame.reset_index() for level, frame in was.items()}
    if BUILDING in was:
        houses = there[BUILDING].reset_index(drop=True)
        levels[BUILDING] = houses.assign(parent_code=houses["code"].map(was[BUILDING]["parent_code"]))
    among = {level: {*was[level].index, *became[level].index} for level in was}
    maps.load(session, levels, newest.effective, _("Recalled: {title}", title=found.title), among)
    newest = hierarchy.editions(session)[0]
    plan.base, plan.base_day, plan.base_mark = newest.stamp, newest.effective, plans.mark(session)
    plan.status, found.edition_id, found.effective, found.published_at = Status.SUBMITTED, None, None, None
    _note(session, found, actor, Deed.RECALL, note)
    return found


def publish_due(session: Session) -> int:
    """Publish what is due; of what cannot be, whoever submitted it is told why. Returns how many were published."""
    done = 0
    for each in queries.due(session):
        held = queries.by_id(session, SYSTEM, each, locked=True)
        if held.state != State.APPROVED or held.problem is not None:
            continue  # another worker was quicker
        try:
            with apart(session):
                publish(session, SYSTEM, each)
                done += 1
        except Problem as problem:
            found = queries.by_id(session, SYSTEM, each, locked=True)
            found.problem = {
                "template": problem.template, "details": {k: str(v) for k, v in problem.details.items()},
            }  # fmt: skip
            _note(session, found, SYSTEM, Deed.FAIL, str(problem)[: rules.LONGEST_NOTE])
    return done


def roll_back(session: Session, actor: Actor, publication_id: int) -> Publication:
    """Submit a plan that gives the ground back as it was before a published one; it goes all steps as any other.

    Codes that were retired stay so: those units get new ones.

    Raises
    ------
    UnknownPublication, NotGranted, OutsideGrant, NotPublished, and what `submit` refuses
    """
    found = queries.by_id(session, actor, publication_id)
    if found.state != State.PUBLISHED:
        raise NotPublished
    was, now = queries.borders(session, found)
    plan = drawing.create(session, actor, _("Roll-back: {title}", title=found.title)[:100], found.area_code)
    state = plans.state(session, plan, None)
    inside = state.plan.units.loc[state.numbers.index]
    if rules.drawn_since(now, inside.loc[inside.index.isin(now.index)]):
        raise NotPublished
    again, above = codes.again(session, set(was["parent_code"]) - set(state.parents), state.parents)
    was = was.assign(parent_code=was["parent_code"].replace(again))
    fresh: dict[str, str] = {}
    for code, parent in was["parent_code"].items():
        if code not in inside.index:
            fresh[code] = codes.free(session, parent, 1, fresh.values())[0]
    frame = pd.concat([inside.drop(index=now.index), was.rename(index=fresh)])
    above |= dict.fromkeys(set(now["parent_code"]) - set(frame["parent_code"]))
    drawn = frame[["name", "parent_code", "geometry"]]
    edit = edits.adopt(session, actor, plan.id, plan.tip_id, drawn, parents=above)
    made = submit(session, actor, plan.id, edit.tip)
    made.undoes_id = found.id
    return made


def withdraw(session: Session, actor: Actor, publication_id: int, note: str) -> Publication:
    """Take a plan back before it is published, saying why; it is a draft again.

    Raises
    ------
    UnknownPublication, NotNow, NotSubmitter, NoteUnfit
    """
    found = queries.by_id(session, actor, publication_id, locked=True)
    if not rules.may_withdraw(actor, found):
        raise NotSubmitter(name=found.submitted_name)
    rules.after(State(found.state), Deed.WITHDRAW)
    note = rules.reason(note)
    if found.consultation_id is not None:
        asked = consultations.consultation(session, SYSTEM, found.consultation_id)
        if asked.state == Came.OPEN:  # whoever has asked: the matter is gone
            by = actor if goes_on(actor, asked) is None else SYSTEM
            consultation.withdraw(session, by, asked.id, note)
    _back(session, found)
    _note(session, found, actor, Deed.WITHDRAW, note)
    return found


def _held(session: Session, actor: Actor, publication_id: int, action: str, deed: Deed) -> Publication:
    """Hold a publication for a step that its state allows."""
    found = queries.by_id(session, actor, publication_id, locked=True)
    require(actor, action, found.area_code)
    rules.after(State(found.state), deed)
    return found


def _back(session: Session, found: Publication) -> None:
    session.get_one(BoundaryPlan, found.plan_id, with_for_update=True).status = Status.DRAFT


def _note(session: Session, found: Publication, actor: Actor, deed: Deed, note: str) -> int:
    """Take a step and write it down, and tell whoever submitted the plan; returns its number."""
    found.state = rules.after(State(found.state) if deed != Deed.SUBMIT else None, deed)
    done = select(func.count()).where(PublicationStep.publication_id == found.id)
    step = PublicationStep(
        publication_id=found.id, seq=session.scalar(done) + 1, deed=deed, state=found.state,
        actor_id=actor.id, actor_name=actor.name, at=clock.now(), note=note,
    )  # fmt: skip
    session.add(step)
    session.flush()
    if found.submitted_by not in (None, actor.id):
        facts = {"page": f"/publications/{found.id}", "title": found.title, "step": deed, "note": note[:200]}
        telling.tell(session, [Message(found.submitted_by, Kind.PLAN_STEP, None, facts)])
    return step.seq


def set_terms(
    session: Session, actor: Actor, effective: date, given: Mapping[str, object]
) -> dict[str, float]:
    """Set the terms of publications from a day on; returns them whole.

    Raises
    ------
    TermOutside, TermUnknown
    """
    require(actor, "plan.manage")
    return dated.put(session, actor, MATTER, TERMS, effective, given)
