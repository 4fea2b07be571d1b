"""Verbs of incidents: report (one or many), move (one or many), follow a redrawn map. They never commit."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import shapely
from sqlalchemy import select
from sqlalchemy.orm import Session

from gis.datum import to_wgs84
from gis.errors import Problem
from gis.locate import HOW, Located
from gridmgr import clock
from gridmgr.account.rules import Actor, require
from gridmgr.clock import TimeUnit
from gridmgr.db import copy_rows, ewkb
from gridmgr.events import emit
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import LEVELS, Edition
from gridmgr.incident import queries, rules
from gridmgr.incident.model import (
    NUMBERS,
    Action,
    Adopted,
    BadField,
    Incident,
    IncidentEvent,
    IncidentMoved,
    IncidentMovedMeanwhile,
    IncidentReported,
    KnownElsewhere,
    Move,
    OutsideDistrict,
    Report,
    State,
    UnknownIncident,
)
from gridmgr.incident.rules import OPEN, Standing
from gridmgr.settings import settings


def report(session: Session, actor: Actor, told: Report) -> Incident:
    """File one report: convert its datum, find its place on the day's map, open its history.

    Rule: field.md §3, 信息采集. A report with a `source_id` known from its `origin` is the same report.

    Raises
    ------
    NoPlace
        The coordinates are no place on earth.
    OutsideDistrict
        The place lies farther from every micro-grid than the limit.
    NotGranted
        The actor may not report.
    KnownElsewhere
        The same report was filed before, where the actor may not look.
    """
    require(actor, "incident.report")
    if told.source_id:
        queries.hold_source(session, told.origin, told.source_id)
    known = queries.by_source(session, told.origin, [told.source_id]) if told.source_id else {}
    if known:
        found = session.scalar(queries.visible(actor).where(Incident.id == known[told.source_id]))
        if found is None:
            raise KnownElsewhere(source_id=told.source_id, origin=told.origin)
        return found
    (found,) = report_many(session, actor, [told])
    return session.get_one(Incident, found)


def report_many(
    session: Session, actor: Actor, told: Sequence[Report], adopted: Sequence[Adopted] = ()
) -> list[int]:
    """File many reports at once, each on the map of its own day; returns their ids in order.

    `adopted` gives, report by report, how far another system had taken the case. That is written as
    one step of its own, the word of that system; no step is invented.

    Raises
    ------
    NoPlace, OutsideDistrict, NotGranted
        For the first report that has the fault; nothing is written.
    """
    require(actor, "incident.report")
    for one in told:
        rules.check_place(one)
    if not told:
        return []
    at = clock.now()
    lon, lat = wgs84(told)
    places = locate(session, told, lon, lat)
    for place in places:
        if place["distance_m"] > settings().nearest_limit_m:
            far = round(place["distance_m"] / 1000, 1)
            raise OutsideDistrict(distance_km=far, nearest=place["micro_grid_code"] or "-")
    ids, numbers = _numbers(session, told, at)
    shapes = ewkb(shapely.points(lon, lat), 4326)
    incidents, events = [], []
    for n, one in enumerate(told):
        steps = [(Action.REPORT, _report_payload(one, places[n]), one.reported_at or at)]
        if adopted:
            steps.append((Action.ADOPT, adopted[n].payload, adopted[n].at))
        standing, digest, rows = _history(ids[n], numbers[n], actor, steps, at)
        told_row = _told_row(ids[n], numbers[n], one, actor, steps[0][2], places[n])
        incidents.append(told_row | rules.cached(standing) | {"last_seq": len(rows), "last_hash": digest})
        incidents[-1]["geom"] = shapes[n]
        events += rows
    copy_rows(session, Incident, list(incidents[0]), (list(row.values()) for row in incidents))
    copy_rows(session, IncidentEvent, list(events[0]), (_stored(row) for row in events))
    for incident_id in ids:
        emit(session, IncidentReported(incident_id))
    return ids


def _history(
    incident_id: int, number: str, actor: Actor, steps: Sequence[tuple], recorded: datetime
) -> tuple[Standing, bytes, list[dict[str, Any]]]:
    """Return where the steps lead, the last hash, and the rows of history they make."""
    standing, digest, rows = Standing(), b"", []
    for seq, (action, payload, when) in enumerate(steps, start=1):
        standing = rules.apply(standing, action, payload, when)
        digest = rules.chain(digest, number, seq, action, actor.name, when, payload)
        rows.append(
            _event_row(incident_id, seq, action, standing.state, actor, when, recorded, payload, digest)
        )
    return standing, digest, rows


def wgs84(told: Sequence[Report]) -> tuple[np.ndarray, np.ndarray]:
    """Return the WGS-84 longitudes and latitudes of reports, each by its declared datum."""
    lon, lat = (np.array([getattr(one, name) for one in told], float) for name in ("lon", "lat"))
    datums = np.array([one.datum for one in told])
    for datum in set(datums):
        rows = datums == datum
        lon[rows], lat[rows] = to_wgs84(lon[rows], lat[rows], str(datum))
    return lon, lat


def locate(
    session: Session, told: Sequence[Report], lon: np.ndarray, lat: np.ndarray
) -> list[dict[str, Any]]:
    """Return for each report its codes, how and how far, each located in the edition of its own day.

    `lon` and `lat` are the reports' places in WGS-84, as `wgs84` gives them.
    """
    days = np.array([clock.local(one.reported_at or clock.now()).date() for one in told])
    edition_of = {day: hierarchy.edition_at(session, day) for day in set(days)}
    edition_ids = np.array([edition_of[day].id for day in days])
    places: list[dict[str, Any]] = [{}] * len(told)
    for edition in {edition.id: edition for edition in edition_of.values()}.values():
        rows = np.flatnonzero(edition_ids == edition.id)
        located = hierarchy.locator(session, edition.effective).locate(lon[rows], lat[rows])
        for row, place in zip(rows, _rows_of(located, edition), strict=True):
            places[row] = place
    return places


def _rows_of(located: Located, edition: Edition) -> Iterable[dict[str, Any]]:
    codes = [located.codes(level) for level in LEVELS]
    for n, how in enumerate(HOW[code] for code in located.how):
        place = {f"{level}_code": codes[k][n] for k, level in enumerate(LEVELS)}
        yield place | {"located": how, "distance_m": float(located.distance_m[n]), "edition_id": edition.id}


def _numbers(session: Session, told: Sequence[Report], at: datetime) -> tuple[list[int], list[str]]:
    """Draw ids and numbers: the local day of the report and a running number never used twice."""
    drawn = queries.draw_numbers(session, NUMBERS, len(told))
    days = [clock.local(one.reported_at or at) for one in told]
    return drawn, [f"{day:%Y%m%d}{number:07d}" for day, number in zip(days, drawn, strict=True)]


def _report_payload(one: Report, place: Mapping[str, Any]) -> dict[str, Any]:
    told = vars(one) | {"reported_at": one.reported_at.isoformat() if one.reported_at else None}
    return told | dict(place)


def _told_row(incident_id, number, one: Report, actor, when, place) -> dict[str, Any]:
    return {
        "id": incident_id, "number": number, "source": one.source, "origin": one.origin,
        "source_id": one.source_id, "category_id": one.category_id, "description": one.description,
        "address": one.address, "words": f"{number} {one.source_id or ''} {one.address} {one.description}",
        "reporter_id": actor.id, "reporter_name": one.reporter_name or actor.name,
        "reporter_phone": one.reporter_phone, "reported_at": when, "datum": one.datum,
        "declared_lon": one.lon, "declared_lat": one.lat, "located": place["located"],
        "distance_m": place["distance_m"], "severity": one.severity,
    }  # fmt: skip


def _event_row(incident_id, seq, action, state, actor, when, recorded, payload, digest) -> dict[str, Any]:
    return {
        "incident_id": incident_id, "seq": seq, "action": action, "state": state, "actor_id": actor.id,
        "actor_name": actor.name, "occurred_at": when, "recorded_at": recorded, "payload": payload,
        "hash": digest,
    }  # fmt: skip


def _stored(row: Mapping[str, Any]) -> list[Any]:
    return [queries.as_json(value) if isinstance(value, dict) else value for value in row.values()]


def move(
    session: Session,
    actor: Actor,
    number: str,
    action: Action,
    payload: Mapping[str, Any] | None = None,
    *,
    expected_seq: int | None = None,
    at: datetime | None = None,
) -> Incident:
    """Take an incident one step along its life and append the step to its history.

    Rule: `rules.TRANSITIONS`; who may is `account.rules.PERMISSIONS`, on the incident's own place.
    Accepting starts the clock: the due time is worked out once and kept with the step.

    Raises
    ------
    UnknownIncident
        There is none of that number in the actor's scope.
    IncidentMovedMeanwhile
        `expected_seq` was given and somebody was faster.
    IllegalMove, MissingField, BadField
        The step is not possible, or lacks what it needs.
    NotGranted, OutsideGrant
        The actor may not take this step here.
    """
    incident = queries.locked(session, actor, number)
    asked = Move(actor, number, action, payload or {}, at, expected_seq)
    session.add(IncidentEvent(**_step(session, incident, asked)))
    session.flush()  # two steps in one transaction must find each other
    return incident


def move_many(session: Session, asked: Sequence[Move]) -> list[Problem | None]:
    """Take many steps in the order given; returns for each why it was not taken, or None.

    Rule: the same as `move`, step by step; a step refused writes nothing and stops no other one. A case
    outside its actor's scope is refused as outside the grant, not as unknown: not for answers to people.
    """
    found = queries.locked_many(session, {one.number for one in asked})
    refused: list[Problem | None] = []
    rows = []
    with session.no_autoflush:  # one update of each incident, however many steps it takes
        for one in asked:
            try:
                if one.number not in found:
                    raise UnknownIncident(number=one.number)
                rows.append(_step(session, found[one.number], one))
                refused.append(None)
            except Problem as problem:
                refused.append(problem)
    session.flush()  # the rows of history follow what they tell about
    if rows:
        copy_rows(session, IncidentEvent, list(rows[0]), (_stored(row) for row in rows))
    return refused


def _step(session: Session, incident: Incident, asked: Move) -> dict[str, Any]:
    """Check one step of a locked incident, bring its standing up to it, and return its row of history."""
    require(asked.actor, f"incident.{asked.action}", incident.micro_grid_code or "")
    if asked.expected_seq is not None and incident.last_seq != asked.expected_seq:
        raise IncidentMovedMeanwhile(number=incident.number, state=incident.state)
    payload, at = dict(asked.payload), asked.at or clock.now()
    rules.target(State(incident.state), asked.action, payload, incident.number)
    rules.check_fields(asked.action, payload)
    if asked.action is Action.ACCEPT:
        payload |= _start_clock(session, incident, at)
    if asked.action is Action.MERGE:
        _check_twin(session, asked.actor, incident, payload["into"])
    row = _appended(asked.actor, incident, asked.action, payload, at)
    emit(session, IncidentMoved(incident.id, asked.action, State(incident.state)))
    return row


def _start_clock(session: Session, incident: Incident, at: datetime) -> dict[str, Any]:
    category = queries.category_of(session, incident)
    if category.limit_amount is None:
        return {}
    due = clock.working_calendar().due(at, category.limit_amount, TimeUnit(category.limit_unit))
    return {
        "limit_amount": category.limit_amount,
        "limit_unit": category.limit_unit,
        "due_at": due.isoformat(),
    }


def _check_twin(session: Session, actor: Actor, incident: Incident, into: str) -> None:
    twin = queries.by_number(session, actor, into)
    if twin.id == incident.id or twin.state in (State.VOIDED, State.MERGED):
        raise BadField(field="into", value=into, expected="another live incident")


def _appended(
    actor: Actor, incident: Incident, action: Action, payload: dict[str, Any], at: datetime
) -> dict[str, Any]:
    """Bring a locked incident's cached standing up to one more step; returns the step's row of history."""
    standing = rules.apply(queries.standing(incident), action, payload, at)
    seq = incident.last_seq + 1
    digest = rules.chain(incident.last_hash, incident.number, seq, action, actor.name, at, payload)
    for column, value in rules.cached(standing).items():
        setattr(incident, column, value)
    incident.last_seq, incident.last_hash = seq, digest
    return _event_row(incident.id, seq, action, standing.state, actor, at, clock.now(), payload, digest)


def rehome_open(session: Session, actor: Actor) -> int:
    """Give open cases the codes of the map now in force, each with a row in its history; returns how many.

    Closed cases keep the place they had: a redraw never rewrites history.
    """
    edition = hierarchy.edition_at(session, clock.today())
    behind = session.scalars(
        select(Incident)
        .where(Incident.state.in_(OPEN), Incident.edition_id != edition.id)
        .order_by(Incident.id)
        .with_for_update(skip_locked=True)
    ).all()
    if not behind:
        return 0
    points = queries.points(session, [incident.id for incident in behind])
    located = hierarchy.locator(session, edition.effective).locate(points[:, 0], points[:, 1])
    rows = []
    for incident, place in zip(behind, _rows_of(located, edition), strict=True):
        rows.append(_appended(actor, incident, Action.REHOME, place, clock.now()))
        incident.located, incident.distance_m = place["located"], place["distance_m"]
    session.flush()  # the rows of history follow what they tell about
    copy_rows(session, IncidentEvent, list(rows[0]), (_stored(row) for row in rows))
    return len(behind)
