"""Reads of incidents. Every one starts from what the actor may see."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from itertools import compress
from typing import Any

import numpy as np
from geoalchemy2.functions import ST_X, ST_Y
from geoalchemy2.shape import to_shape
from sqlalchemy import Select, or_, select, text
from sqlalchemy import Sequence as SqlSequence
from sqlalchemy.orm import Session

from gis.locate import HOW, Located
from gridmgr.account.queries import visible_to
from gridmgr.account.rules import Actor
from gridmgr.category import queries as matters
from gridmgr.category.model import Category
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import LEVELS, Edition
from gridmgr.incident.model import Incident, IncidentEvent, IncidentFile, IncidentTask, UnknownIncident
from gridmgr.life.model import BadField, State
from gridmgr.life.rules import Standing

SCOPED = (Incident.street_code, Incident.community_code, Incident.micro_grid_code)


def visible(actor: Actor) -> Select:
    """Return the statement of all incidents in the actor's scope, and of those the actor reported or is sent to see.

    Members of a task force see what it works on, too.
    """
    mine = visible_to(actor, *SCOPED)
    if actor.also:
        mine = or_(mine, Incident.handler.in_(actor.also), Incident.owner.in_(actor.also))
    if actor.id is not None:
        mine = or_(mine, Incident.reporter_id == actor.id, Incident.checker_id == actor.id)
    return select(Incident).where(mine)


def by_number(session: Session, actor: Actor, number: str) -> Incident:
    """Return the incident of that number.

    Raises
    ------
    UnknownIncident
        There is none, or it is not visible to the actor.
    """
    found = session.scalar(visible(actor).where(Incident.number == number))
    if found is None:
        raise UnknownIncident(number=number)
    return found


def locked(session: Session, actor: Actor, number: str) -> Incident:
    """Return the incident of that number, locked until the transaction ends.

    Raises
    ------
    UnknownIncident
    """
    found = session.scalar(
        visible(actor)
        .where(Incident.number == number)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise UnknownIncident(number=number)
    return found


def locked_many(session: Session, numbers: Iterable[str]) -> dict[str, Incident]:
    """Return the incidents of those numbers, locked in order of id until the transaction ends.

    They are not scoped: the caller decides step by step who may.
    """
    found = session.scalars(
        select(Incident)
        .where(Incident.number.in_(list(numbers)))
        .order_by(Incident.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return {incident.number: incident for incident in found}


def open_task(session: Session, incident: Incident, no: int) -> IncidentTask:
    """Return a part of a case that is not done yet.

    Raises
    ------
    BadField
        There is none of that number.
    """
    session.flush()  # it may have been assigned a step before
    found = session.scalar(
        select(IncidentTask).where(
            IncidentTask.incident_id == incident.id, IncidentTask.no == no, IncidentTask.done_at.is_(None)
        )
    )
    if found is None:
        raise BadField(field="task", value=no, expected="the number of an open task")
    return found


def category_of(session: Session, incident: Incident) -> Category:
    """Return the category of an incident."""
    return matters.by_id(session)[incident.category_id]


def held_sources(session: Session, sources: Sequence[tuple[str | None, str]]) -> dict[tuple, int]:
    """Return the ids of the incidents known by these (origin, source_id).

    Only one transaction at a time files the report of an id: the others wait here, then find it.
    """
    if not sources:
        return {}
    keys = sorted({f"{origin}\n{source_id}" for origin, source_id in sources})
    hold = text(
        "SELECT pg_advisory_xact_lock(hashtextextended(key, 0)) FROM unnest(CAST(:keys AS text[])) key"
    )
    session.execute(hold, {"keys": keys})
    by_origin: dict[str | None, list[str]] = {}
    for origin, source_id in sources:
        by_origin.setdefault(origin, []).append(source_id)
    return {
        (origin, source_id): incident_id
        for origin, source_ids in by_origin.items()
        for source_id, incident_id in by_source(session, origin, source_ids).items()
    }


def seen(session: Session, actor: Actor, numbers: Iterable[str]) -> set[str]:
    """Return those of the numbers whose incidents the actor may see."""
    asked = visible(actor).with_only_columns(Incident.number).where(Incident.number.in_(list(numbers)))
    return set(session.scalars(asked))


def by_ids(session: Session, actor: Actor, ids: Iterable[int]) -> dict[int, Incident]:
    """Return those of the incidents that the actor may see, by id."""
    found = session.scalars(visible(actor).where(Incident.id.in_(list(ids))))
    return {incident.id: incident for incident in found}


def by_source(session: Session, origin: str | None, source_ids: Sequence[str]) -> dict[str, int]:
    """Return the ids of the incidents another system has given us, by that system's own ids."""
    rows = session.execute(
        select(Incident.source_id, Incident.id).where(
            Incident.origin == origin, Incident.source_id.in_(list(source_ids))
        )
    )
    return dict(tuple(row) for row in rows)


