"""Reads of consultations; every one starts from those an actor may see, and a closed one is for those concerned."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import InstrumentedAttribute, Session

from gridmgr import clock
from gridmgr.account.model import Account, RoleGrant
from gridmgr.account.queries import visible_to
from gridmgr.account.rules import Actor, covering
from gridmgr.consultation import rules
from gridmgr.consultation.model import (
    Answering,
    Consultation,
    ConsultationFile,
    ConsultationKind,
    ConsultationParty,
    ConsultationWord,
    Figures,
    NobodyOfThat,
    NotConsulted,
    Party,
    Said,
    Sphere,
    Standing,
    StillRunning,
    UnknownConsultation,
    UnknownConsultationKind,
    Vetoed,
    Who,
)
from gridmgr.hierarchy.model import COMMUNITY, STREET, GridUnit
from gridmgr.hierarchy.queries import valid_at
from gridmgr.organisation import queries as organisation

LEVEL_OF = {Who.STREET: STREET, Who.COMMUNITY: COMMUNITY, Who.RESIDENTS: COMMUNITY}


@dataclass(frozen=True)
class Search:
    """What a list of consultations is narrowed to; every field may be absent."""

    state: Standing | None = None
    kind: str = ""
    sphere: Sphere | None = None
    area: str = ""
    ours: bool = False  # it waits for the actor's own answer
    subject_ref: str = ""


# ---- kinds ----------------------------------------------------------------------------------------------


def kinds(session: Session, at: date | None = None) -> list[ConsultationKind]:
    """Return the kinds one can ask about on a day (today), sphere by sphere, each with the terms in force then."""
    asked = (
        select(ConsultationKind)
        .ext(distinct_on(ConsultationKind.code))
        .where(ConsultationKind.effective <= (at or clock.today()))
        .order_by(ConsultationKind.code, ConsultationKind.effective.desc(), ConsultationKind.id.desc())
    )
    found = {rules.BOUNDARY.code: rules.BOUNDARY} | {each.code: each for each in session.scalars(asked)}
    order = list(Sphere)
    active = (each for each in found.values() if each.active)
    return sorted(active, key=lambda each: (order.index(Sphere(each.sphere)), each.code))


def kind(session: Session, code: str) -> ConsultationKind:
    """Return one kind with the terms in force today, by its code or its name.

    Raises
    ------
    UnknownConsultationKind
    """
    for each in kinds(session):
        if code.strip() in (each.code, each.name_zh):
            return each
    raise UnknownConsultationKind(name=code)


def terms_ever(session: Session, code: str) -> list[ConsultationKind]:
    """Return all terms a kind ever had or will have, the latest first."""
    asked = select(ConsultationKind).where(ConsultationKind.code == code)
    return list(
        session.scalars(asked.order_by(ConsultationKind.effective.desc(), ConsultationKind.id.desc()))
    )


def concerned(session: Session, kind: ConsultationKind, named: Iterable[str]) -> list[Party]:
    """Return whom a kind asks about units and bodies: each of its levels in those units, and the bodies named.

    A community asks its street too where the kind asks streets, and a street all its communities.

    Raises
    ------
    NobodyOfThat, BodyClosed
    """
    wanted = list(dict.fromkeys(each.strip() for each in named if each.strip()))
    today = clock.today()
    known = set(session.scalars(select(GridUnit.code).where(GridUnit.code.in_(wanted), valid_at(today))))
    found = []
    for who in (Who(each) for each in kind.asks):
        level = LEVEL_OF.get(who)
        for code, name in _units(session, level, known, today) if level and known else ():
            found.append(Party(who, code, name, who in kind.vetoes))
    for name in (each for each in wanted if each not in known):
        body = organisation.addressed(session, name)
        if body not in organisation.bodies(session) and body not in organisation.people(session):
            raise NobodyOfThat(name=name)
        found.append(Party(Who.BODY, "", body, Who.BODY in kind.vetoes))
    return found


def area_of(session: Session, codes: Sequence[str]) -> str:
    """Return the smallest unit that holds all of some codes; without one, what they begin with in common."""
    shared = rules.beginning(codes)
    asked = select(func.max(GridUnit.code)).where(
        GridUnit.code.in_([shared[:n] for n in range(1, len(shared) + 1)]), valid_at(clock.today())
    )
    return session.scalar(asked) or shared


def _units(session: Session, level: str, codes: Collection[str], today: date) -> list[tuple[str, str]]:
    """Return the units of a level above, at or below some codes."""
    around = or_(
        *(GridUnit.code.startswith(code, autoescape=True) for code in covering(codes)),
        GridUnit.code.in_([code[:n] for code in codes for n in range(1, len(code))]),
    )
    asked = select(GridUnit.code, GridUnit.name).where(GridUnit.level == level, valid_at(today), around)
    return [tuple(row) for row in session.execute(asked.order_by(GridUnit.code))]


# ---- consultations --------------------------------------------------------------------------------------


def asked_of(actor: Actor) -> ColumnElement[bool]:
    """Return the SQL condition of parties that an actor speaks for."""
    conditions = [
        and_(
            ConsultationParty.who.in_([who for who in Who if who != Who.BODY and rules.sits(grant, who, grant.code)]),
            ConsultationParty.code.startswith(grant.code, autoescape=True),
        )
        for grant in actor.grants
    ]  # fmt: skip
    if actor.bodies and any(grant.role in rules.ANSWERERS[Who.BODY] for grant in actor.grants):
        conditions.append((ConsultationParty.who == Who.BODY) & ConsultationParty.name.in_(actor.bodies))
    return or_(*conditions) if conditions else false()


def _party_exists(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    asked = select(ConsultationParty.id).where(
        ConsultationParty.consultation_id == Consultation.id, condition
    )
    return asked.exists()


def visible(actor: Actor) -> Select:
    """Return the statement of the consultations an actor may see.

    Those of the actor's area and the units above it, those in which one of these is asked, and the actor's own;
    of the closed ones only those the actor asked, speaks in, or oversees.
    """
    own = [_party_exists(asked_of(actor))]
    if actor.id is not None:
        own.append(Consultation.asker_id == actor.id)
    if actor.bodies:
        own.append(Consultation.body.in_(actor.bodies))
    own += [
        Consultation.code.startswith(grant.code, autoescape=True)
        for grant in actor.grants
        if grant.role in rules.OVERSEERS
    ]
    near = _near(actor, Consultation.code) | _party_exists(_near(actor, ConsultationParty.code))
    return select(Consultation).where(or_(*own, and_(~Consultation.closed, near)))


def _near(actor: Actor, column: InstrumentedAttribute) -> ColumnElement[bool]:
    """Return the SQL condition that a unit lies in the actor's scope or is one of those above it."""
    above = {prefix[:n] for prefix in actor.scope for n in range(1, len(prefix))}
    return visible_to(actor, column) | column.in_(above)


