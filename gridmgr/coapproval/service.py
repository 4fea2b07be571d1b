"""Verbs of co-approval: ask, say, set an objection aside, decide, note silence, take kinds. They never commit."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, aliased

from gridmgr import clock
from gridmgr.account.rules import SYSTEM, Actor, require
from gridmgr.calendar.queries import calendar_for
from gridmgr.category import queries as matters
from gridmgr.clock import TimeUnit
from gridmgr.coapproval import queries, rules
from gridmgr.coapproval.model import (
    Application,
    Approval,
    ApprovalDeed,
    Decided,
    Deed,
    NoObjection,
    NotAsked,
    Opinion,
    OverBefore,
    PermitKind,
    Said,
    Standing,
    StillObjected,
    StillSilent,
    StillWaiting,
)
from gridmgr.duty import queries as duty
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import BUILDING, MICRO_GRID, GridUnit
from gridmgr.notice import service as notice
from gridmgr.notice.model import Kind, Message
from gridmgr.sheet import Sheet
from gridmgr.words import word
from gridmgr.words.joint import APPROVALS, SAID

_STATES = {Deed.GRANT: Standing.GRANTED, Deed.REFUSE: Standing.REFUSED, Deed.WITHDRAW: Standing.WITHDRAWN}


def ask(session: Session, actor: Actor, told: Application) -> Approval:
    """Open an application and ask every other body whose matters it touches; their people are told.

    Raises
    ------
    UnknownPermitKind, UnknownUnit, NotGranted, OutsideGrant, SayWhy, OverBefore
    """
    kind = queries.kind(session, told.kind)
    now, today = clock.now(), clock.today()
    unit = hierarchy.unit(session, actor, told.code, today)
    path = hierarchy.path_to(session, unit, today)
    home = path[-2] if unit.level == BUILDING and len(path) > 1 else unit
    require(actor, "approval.ask", home.code)
    rules.check_note(Deed.ASK, told.applicant, told.what)
    if told.valid_until is not None and told.valid_until < today:
        raise OverBefore
    due_at = calendar_for(session, home.code).due(now, kind.amount, TimeUnit(kind.unit))
    approval = Approval(
        kind=kind.name, kind_en=kind.name_en, prefixes=kind.prefixes, silence=kind.silence,
        applicant=told.applicant.strip()[:100], what=told.what.strip(), code=home.code, street_code=path[0].code,
        building_code=unit.code if unit.level == BUILDING else None,
        place=(told.place.strip() or unit.address or unit.name)[:300], asker_id=actor.id, asker_name=actor.name,
        body=actor.body, asked_at=now, due_at=due_at, valid_until=told.valid_until, state=Standing.OPEN, conditions="",
    )  # fmt: skip
    session.add(approval)
    session.flush()  # opinions point to it
    for body, codes in queries.touching(session, kind.prefixes, home.code, actor.body).items():
        session.add(
            Opinion(approval_id=approval.id, body=body, matters=codes, note="", law="", overruled=False)
        )
    _note(session, approval, actor, Deed.ASK, approval.what, now)
    asked = [each.body for each in queries.opinions(session, [approval.id]).get(approval.id, [])]
    _tell(session, Kind.OPINION_ASKED, approval, _people(session, asked, approval.code), actor, approval.what)
    return approval


def say(
    session: Session,
    actor: Actor,
    approval_id: int,
    said: Said,
    note: str = "",
    law: str = "",
    body: str = "",
) -> Approval:
    """Say what the actor's body thinks of an application; as often as it likes, until it is decided.

    Raises
    ------
    UnknownApproval, NotGranted, OutsideGrant, Decided, NotAsked, SayWhy
    """
    approval = queries.approval(session, actor, approval_id, lock=True)
    require(actor, "approval.answer", approval.code)
    speaking = body if body and actor.body is None else (actor.body or "")
    deed, note, law = rules.ANSWERS[said], note.strip(), law.strip()
    _check_open(approval)
    opinion = _opinion(session, approval, speaking)
    rules.check_note(deed, note)
    now = clock.now()
    opinion.said, opinion.note, opinion.law, opinion.name, opinion.said_at = (
        said,
        note,
        law[:300],
        actor.name,
        now,
    )
    opinion.overruled = False
    _note(session, approval, actor, deed, note, now, speaking, law[:300])
    people = {approval.asker_id} | _people(session, [approval.body], approval.code)
    kind = Kind.OPINION_OBJECTS if said is Said.OBJECT else Kind.OPINION_GIVEN
    _tell(session, kind, approval, people, actor, note or word(SAID, said), speaking)
    return approval


def overrule(session: Session, actor: Actor, approval_id: int, body: str, note: str) -> Approval:
    """Set a body's objection aside, with the reason; only the street's leader and the command centre may.

    Raises
    ------
    UnknownApproval, NotGranted, OutsideGrant, Decided, NotAsked, NoObjection, SayWhy
    """
    approval = queries.approval(session, actor, approval_id, lock=True)
    require(actor, "approval.overrule", approval.code)
    _check_open(approval)
    opinion = _opinion(session, approval, body)
    if opinion.said != Said.OBJECT or opinion.overruled:
        raise NoObjection(body=body)
    rules.check_note(Deed.OVERRULE, note)
    opinion.overruled = True
    _note(session, approval, actor, Deed.OVERRULE, note.strip(), clock.now(), body)
    people = {approval.asker_id} | _people(session, [body, approval.body], approval.code)
    _tell(session, Kind.OVERRULED, approval, people, actor, note.strip(), body)
    return approval


def decide(session: Session, actor: Actor, approval_id: int, deed: Deed, note: str = "") -> Approval:
    """Grant, refuse or withdraw an application; it is granted only if no objection stands and nobody has to be awaited.

    Rule: field.md A6: no permit today and stop order tomorrow.

    Raises
    ------
    UnknownApproval, NotGranted, OutsideGrant, NotYourWindow, Decided, StillObjected, StillWaiting, StillSilent, SayWhy
    """
    approval = queries.approval(session, actor, approval_id, lock=True)
    if (reason := rules.decides(actor, approval)) is not None:
        raise reason
    _check_open(approval)
    note, now = note.strip(), clock.now()
    rules.check_note(deed, note)
    opinions = queries.opinions(session, [approval.id]).get(approval.id, [])
    if deed is Deed.GRANT:
        _check_agreed(approval, opinions, now)
        said = [(each.body, each.said, each.note) for each in opinions]
        approval.conditions = rules.conditions(said, note)
    else:
        approval.conditions = note
    if approval.due_at <= now:
        _silent(session, approval, opinions, now)
    approval.state, approval.decided_at, approval.decider_name = _STATES[deed], now, actor.name
    _note(session, approval, actor, deed, note, now)
    people = {approval.asker_id} | _people(session, [each.body for each in opinions], approval.code)
    told = f"{word(APPROVALS, approval.state)} {approval.conditions}"
    _tell(session, Kind.APPROVAL_DECIDED, approval, people, actor, told)
    return approval


def note_silence(session: Session, batch: int = 200) -> int:
    """Note of applications past their due time who has said nothing, of each once; who asked is told."""
    now = clock.now()
    asked = select(Approval).where(
        Approval.state == Standing.OPEN, Approval.silence_at.is_(None), Approval.due_at <= now
    )
    found = session.scalars(
        asked.order_by(Approval.due_at, Approval.id).limit(batch).with_for_update(skip_locked=True)
    ).all()
    all_opinions = queries.opinions(session, [each.id for each in found])
    for approval in found:
        silent = _silent(session, approval, all_opinions.get(approval.id, []), now)
        if silent:
            people = {approval.asker_id} | _people(session, [approval.body, *silent], approval.code)
            _tell(session, Kind.OPINION_SILENT, approval, people, None, "、".join(silent))
    session.flush()
    return len(found)


def rehome_open(session: Session) -> None:
    """Let open applications for a building lie in the unit that holds it on the map now in force."""
    building, today = aliased(GridUnit), hierarchy.valid_at(clock.today())
    asked = (
        select(Approval, GridUnit)
        .join(building, (building.level == BUILDING) & (building.code == Approval.building_code))
        .join(GridUnit, (GridUnit.code == building.parent_code) & (GridUnit.level == MICRO_GRID))
        .where(Approval.state == Standing.OPEN, GridUnit.code != Approval.code, today)
        .where(building.valid_to.is_(None))
    )
    for approval, home in session.execute(asked.order_by(Approval.id).with_for_update(of=Approval)).all():
        note = f"{approval.code} → {home.code}"
        approval.code, approval.street_code = (
            home.code,
            hierarchy.path_to(session, home, clock.today())[0].code,
        )
        _note(session, approval, SYSTEM, Deed.FOLLOW, note, clock.now())


def follow_name(session: Session, before: str, after: str) -> None:
    """Let open applications call a body by its new name."""
    running = select(Approval.id).where(Approval.state == Standing.OPEN)
    session.execute(
        update(Opinion).where(Opinion.body == before, Opinion.approval_id.in_(running)).values(body=after)
    )
    session.execute(
        update(Approval).where(Approval.body == before, Approval.state == Standing.OPEN).values(body=after)
    )


def import_kinds(session: Session, actor: Actor, told: Sheet) -> list[tuple[str, str]]:
    """Take the whole table of kinds of permits; one left out can no longer be asked for. Returns (name, fate).

    Raises
    ------
    NotGranted, BadSheet
    """
    require(actor, "approval.manage")
    codes = [each.code for each in matters.in_force(session)]
    rows = told.accepted(rules.faults(told.rows, codes))
    kept = {each.name: each for each in session.scalars(select(PermitKind).with_for_update())}
    fates = []
    for row in rows:
        values = dict(row.values) | {
            "unit": row["unit"].value,
            "silence": row["silence"].value,
            "active": True,
        }
        kind = kept.pop(row["name"], None)
        if kind is None:
            session.add(PermitKind(**values))
            fates.append((row["name"], "added"))
            continue
        same = all(getattr(kind, name) == value for name, value in values.items())
        for name, value in values.items():
            setattr(kind, name, value)
        fates.append((row["name"], "unchanged" if same else "changed"))
    for kind in kept.values():
        if kind.active:
            kind.active = False
            fates.append((kind.name, "removed"))
    session.flush()
    return fates


def _check_open(approval: Approval) -> None:
    if approval.state != Standing.OPEN:
        raise Decided(state=APPROVALS[approval.state])


def _check_agreed(approval: Approval, opinions: Sequence[Opinion], now: datetime) -> None:
    if against := rules.objecting(opinions):
        raise StillObjected(bodies=", ".join(against))
    late = approval.due_at <= now
    if awaited := rules.waiting(opinions, approval.silence, late):
        due = f"{clock.local(approval.due_at):%Y-%m-%d %H:%M}"
        raise (StillSilent if late else StillWaiting)(bodies=", ".join(awaited), due=due)


def _opinion(session: Session, approval: Approval, body: str) -> Opinion:
    found = queries.opinions(session, [approval.id]).get(approval.id, [])
    opinion = next((each for each in found if each.body == body), None)
    if opinion is None:
        raise NotAsked(body=body or "-")
    return opinion


def _silent(session: Session, approval: Approval, opinions: Sequence[Opinion], now: datetime) -> list[str]:
    """Note who has said nothing by the due time; returns their names."""
    if approval.silence_at is not None:
        return []
    approval.silence_at = now
    silent = [each for each in opinions if each.said is None]
    for each in silent:
        each.said = Said.SILENT
        _note(session, approval, SYSTEM, Deed.SILENT, "", now, each.body)
    return [each.body for each in silent]


def _note(
    session: Session, approval: Approval, actor: Actor, deed: Deed, note: str, at: datetime, body: str | None = None,
    law: str = "",
) -> None:  # fmt: skip
    done = select(func.count()).where(ApprovalDeed.approval_id == approval.id)
    session.add(
        ApprovalDeed(
            approval_id=approval.id, seq=session.scalar(done) + 1, deed=deed, body=body or actor.body,
            actor_id=actor.id, actor_name=actor.name, at=at, note=note, law=law,
        )
    )  # fmt: skip
    session.flush()  # the next one counts it


def _people(session: Session, bodies: Iterable[str | None], code: str) -> set[int]:
    """Return who of some bodies is there for a place."""
    seats = duty.seats(session)
    return {account for body in bodies if body for account in seats.of(body, code)}


def _tell(
    session: Session, kind: Kind, approval: Approval, people: Iterable[int | None], actor: Actor | None, note: str,
    body: str = "",
) -> None:  # fmt: skip
    facts = {
        "page": f"/approvals/{approval.id}", "place": approval.place, "due": approval.due_at.isoformat(),
        "category_zh": approval.kind, "category_en": approval.kind_en or approval.kind,
        "name": body or (actor.name if actor else ""), "note": note[:200],
    }  # fmt: skip
    concerned = {each for each in people if each is not None} - {actor.id if actor else None}
    notice.tell(session, [Message(account, kind, None, facts) for account in sorted(concerned)])
