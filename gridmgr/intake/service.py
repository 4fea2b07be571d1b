"""Verbs of intake: report one or many, and settle on the spot. They never commit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import numpy as np
import shapely
from geoalchemy2 import WKBElement
from sqlalchemy.orm import Session

from gis.datum import to_wgs84
from gis.errors import Problem
from gridmgr import clock
from gridmgr.account.rules import Actor, require
from gridmgr.db import copied, copy_rows, ewkb
from gridmgr.events import emit
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.incident import queries, rules
from gridmgr.incident import service as incident
from gridmgr.incident.model import (
    NUMBERS,
    Adopted,
    Filed,
    Incident,
    IncidentEvent,
    IncidentsReported,
    KnownElsewhere,
    NoPlace,
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
    (found,) = _report_all(session, actor, [told])
    if isinstance(found, Problem):
        raise found
    return found if isinstance(found, Incident) else _case(session, found)


def report_batch(session: Session, actor: Actor, told: Sequence[Report]) -> list[str | Problem]:
    """File what can be filed of a batch; returns for each report its number, or why it was refused.

    Rule: as `report`; one refused stops no other, and a report that stands twice in a batch is one incident.

    Raises
    ------
    NotGranted
        The actor may not report.
    """
    found = _report_all(session, actor, told)
    numbers = (each.number if isinstance(each, Incident) else each for each in found)
    return [each["number"] if isinstance(each, dict) else each for each in numbers]


def _report_all(
    session: Session, actor: Actor, told: Sequence[Report]
) -> list[Incident | dict[str, Any] | Problem]:
    """File what can be filed; returns for each report the case known before, its new row, or its fault."""
    require(actor, "incident.report")
    sources = [(one.origin, one.source_id) if one.source_id else n for n, one in enumerate(told)]
    known = queries.held_sources(session, [source for source in sources if isinstance(source, tuple)])
    first: dict[Any, int] = {}
    for n, source in enumerate(sources):
        first.setdefault(source, n)
    fresh = [n for source, n in first.items() if source not in known]
    faults: dict[Any, Problem] = {}
    for n in fresh:
        try:
            rules.check_place(told[n])
        except NoPlace as problem:
            faults[sources[n]] = problem
    placed = place(session, [told[n] for n in fresh if sources[n] not in faults])
    fresh = [n for n in fresh if sources[n] not in faults]
    faults |= {
        sources[n]: far for n, where in zip(fresh, placed.places, strict=True) if (far := _too_far(where))
    }
    near = [k for k, n in enumerate(fresh) if sources[n] not in faults]
    seen = queries.by_ids(session, actor, known.values()) if known else {}
    cases = {source: seen.get(incident_id) or _elsewhere(source) for source, incident_id in known.items()}
    filed = _file(session, actor, [told[fresh[k]] for k in near], placed.only(near))
    cases |= {sources[fresh[k]]: row for k, row in zip(near, filed, strict=True)}
    return [faults.get(source) or cases[source] for source in sources]


def _elsewhere(source: tuple[str | None, str]) -> KnownElsewhere:
    return KnownElsewhere(origin=source[0], source_id=source[1])


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
    placed = place(session, told)
    for problem in filter(None, map(_too_far, placed.places)):
        raise problem
    return [row["id"] for row in _file(session, actor, told, placed, adopted)]


@dataclass(frozen=True)
class Placed:
    """Where reports are: WGS-84 degrees, and the codes that hold them, each on the map of its day."""

    lon: np.ndarray
    lat: np.ndarray
    places: list[dict[str, Any]]

    def only(self, rows: Sequence[int]) -> "Placed":
        """Return these of the places alone."""
        return Placed(self.lon[rows], self.lat[rows], [self.places[row] for row in rows])


def _too_far(where: Mapping[str, Any]) -> OutsideDistrict | None:
    if where["distance_m"] <= settings().nearest_limit_m:
        return None
    far = round(where["distance_m"] / 1000, 1)
    return OutsideDistrict(distance_km=far, nearest=where["micro_grid_code"] or "-")


def _file(
    session: Session, actor: Actor, told: Sequence[Report], placed: Placed, adopted: Sequence[Adopted] = ()
) -> list[dict[str, Any]]:
    """File reports that are placed; returns the rows of their cases."""
    if not told:
        return []
    at = clock.now()
    ids, numbers = _numbers(session, told, at)
    shapes = ewkb(shapely.points(placed.lon, placed.lat), 4326)
    attached = incident.described(session, [list(one.files) for one in told])
    incidents, events, files, filed = [], [], [], []
    for n, one in enumerate(told):
        payload = _report_payload(one, placed.places[n], attached[n])
        steps = [(Action.REPORT, payload, one.reported_at or at)]
        if adopted:
            steps.append((Action.ADOPT, adopted[n].payload, adopted[n].at))
        standing, digest, rows = _history(ids[n], numbers[n], actor, steps, at)
        files.append((ids[n], 1, payload["files"]))
        told_row = _told_row(ids[n], numbers[n], one, actor, steps[0][2], placed.places[n])
        cached = life.cached(standing) | {"asked": None, "last_seq": len(rows), "last_hash": digest}
        incidents.append(told_row | cached | {"geom": shapes[n]})
        filed.append(_filed(incidents[-1], adopted[n] if adopted else None))
        events += rows
    copy_rows(session, Incident, list(incidents[0]), (list(row.values()) for row in incidents))
    copy_rows(session, IncidentEvent, list(events[0]), map(incident.stored, events))
    incident.attach(session, files)
    emit(session, IncidentsReported(tuple(filed)))
    return incidents


def _case(session: Session, row: Mapping[str, Any]) -> Incident:
    return copied(session, Incident(**row | {"geom": WKBElement(row["geom"])}))


def _filed(row: Mapping[str, Any], word: Adopted | None) -> Filed:
    same = {field.name: row[field.name] for field in fields(Filed) if field.name in row}
    home = row["micro_grid_code"] or row["community_code"] or row["street_code"] or ""
    return Filed(**same, home=home, word=word)


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
    """
    found = report(session, actor, told)
    if found.last_seq > 1:  # the same report sent again: it was settled the first time
        return found
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


def place(session: Session, told: Sequence[Report]) -> Placed:
    """Return where reports are: each place by its declared datum, on the edition of its own day."""
    lon, lat = _wgs84(told)
    days = np.array([clock.local(one.reported_at or clock.now()).date() for one in told])
    edition_of = {day: hierarchy.edition_at(session, day) for day in set(days)}
    edition_ids = np.array([edition_of[day].id for day in days])
    places: list[dict[str, Any]] = [{}] * len(told)
    for edition in {edition.id: edition for edition in edition_of.values()}.values():
        rows = np.flatnonzero(edition_ids == edition.id)
        located = hierarchy.locator_of(session, edition).locate(lon[rows], lat[rows])
        for row, where in zip(rows, queries.rows_of(located, edition), strict=True):
            places[row] = where
    return Placed(lon, lat, places)


def _wgs84(told: Sequence[Report]) -> tuple[np.ndarray, np.ndarray]:
    lon, lat = (np.array([getattr(one, name) for one in told], float) for name in ("lon", "lat"))
    datums = np.array([one.datum for one in told])
    for datum in set(datums):
        rows = datums == datum
        lon[rows], lat[rows] = to_wgs84(lon[rows], lat[rows], str(datum))
    return lon, lat


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