def _narrowed(actor: Actor, search: Search) -> Select:
    asked = visible(actor)
    same = {
        Consultation.state: search.state, Consultation.kind: search.kind, Consultation.sphere: search.sphere,
        Consultation.subject_ref: search.subject_ref,
    }  # fmt: skip
    asked = asked.where(*(column == value for column, value in same.items() if value))
    if search.area:
        inside = ConsultationParty.code.startswith(search.area, autoescape=True)
        here = Consultation.code.startswith(search.area, autoescape=True)
        asked = asked.where(here | _party_exists(inside))
    if search.ours:
        waits = _party_exists(and_(ConsultationParty.said.is_(None), asked_of(actor)))
        asked = asked.where(Consultation.state == Standing.OPEN, waits)
    return asked


def page(
    session: Session, actor: Actor, search: Search, size: int, before: int | None = None
) -> list[Consultation]:
    """Return one page of consultations, the newest first, going on after the consultation `before`."""
    asked = _narrowed(actor, search)
    if before is not None:
        asked = asked.where(Consultation.id < before)
    return list(session.scalars(asked.order_by(Consultation.id.desc()).limit(size)))


def counts(session: Session, actor: Actor) -> dict[str, int]:
    """Return how many visible consultations stand in each way, and how many wait for the actor's own answer."""
    asked = visible(actor).with_only_columns(Consultation.state, func.count()).group_by(Consultation.state)
    return dict(session.execute(asked).all()) | {"ours": waiting(session, actor)}


