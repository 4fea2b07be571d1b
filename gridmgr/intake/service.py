"""Verbs of intake: report one or many, and settle on the spot. They never commit."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import shapely
from sqlalchemy.orm import Session

from gis.datum import to_wgs84
from gridmgr import clock
from gridmgr.account.rules import Actor, require
from gridmgr.db import copy_rows, ewkb
from gridmgr.events import emit
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.incident import queries, rules
from gridmgr.incident import service as incident
from gridmgr.incident.model import (
    NUMBERS,
    Adopted,
    Incident,
    IncidentEvent,
    IncidentsReported,
    KnownElsewhere,
    OutsideDistrict,
    Report,
)
from gridmgr.life import rules as life
from gridmgr.life.model import HOLDERS, Action
from gridmgr.life.rules import Standing
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
    attached = incident.described(session, [list(one.files) for one in told])
    incidents, events, files = [], [], []
    for n, one in enumerate(told):
        payload = _report_payload(one, places[n], attached[n])
        steps = [(Action.REPORT, payload, one.reported_at or at)]
        if adopted:
            steps.append((Action.ADOPT, adopted[n].payload, adopted[n].at))
        standing, digest, rows = _history(ids[n], numbers[n], actor, steps, at)
        files.append((ids[n], 1, payload["files"]))
        told_row = _told_row(ids[n], numbers[n], one, actor, steps[0][2], places[n])
        incidents.append(told_row | life.cached(standing) | {"last_seq": len(rows), "last_hash": digest})
        incidents[-1]["asked"] = None
        incidents[-1]["geom"] = shapes[n]
        events += rows
    copy_rows(session, Incident, list(incidents[0]), (list(row.values()) for row in incidents))
    copy_rows(session, IncidentEvent, list(events[0]), map(incident.stored, events))
    incident.attach(session, files)
    emit(session, IncidentsReported(tuple(ids)))
    return ids


def settle(
    session: Session, actor: Actor, told: Report, note: str, files: Sequence[Mapping[str, str]]
) -> Incident:
    """File a report and settle it in the same step, on the spot, shown by a photo.

    Rule: field.md §3, 自办自结: for categories that are simple.

    Raises
    ------
    NoPlace, OutsideDistrict, NotGranted, KnownElsewhere
        As `report`.
    ConditionUnmet
        The category is not simple, or the photo is missing; nothing is written.
    IllegalMove
        The same report was filed before and has gone on since.
    """
    found = report(session, actor, told)
    payload = {"note": note, "files": list(files), "checked": True}
    return incident.move(session, actor, found.number, Action.SETTLE, payload)


def _history(
    incident_id: int, number: str, actor: Actor, steps: Sequence[tuple], recorded: datetime
) -> tuple[Standing, bytes, list[dict[str, Any]]]:
    """Return where the steps lead, the last hash, and the rows of history they make."""
    standing, digest, rows = Standing(), b"", []
    for seq, (action, payload, when) in enumerate(steps, start=1):
        standing = life.apply(standing, action, payload, when)
        digest = life.chain(digest, number, seq, action, actor.name, when, payload)
        rows.append(
            incident.event_row(
                incident_id, seq, action, standing.state, actor, when, recorded, payload, digest
            )
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
        for row, place in zip(rows, incident.rows_of(located, edition), strict=True):
            places[row] = place
    return places


def _numbers(session: Session, told: Sequence[Report], at: datetime) -> tuple[list[int], list[str]]:
    """Draw ids and numbers: the local day of the report and a running number never used twice."""
    drawn = queries.draw_numbers(session, NUMBERS, len(told))
    days = [clock.local(one.reported_at or at) for one in told]
    return drawn, [f"{day:%Y%m%d}{number:07d}" for day, number in zip(days, drawn, strict=True)]


def _report_payload(one: Report, place: Mapping[str, Any], files: list[dict]) -> dict[str, Any]:
    told = vars(one) | {"reported_at": one.reported_at.isoformat() if one.reported_at else None}
    held = next((level for level in HOLDERS if place.get(f"{level}_code")), HOLDERS[-1])
    return told | dict(place) | {"files": files, "level": held}


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