def history(session: Session, incident_id: int) -> list[IncidentEvent]:
    """Return the rows of an incident's history in order."""
    return list(
        session.scalars(
            select(IncidentEvent).where(IncidentEvent.incident_id == incident_id).order_by(IncidentEvent.seq)
        )
    )


def position(incident: Incident) -> tuple[float, float]:
    """Return the WGS-84 longitude and latitude of an incident."""
    place = to_shape(incident.geom)
    return place.x, place.y


def strayed(session: Session, edition: Edition, states: Collection[State]) -> dict[int, dict[str, Any]]:
    """Return by id where cases in these states lie whom the map of an edition holds in other units than their own."""
    own = [getattr(Incident, f"{level}_code") for level in LEVELS]
    asked = select(Incident.id, ST_X(Incident.geom), ST_Y(Incident.geom), *own)
    rows = session.execute(asked.where(Incident.state.in_(states)).order_by(Incident.id)).all()
    if not rows:
        return {}
    found = np.array([tuple(row) for row in rows], dtype=object)
    lon, lat = found[:, 1:3].astype(float).T
    located = hierarchy.locator_of(session, edition).locate(lon, lat)
    now = np.column_stack([located.codes(level) for level in LEVELS])
    away = (now != found[:, 3:]).any(axis=1)
    places = compress(rows_of(located, edition), away)
    return dict(zip(found[away, 0].tolist(), places, strict=True))


def rows_of(located: Located, edition: Edition) -> Iterable[dict[str, Any]]:
    """Yield for each located point its codes, how and how far, and the edition, as a case keeps them."""
    codes = [located.codes(level) for level in LEVELS]
    for n, how in enumerate(HOW[code] for code in located.how):
        place = {f"{level}_code": codes[k][n] for k, level in enumerate(LEVELS)}
        yield place | {"located": how, "distance_m": float(located.distance_m[n]), "edition_id": edition.id}


def standing(incident: Incident) -> Standing:
    """Return the standing an incident's row caches."""
    values = {f.name: getattr(incident, f.name) for f in fields(Standing)}
    back = State(incident.suspended_from) if incident.suspended_from else None
    return Standing(**values | {"state": State(incident.state), "suspended_from": back})


def tasks(session: Session, incident: Incident) -> list[IncidentTask]:
    """Return the parts of an incident that other bodies do, in the order they were assigned."""
    asked = select(IncidentTask).where(IncidentTask.incident_id == incident.id)
    return list(session.scalars(asked.order_by(IncidentTask.no)))


def files(session: Session, incident: Incident) -> list[IncidentFile]:
    """Return the files of an incident in the order of the steps that brought them."""
    asked = select(IncidentFile).where(IncidentFile.incident_id == incident.id)
    return list(session.scalars(asked.order_by(IncidentFile.seq, IncidentFile.name)))


def shown_file(session: Session, actor: Actor, sha256: str) -> IncidentFile | None:
    """Return a file as one of the incidents the actor may see holds it, None if none does."""
    mine = visible(actor).with_only_columns(Incident.id).where(Incident.id == IncidentFile.incident_id)
    return session.scalar(select(IncidentFile).where(IncidentFile.sha256 == sha256, mine.exists()).limit(1))


def attached(session: Session, hashes: Collection[str]) -> set[str]:
    """Return those of the hashes of files that an incident holds."""
    asked = select(IncidentFile.sha256).where(IncidentFile.sha256.in_(list(hashes))).distinct()
    return set(session.scalars(asked))


def draw_numbers(session: Session, sequence: SqlSequence, count: int) -> list[int]:
    """Return the next numbers of a sequence; a number drawn is never drawn again."""
    drawn = text("SELECT nextval(:name) FROM generate_series(1, :count)")
    return list(session.scalars(drawn, {"name": sequence.name, "count": count}))


def as_json(value: Mapping[str, Any]) -> str:
    """Return a payload as the text that is stored."""
    return json.dumps(value, ensure_ascii=False)