def waiting(session: Session, actor: Actor) -> int:
    """Return how many consultations wait for the actor's own answer."""
    return session.scalar(_narrowed(actor, Search(ours=True)).with_only_columns(func.count()))


def consultation(session: Session, actor: Actor, consultation_id: int, lock: bool = False) -> Consultation:
    """Return one consultation; with `lock`, locked until the transaction ends: words come one by one.

    Raises
    ------
    UnknownConsultation
    """
    asked = visible(actor).where(Consultation.id == consultation_id)
    if lock:
        asked = asked.with_for_update(key_share=True).execution_options(populate_existing=True)
    found = session.scalar(asked)
    if found is None:
        raise UnknownConsultation(id=consultation_id)
    return found


def parties(session: Session, consultations: Iterable[int]) -> dict[int, list[ConsultationParty]]:
    """Return who is asked in consultations, in the order they were asked, and what each says."""
    asked = select(ConsultationParty).where(ConsultationParty.consultation_id.in_(list(consultations)))
    found: dict[int, list[ConsultationParty]] = {}
    for each in session.scalars(
        asked.order_by(ConsultationParty.id).execution_options(populate_existing=True)
    ):
        found.setdefault(each.consultation_id, []).append(each)
    return found


def words(session: Session, consultation_id: int) -> list[ConsultationWord]:
    """Return what was said and done in a consultation, in order."""
    asked = select(ConsultationWord).where(ConsultationWord.consultation_id == consultation_id)
    return list(session.scalars(asked.order_by(ConsultationWord.seq)))


def files(session: Session, consultation_id: int) -> dict[int, list[ConsultationFile]]:
    """Return the files of a consultation by the word each came with."""
    asked = select(ConsultationFile).where(ConsultationFile.consultation_id == consultation_id)
    found: dict[int, list[ConsultationFile]] = {}
    for each in session.scalars(asked.order_by(ConsultationFile.id)):
        found.setdefault(each.word_id, []).append(each)
    return found


def latest_about(session: Session, kind: str, subject_ref: str) -> Consultation | None:
    """Return the last consultation of a kind on a subject, for the noun that keeps the subject; None if none was."""
    asked = select(Consultation).where(Consultation.subject_ref == subject_ref, Consultation.kind == kind)
    return session.scalar(asked.order_by(Consultation.id.desc()).limit(1))


def check_consulted(session: Session, kind: str, subject_ref: str) -> Consultation:
    """Return the consultation by which a subject may go on: the last one, over, with no veto.

    Raises
    ------
    NotConsulted, StillRunning, Vetoed
    """
    found = latest_about(session, kind, subject_ref)
    if found is None or found.state in (Standing.LAPSED, Standing.WITHDRAWN):
        raise NotConsulted
    if found.state == Standing.OPEN:
        raise StillRunning(due=shown(found.due_at))
    if found.state == Standing.STOPPED:
        by = next(each for each in parties(session, [found.id])[found.id] if each.said == Said.VETO)
        raise Vetoed(name=by.name, note=by.reason)
    return found


def rounds(session: Session, actor: Actor, found: Consultation) -> list[Consultation]:
    """Return the other visible consultations on the same subject, the first first."""
    if not found.subject_ref:
        return []
    asked = visible(actor).where(
        Consultation.subject_ref == found.subject_ref, Consultation.kind == found.kind, Consultation.id != found.id
    )  # fmt: skip
    return list(session.scalars(asked.order_by(Consultation.id)))


def shown_file(session: Session, actor: Actor, sha256: str) -> ConsultationFile | None:
    """Return a file as one of the consultations the actor may see holds it, None if none does."""
    mine = visible(actor).with_only_columns(Consultation.id)
    mine = mine.where(Consultation.id == ConsultationFile.consultation_id)
    return session.scalar(
        select(ConsultationFile).where(ConsultationFile.sha256 == sha256, mine.exists()).limit(1)
    )


