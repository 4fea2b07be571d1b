"""Verbs of consultation: ask, say, reply, withdraw, serve what is due, take kinds. They never commit."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import case, func, select, update
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.rules import SYSTEM, Actor, require
from gridmgr.attachment import queries as attachments
from gridmgr.attachment.model import UnknownFile
from gridmgr.attachment.rules import plain_name
from gridmgr.calendar.queries import calendar_for
from gridmgr.clock import TimeUnit
from gridmgr.consultation import queries, rules
from gridmgr.consultation.model import (
    MOST_FILES,
    AskedAlready,
    Asking,
    Consultation,
    ConsultationEnded,
    ConsultationFile,
    ConsultationKind,
    ConsultationParty,
    ConsultationWord,
    Deed,
    NobodyToAsk,
    NothingToReply,
    NotYoursToAnswer,
    NoVeto,
    OverAlready,
    Party,
    Said,
    Standing,
    StillRunning,
    TitleMissing,
    TooManyFiles,
    WhichParty,
    Who,
)
from gridmgr.events import emit
from gridmgr.notice import service as notice
from gridmgr.notice.model import Kind, Message
from gridmgr.sheet import Sheet
from gridmgr.words import word
from gridmgr.words.consulting import OUTCOMES, SAYINGS

MOST_TITLE = 200
Files = Sequence[Mapping[str, str]]


def ask(
    session: Session, actor: Actor, kind: str, subject_ref: str, asked: Iterable[str], told: Asking
) -> Consultation:
    """Ask those a matter concerns, before it is done; `asked` are codes of units and names of bodies.

    Rule: field.md C6, 征求意见前置: the opinion of the street or residents comes first.

    Raises
    ------
    UnknownConsultationKind, NobodyToAsk, NobodyOfThat, BodyClosed, NotGranted, OutsideGrant, TitleMissing, SaidAtLength
    FieldMissing, FieldWrong, FieldUnknown, AskedAlready, UnknownConsultation, StillRunning, TooManyFiles, UnknownFile
    """
    terms = queries.kind(session, kind)
    parties = queries.concerned(session, terms, asked)
    if not parties:
        raise NobodyToAsk
    units = [each.code for each in parties if each.code]
    area = told.area if told.area is not None else queries.area_of(session, units)
    require(actor, "consultation.ask", area)
    subject_ref, number = _subject(session, actor, terms.code, subject_ref, told.again_of)
    found = _opened(session, actor, terms, area, told)
    found.subject_ref, found.round = subject_ref, number
    session.add(found)
    session.flush()  # parties point to it
    session.add_all(_party(found, each) for each in parties)
    _note(session, found, actor, Deed.ASK, found.what, files=told.files)
    _tell(session, Kind.CONSULTED, found, queries.heard(session, _parties(session, found)), actor)
    return found


def _opened(session: Session, actor: Actor, terms: ConsultationKind, area: str, told: Asking) -> Consultation:
    """Return the consultation as it begins, with the terms of its kind as they are now."""
    now, calendar, unit = clock.now(), calendar_for(session, area), TimeUnit(terms.unit)
    title = told.title.strip()
    if not 0 < len(title) <= MOST_TITLE:
        raise TitleMissing(most=MOST_TITLE)
    due_at = calendar.due(now, terms.amount, unit)
    remind_at = calendar.due(now, terms.amount * terms.remind, unit)
    return Consultation(
        kind=terms.code, sphere=terms.sphere, name_zh=terms.name_zh, name_en=terms.name_en, title=title,
        what=rules.check_length(told.what), code=area, facts=rules.filled(terms.form, "asker", told.facts),
        form=terms.form, silence=terms.silence, closed=terms.closed, asker_id=actor.id, asker_name=actor.name,
        body=actor.body, asked_at=now, due_at=due_at, next_at=min(remind_at, due_at), state=Standing.OPEN,
    )  # fmt: skip


def _party(found: Consultation, told: Party) -> ConsultationParty:
    return ConsultationParty(
        consultation_id=found.id, who=told.who, code=told.code, name=told.name[:100], may_veto=told.may_veto,
        reason="", answers={}, silent=False, reply="",
    )  # fmt: skip


def _subject(
    session: Session, actor: Actor, kind: str, subject_ref: str, again_of: int | None
) -> tuple[str, int]:
    """Return what a consultation is about and the how-manieth it is; two on one thing never run together."""
    number = 1
    if again_of is not None:
        before = queries.consultation(session, actor, again_of)
        if before.state == Standing.OPEN:
            raise StillRunning(due=queries.shown(before.due_at))
        subject_ref, number = before.subject_ref or f"consultation:{before.id}", before.round + 1
    if not subject_ref:
        return "", number
    key = func.hashtextextended(f"consultation {kind} {subject_ref}", 0)
    session.execute(select(func.pg_advisory_xact_lock(key)))
    latest = queries.latest_about(session, kind, subject_ref)
    if latest is None:
        return subject_ref, number
    if latest.state == Standing.OPEN:
        raise AskedAlready(id=latest.id)
    return subject_ref, latest.round + 1


def say(
    session: Session, actor: Actor, consultation_id: int, said: Said, reason: str = "",
    answers: Mapping[str, Any] | None = None, files: Files = (), party_id: int | None = None,
) -> Consultation:  # fmt: skip
    """Say what a party the actor speaks for thinks; as often as it likes, until the consultation ends.

    Rule: field.md C6, 一票否决: a veto of one that may stop it ends it at once.

    Raises
    ------
    UnknownConsultation, NotGranted, OverAlready, NotYoursToAnswer, WhichParty, NoVeto, ReasonNeeded
    FieldMissing, FieldWrong, FieldUnknown, TooManyFiles, UnknownFile
    """
    found = queries.consultation(session, actor, consultation_id, lock=True)
    require(actor, "consultation.answer")
    _check_open(found)
    party = _spoken_for(session, actor, found, party_id)
    if said is Said.VETO and not party.may_veto:
        raise NoVeto(name=party.name)
    party.reason = rules.check_said(said, reason)
    party.answers = rules.filled(found.form, rules.part_of(party.who), answers or {})
    party.said, party.speaker, party.said_at, party.adopted, party.reply = (
        said,
        actor.name,
        clock.now(),
        None,
        "",
    )
    _note(session, found, actor, rules.DEEDS[said], party.reason, party, party.answers, files)
    told = f"{word(SAYINGS, said)} {party.reason}".strip()
    kind = Kind.CONSULT_AGAINST if said is not Said.AGREE else Kind.CONSULT_SAID
    _tell(session, kind, found, queries.askers(session, found), actor, told, party.name)
    _end_if_over(session, found)
    return found


def _spoken_for(
    session: Session, actor: Actor, found: Consultation, party_id: int | None
) -> ConsultationParty:
    mine = [
        each
        for each in _parties(session, found)
        if rules.speaks(actor, each.who, each.code, each.name) and party_id in (None, each.id)
    ]
    if not mine:
        raise NotYoursToAnswer
    if len(mine) > 1:
        raise WhichParty(names=", ".join(f"{each.name} ({each.who} {each.id})" for each in mine))
    return mine[0]


def reply(
    session: Session, actor: Actor, consultation_id: int, party_id: int, adopted: bool, note: str = ""
) -> Consultation:
    """Say how an objection is taken: adopted, or not and why; whoever objected is told.

    Raises
    ------
    UnknownConsultation, NotGranted, OutsideGrant, NotTheAsker, NothingToReply, ReasonNeeded
    """
    found = queries.consultation(session, actor, consultation_id, lock=True)
    if (reason := rules.goes_on(actor, found)) is not None:
        raise reason
    party = next((each for each in _parties(session, found) if each.id == party_id), None)
    if party is None or party.said in (None, Said.AGREE):
        raise NothingToReply(name=party.name if party else party_id)
    deed = Deed.ADOPT if adopted else Deed.DECLINE
    party.adopted, party.reply = adopted, rules.check_said(deed, note)
    _note(session, found, actor, deed, party.reply, party)
    told = f"{word(SAYINGS, deed)} {party.reply}".strip()
    _tell(session, Kind.CONSULT_REPLIED, found, queries.heard(session, [party]), actor, told)
    return found


def withdraw(session: Session, actor: Actor, consultation_id: int, note: str) -> Consultation:
    """Take the question back, with the reason; whoever was asked is told.

    Raises
    ------
    UnknownConsultation, NotGranted, OutsideGrant, NotTheAsker, OverAlready, ReasonNeeded
    """
    found = queries.consultation(session, actor, consultation_id, lock=True)
    if (reason := rules.goes_on(actor, found)) is not None:
        raise reason
    _check_open(found)
    note = rules.check_said(Deed.WITHDRAW, note)
    _note(session, found, actor, Deed.WITHDRAW, note)
    _end(session, found, Standing.WITHDRAWN, _parties(session, found), actor, note)
    return found


def serve_due(session: Session, batch: int = 200) -> int:
    """Remind the silent, and past the due time let their silence count as the terms say; each once."""
    now = clock.now()
    asked = select(Consultation).where(Consultation.state == Standing.OPEN, Consultation.next_at <= now)
    order = asked.order_by(Consultation.next_at, Consultation.id).limit(batch)
    found = session.scalars(order.with_for_update(skip_locked=True)).all()
    everybody = queries.parties(session, [each.id for each in found])
    for each in found:
        silent = [party for party in everybody.get(each.id, []) if party.said is None]
        if each.due_at <= now:
            _past_due(session, each, silent)
        else:
            each.next_at = each.due_at
            _note(session, each, SYSTEM, Deed.REMIND, "、".join(party.name for party in silent))
            _tell(session, Kind.CONSULT_REMIND, each, queries.heard(session, silent), None)
    session.flush()
    return len(found)


def _past_due(session: Session, found: Consultation, silent: Sequence[ConsultationParty]) -> None:
    found.next_at = None
    for party in silent:
        party.silent = True
        _note(session, found, SYSTEM, Deed.SILENT, "", party)
    _end_if_over(session, found)
    if found.state == Standing.OPEN:
        names = "、".join(party.name for party in silent)
        people = queries.heard(session, silent) | queries.askers(session, found)
        _tell(session, Kind.CONSULT_LATE, found, people, None, names)


def follow_name(session: Session, before: str, after: str) -> None:
    """Let running consultations call a body by its new name."""
    running = select(Consultation.id).where(Consultation.state == Standing.OPEN)
    session.execute(
        update(ConsultationParty)
        .where(
            ConsultationParty.who == Who.BODY, ConsultationParty.name == before,
            ConsultationParty.consultation_id.in_(running),
        )
        .values(name=after)
    )  # fmt: skip
    session.execute(
        update(Consultation)
        .where(Consultation.body == before, Consultation.state == Standing.OPEN)
        .values(body=after)
    )


def follow_units(session: Session, heirs: Mapping[str, str]) -> None:
    """Let running consultations go on with the heirs of units that are no more; a party keeps its name."""
    if not heirs:
        return
    running = select(Consultation.id).where(Consultation.state == Standing.OPEN)
    for column, number in (
        (ConsultationParty.code, ConsultationParty.consultation_id), (Consultation.code, Consultation.id),
    ):  # fmt: skip
        asked = update(column.class_).where(column.in_(list(heirs)), number.in_(running))
        session.execute(asked.values(code=case(dict(heirs), value=column)))


def import_kinds(session: Session, actor: Actor, told: Sheet, effective: date) -> list[tuple[str, str]]:
    """Take the whole table of kinds from a day on; one left out can no longer be asked about. Returns (code, fate).

    What is asked already keeps the terms it was asked under.

    Raises
    ------
    NotGranted, BadSheet
    """
    require(actor, "consultation.manage")
    rows = told.accepted(rules.faults(told.rows))
    before = {each.code: each for each in queries.kinds(session, effective)}
    stamp = {"effective": effective, "set_at": clock.now(), "set_by": actor.name}
    fates = []
    for row in rows:
        kind = ConsultationKind(**row.values, **stamp, active=True)
        kept = before.pop(kind.code, None)
        fate = "added" if kept is None else "unchanged" if rules.same_terms(kind, kept) else "changed"
        if fate != "unchanged":
            session.add(kind)
        fates.append((kind.code, fate))
    before.pop(rules.BOUNDARY.code, None)  # the product itself stands on it
    for kept in before.values():
        same = {name: getattr(kept, name) for name in rules.KINDS}
        session.add(ConsultationKind(**same, **stamp, active=False))
        fates.append((kept.code, "removed"))
    session.flush()
    return fates


def _parties(session: Session, found: Consultation) -> list[ConsultationParty]:
    session.flush()  # what was just said is read back
    return queries.parties(session, [found.id]).get(found.id, [])


def _check_open(found: Consultation) -> None:
    if found.state != Standing.OPEN:
        raise OverAlready(state=OUTCOMES[found.state])


def _end_if_over(session: Session, found: Consultation) -> None:
    voices = _parties(session, found)
    came = rules.outcome(voices, found.silence, found.due_at <= clock.now())
    if came is not None:
        against = [f"{each.name}：{each.reason}" for each in voices if each.said in (Said.OBJECT, Said.VETO)]
        _end(session, found, came, voices, None, "；".join(against))


def _end(
    session: Session, found: Consultation, came: Standing, voices: Sequence[ConsultationParty], actor: Actor | None,
    note: str,
) -> None:  # fmt: skip
    found.state, found.ended_at, found.next_at = came, clock.now(), None
    _note(session, found, actor or SYSTEM, Deed.END, "", outcome=came)
    people = queries.heard(session, voices) | queries.askers(session, found)
    told = f"{word(OUTCOMES, came)} {note}".strip()
    _tell(session, Kind.CONSULT_ENDED, found, people, actor, told)
    emit(session, ConsultationEnded(found.id, found.kind, found.subject_ref, came))


def _note(
    session: Session, found: Consultation, actor: Actor, deed: Deed, note: str, party: ConsultationParty | None = None,
    answers: Mapping[str, Any] | None = None, files: Files = (), outcome: Standing | None = None,
) -> None:  # fmt: skip
    done = select(func.count()).where(ConsultationWord.consultation_id == found.id)
    said = ConsultationWord(
        consultation_id=found.id, seq=session.scalar(done) + 1, deed=deed, party_id=party.id if party else None,
        party=party.name if party else "", actor_id=actor.id, actor_name=actor.name, at=clock.now(), note=note,
        answers=dict(answers or {}), outcome=outcome or "",
    )  # fmt: skip
    session.add(said)
    session.flush()  # the next one counts it, and its files point to it
    _attach(session, actor, found, said, files)


def _attach(
    session: Session, actor: Actor, found: Consultation, said: ConsultationWord, files: Files
) -> None:
    """Tie files to a word: those somebody has sent, and no others by a hash that was guessed or seen."""
    if len(files) > MOST_FILES:
        raise TooManyFiles(most=MOST_FILES)
    for sha256, name in {each["sha256"]: each.get("name", "") for each in files}.items():
        if attachments.held(session, sha256) is None or not (
            actor is SYSTEM or attachments.is_sender(session, actor, sha256)
        ):
            raise UnknownFile
        session.add(
            ConsultationFile(
                consultation_id=found.id, word_id=said.id, sha256=sha256, name=plain_name(name) or sha256[:12]
            )
        )
    session.flush()


def _tell(
    session: Session, kind: Kind, found: Consultation, people: Iterable[int], actor: Actor | None, note: str = "",
    name: str = "",
) -> None:  # fmt: skip
    if found.closed:  # what is told leaves the house: of a person nothing does
        note = ""
    facts = {
        "page": f"/consultations/{found.id}", "title": found.name_zh if found.closed else found.title,
        "due": found.due_at.isoformat(),
        "category_zh": found.name_zh, "category_en": found.name_en or found.name_zh,
        "name": name or (actor.body or actor.name if actor else found.body or found.asker_name), "note": note[:200],
    }  # fmt: skip
    concerned = set(people) - {actor.id if actor else None}
    notice.tell(session, [Message(account, kind, None, facts) for account in sorted(concerned)])