def attached(session: Session, hashes: Collection[str]) -> set[str]:
    """Return those of the hashes of files that a consultation holds."""
    asked = select(ConsultationFile.sha256).where(ConsultationFile.sha256.in_(list(hashes))).distinct()
    return set(session.scalars(asked))


def heard(session: Session, parties: Iterable[ConsultationParty]) -> set[int]:
    """Return who answers for some of those asked, on duty or not: they have days, and may be asked at night."""
    voices = [_voice_of(each) for each in parties]
    return set(session.scalars(select(Account.id).where(Account.active, or_(*voices)))) if voices else set()


def _voice_of(party: ConsultationParty) -> ColumnElement[bool]:
    roles = RoleGrant.role.in_(rules.ANSWERERS[Who(party.who)])
    if party.who == Who.BODY:
        return _works_for(party.name) & Account.grants.any(roles)
    return Account.grants.any(
        roles & RoleGrant.code.in_([party.code[:n] for n in range(len(party.code) + 1)])
    )


def _works_for(body: str) -> ColumnElement[bool]:
    return or_(Account.body == body, Account.also.contains([body]))


def askers(session: Session, found: Consultation) -> set[int]:
    """Return who asked: the person, and their body."""
    asked = select(Account.id).where(Account.active, _works_for(found.body or ""))
    of_body = session.scalars(asked).all() if found.body else ()
    return {*of_body, found.asker_id} - {None}


def shown(at: datetime) -> str:
    """Return an instant as a message shows it."""
    return f"{clock.local(at):%Y-%m-%d %H:%M}"


# ---- figures --------------------------------------------------------------------------------------------


def figures(session: Session, actor: Actor, since: datetime, until: datetime) -> list[Figures]:
    """Return, sphere by sphere, what the visible consultations asked between two instants came to.

    Answered in time = parties that answered by the due time ÷ parties that answered, or whose due time has
    come; what was withdrawn counts only with the answers it has.
    """
    inside = visible(actor).where(Consultation.asked_at >= since, Consultation.asked_at < until)
    number = func.count()
    stood = inside.with_only_columns(
        Consultation.sphere, number, *(number.filter(Consultation.state == each) for each in Standing)
    ).group_by(Consultation.sphere)
    came = (
        select(
            Consultation.sphere, number, *_answered(), number.filter(ConsultationParty.said == Said.OBJECT),
            number.filter(ConsultationParty.said == Said.VETO),
        )
        .select_from(ConsultationParty)
        .join(Consultation, Consultation.id == ConsultationParty.consultation_id)
        .where(Consultation.id.in_(inside.with_only_columns(Consultation.id)))
        .group_by(Consultation.sphere)
    )  # fmt: skip
    answers = {sphere: row for sphere, *row in session.execute(came)}
    rows = {row[0]: Figures(*row, *answers.get(row[0], ())) for row in session.execute(stood)}
    return [rows[each] for each in Sphere if each in rows]


def _answered() -> Sequence[ColumnElement[int]]:
    """Return how many parties' answers were due, and how many came in time."""
    number = func.count()
    past = (Consultation.due_at <= clock.now()) & Consultation.state.not_in(
        (Standing.WITHDRAWN, Standing.STOPPED)
    )
    due = ConsultationParty.said.is_not(None) | past
    return number.filter(due), number.filter(ConsultationParty.said_at <= Consultation.due_at)


def answerings(session: Session, actor: Actor, since: datetime, until: datetime) -> list[Answering]:
    """Return how each party answered what was asked of it between two instants, the most often asked first."""
    inside = visible(actor).where(Consultation.asked_at >= since, Consultation.asked_at < until)
    number = func.count()
    said = (number.filter(ConsultationParty.said == each) for each in (Said.AGREE, Said.OBJECT, Said.VETO))
    asked = (
        select(ConsultationParty.name, number, *_answered(), number.filter(ConsultationParty.silent), *said)
        .select_from(ConsultationParty)
        .join(Consultation, Consultation.id == ConsultationParty.consultation_id)
        .where(Consultation.id.in_(inside.with_only_columns(Consultation.id)))
        .group_by(ConsultationParty.name)
    )
    found = [Answering(*row) for row in session.execute(asked)]
    return sorted(found, key=lambda each: (-each.asked, each.name))
