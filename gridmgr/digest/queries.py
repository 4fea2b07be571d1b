"""Reads of a digest: its subject, and the cases, whistles, orders and work of a span as they stood at an instant."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import geopandas as gpd
import pandas as pd
from geoalchemy2.functions import ST_X, ST_Y
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from gis.adjacency import matrix
from gis.hotspot import getis_ord, method
from gridmgr import clock
from gridmgr.account import queries as accounts
from gridmgr.account.model import Role
from gridmgr.account.rules import SYSTEM, Actor, Grant
from gridmgr.casebook.queries import Search
from gridmgr.category import queries as matters
from gridmgr.digest import rules
from gridmgr.digest.model import AREAS, NoSuchSubject, Period, Span, Subject, Target
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import LEVELS, MICRO_GRID, STREET, NoEdition, UnknownUnit
from gridmgr.incident import queries as incidents
from gridmgr.incident.model import Incident, IncidentEvent
from gridmgr.life.rules import OPEN, OUT
from gridmgr.module import queries as modules
from gridmgr.module.model import UnknownModule
from gridmgr.organisation import queries as organisation
from gridmgr.past import queries as past
from gridmgr.scan import queries as scans
from gridmgr.statistics import queries as statistics
from gridmgr.supervision.model import Deed, SupervisionDeed, SupervisionOrder
from gridmgr.weekly import queries as weekly
from gridmgr.whistle import queries as whistles
from gridmgr.whistle.model import Call, Whistle

COLUMNS = (
    "number", "category_id", "source", "severity", "reported_at", "street_code", "community_code",
    "micro_grid_code", "state", "level", "handler", "accepted_at", "due_at", "closed_at",
)  # fmt: skip
INSTANTS = ("reported_at", "accepted_at", "due_at", "closed_at")
CHILD_OF = {Subject.DISTRICT: STREET, Subject.STREET: LEVELS[1], Subject.COMMUNITY: MICRO_GRID}
MOST_PEOPLE = 20
CHILD_COUNTS = (
    "reported",
    "accepted",
    "due",
    "closed",
    "closed_on_time",
    "overdue",
    "finished",
    "in_community",
)
MOST_HOT = 10
MOST_ALARMS = 10


# ---- subjects ------------------------------------------------------------------------------------------


def target(session: Session, subject: Subject, key: str) -> Target:
    """Return a subject by its key: where its records lie, and what it is called today.

    Raises
    ------
    NoSuchSubject
    """
    found = _FINDERS.get(subject, _area)(session, subject, key.strip())
    if found is None:
        raise NoSuchSubject(key=key or subject.value)
    return found


def _area(session: Session, subject: Subject, key: str) -> Target | None:
    if subject is Subject.DISTRICT:
        return None if key else Target(subject, "", hierarchy.district_code(session), "")
    unit = _unit(session, key)
    return Target(subject, key, key, unit.name) if unit is not None and unit.level == subject else None


def _unit(session: Session, code: str):
    try:
        return hierarchy.unit(session, SYSTEM, code, clock.today())
    except UnknownUnit:
        return None


def _module(session: Session, subject: Subject, key: str) -> Target | None:
    try:
        module, grouping = modules.module(session, int(key) if key.isdecimal() and len(key) < 10 else 0)
    except UnknownModule:
        return None
    return Target(subject, key, grouping.area, module.name_zh)


def _body(session: Session, subject: Subject, key: str) -> Target | None:
    body = organisation.named(session, key)
    return Target(subject, body.name, body.territory, body.name) if body else None


def _person(session: Session, subject: Subject, key: str) -> Target | None:
    account = accounts.by_username(session, key)
    if account is None:
        return None
    return Target(subject, key, rules.around([grant.code for grant in account.grants]), account.name)


_FINDERS = {Subject.MODULE: _module, Subject.BODY: _body, Subject.PERSON: _person}


def writer(of: Target) -> Actor:
    """Return whoever writes about a subject: the system, that sees no further than its area."""
    return Actor(None, SYSTEM.name, (Grant(Role.ADMIN, "" if of.subject is Subject.DISTRICT else of.area),))


def _search(session: Session, of: Target) -> Search:
    match of.subject:
        case Subject.MODULE:
            return Search(module=int(of.key))
        case Subject.BODY:
            return Search(handler=of.key)
        case Subject.PERSON:
            return Search(mine=accounts.by_username(session, of.key).id)
        case _:
            return Search()


# ---- the material --------------------------------------------------------------------------------------


def gather(session: Session, of: Target, span: Span, at: datetime) -> rules.Material:
    """Return what there is to tell of a subject and a span, as it stood at an instant.

    What is compared is the span before, as it stood at its own end.
    """
    then = rules.before(span)
    begin, end = _ends(span)
    cases = _cases(session, of, at, begin)
    earlier = _cases(session, of, _ends(then)[1], _ends(then)[0])
    mine = cases[rules.within(cases["reported_at"], begin, end)]
    units, card = _hotspots(session, of, span, mine)
    borders = _borders(session, of, span)
    content = {
        "subject": {"kind": of.subject.value, "key": of.key, "area": of.area, "name": of.name},
        "period": {"kind": span.period.value, "first": span.first.isoformat(), "last": span.last.isoformat()},
        "as_of": at.isoformat(), "data": _state(session, span),
        "flow": rules.flow(cases, begin, end, at), "figures": _figures(session, of, span, at),
        "before": _before(session, of, then, earlier),
        "days": rules.by_day(cases, span, begin, end, clock.zone()),
        "categories": _matters(session, of, cases, earlier, span, at),
        "sources": rules.by_source(cases, begin, end),
        "children": _children(session, of, span, at),
        "longest": _called(session, rules.longest(cases, at), span),
        "whistles": _whistles(session, of, begin, end, at), "orders": _orders(session, of, begin, end, at),
        "hotspots": _told(session, span, units, card), "alarms": _alarms(session, of, span),
        "scanned": _scanned(session, of, span),
        "people": _people(session, of, span),
    }  # fmt: skip
    names = {each.id: each.name("zh") for each in matters.by_id(session).values()}
    return rules.Material(content, units, borders, mine, names)


def _ends(span: Span) -> tuple[datetime, datetime]:
    return clock.midnight(span.first), clock.midnight(span.last, 1)


def _cases(session: Session, of: Target, at: datetime, since: datetime) -> pd.DataFrame:
    """Return the cases of a subject that matter: reported or closed since an instant, or open, as at another."""
    found = past.cases(session, writer(of), _search(session, of), at)
    case = found.c
    columns = [*(case[name] for name in COLUMNS), ST_X(case.geom).label("lon"), ST_Y(case.geom).label("lat")]
    matter = or_(case.reported_at >= since, case.closed_at >= since, case.state.in_(OPEN))
    rows = session.execute(select(*columns).where(matter, case.reported_at < at)).all()
    frame = pd.DataFrame([tuple(row) for row in rows], columns=[*COLUMNS, "lon", "lat"])
    for name in INSTANTS:
        frame[name] = pd.to_datetime(frame[name], utc=True)
    return frame


def _state(session: Session, span: Span) -> dict[str, Any]:
    """Return which state of the data the paper was written from."""
    newest = session.scalar(select(func.max(IncidentEvent.id))) or 0
    try:
        edition = hierarchy.edition_at(session, span.last)
    except NoEdition:
        return {"last_event": newest, "edition": None, "map": ""}
    return {"last_event": newest, "edition": edition.id, "map": edition.title}


def _figures(session: Session, of: Target, span: Span, at: datetime) -> dict[str, Any]:
    search = replace(_search(session, of), since=span.first, until=span.last)
    found = statistics.total(session, writer(of), search, at)
    return {"counts": found.counts, "rates": found.rates}


def _before(session: Session, of: Target, then: Span, earlier: pd.DataFrame) -> dict[str, Any]:
    begin, end = _ends(then)
    period = {"first": then.first.isoformat(), "last": then.last.isoformat()}
    return period | {
        "flow": rules.flow(earlier, begin, end, end),
        "figures": _figures(session, of, then, end),
    }


def _matters(
    session: Session, of: Target, cases: pd.DataFrame, earlier: pd.DataFrame, span: Span, at: datetime
) -> list[dict[str, Any]]:
    begin, end = _ends(rules.before(span))
    before = earlier[rules.within(earlier["reported_at"], begin, end)]
    return _called(session, rules.by_category(cases, before, *_ends(span), at), span)


def _called(session: Session, rows: Sequence[dict[str, Any]], span: Span) -> list[dict[str, Any]]:
    """Return rows with what their categories are called, and what their units were on the last day of a span."""
    known = matters.by_id(session)
    places = hierarchy.names(session, {code for row in rows for code in row.get("codes", ())}, span.last)
    found = []
    for row in rows:
        category = known.get(row["category"])
        names = {"category_zh": category.name_zh, "category_en": category.name_en} if category else {}
        place = {"place": [places.get(code, code) for code in row["codes"]]} if "codes" in row else {}
        found.append(row | ({"category_zh": "", "category_en": ""} | names) | place)
    return found


def _children(session: Session, of: Target, span: Span, at: datetime) -> list[dict[str, Any]]:
    level = CHILD_OF.get(of.subject)
    if level is None:
        return []
    search = replace(_search(session, of), since=span.first, until=span.last)
    rows = [
        {"code": each.code, "name": each.name or each.code or "", "counts": each.counts, "rates": each.rates}
        for each in statistics.figures(session, writer(of), level, search, at, counts=CHILD_COUNTS)
        if each.code
    ]
    return rules.ranked(rows)


# ---- maps ----------------------------------------------------------------------------------------------


def _hotspots(
    session: Session, of: Target, span: Span, mine: pd.DataFrame
) -> tuple[gpd.GeoDataFrame, dict[str, Any]]:
    """Return the micro-grids of a subject with their counts and Gi* classes, and how these were found."""
    units = hierarchy.frame(session, MICRO_GRID, span.last, writer(of)).set_index("code", drop=False)
    ours = mine.loc[~mine["state"].isin(OUT), "micro_grid_code"].value_counts()
    units["count"] = ours.reindex(units.index).fillna(0).astype(int)
    units["klass"] = 0
    if len(units) < 3 or not units["count"].any():
        return units, {}
    weights = matrix(units, "queen")
    units["klass"] = getis_ord(units["count"].astype(float), weights)["klass"].astype(int)
    return units, method(weights)


def _told(session: Session, span: Span, units: gpd.GeoDataFrame, card: Mapping[str, Any]) -> dict[str, Any]:
    """Return the hotspots as content: those that stand out, and every unit that differs from nothing."""
    shown = units[(units["count"] > 0) | (units["klass"] != 0)].drop(columns="geometry")
    hot = shown[shown["klass"] > 0].sort_values(["klass", "count"], ascending=False)
    around = hierarchy.names(session, hot["parent_code"], span.last)
    tell = [
        {"code": row.code, "name": f"{around.get(row.parent_code, '')}{row.name_}", "count": int(row.count_),
         "klass": int(row.klass)}
        for row in hot.iloc[:MOST_HOT].rename(columns={"name": "name_", "count": "count_"}).itertuples()
    ]  # fmt: skip
    values = {row[0]: [int(row[1]), int(row[2])] for row in shown[["code", "count", "klass"]].to_numpy()}
    sure, cold = int((units["klass"] >= rules.SURE).sum()), int((units["klass"] < 0).sum())
    return {
        "units": len(units), "hot": tell, "sure": sure, "cold": cold, "card": dict(card), "values": values,
    }  # fmt: skip


def _borders(session: Session, of: Target, span: Span) -> gpd.GeoDataFrame:
    level = CHILD_OF.get(of.subject, LEVELS[1] if of.area else STREET)
    if level == MICRO_GRID:
        level = LEVELS[1]
    found = hierarchy.frame(session, level, span.last, writer(of))
    return found[found["code"].str.startswith(of.area)]


def _alarms(session: Session, of: Target, span: Span) -> list[dict[str, Any]]:
    """Return the alarms of the daily scans of a span, the rarest by chance first."""
    if of.subject not in AREAS:
        return []
    days = (scans.Search(day=each) for each in rules.days(span))
    found = [each for search in days for each in scans.page(session, writer(of), search, MOST_ALARMS)]
    found = sorted(found, key=lambda each: -each.cluster.recurrence_days)[:MOST_ALARMS]
    names = hierarchy.names(session, [code for each in found for code in each.codes[:1]], span.last)
    return [
        {
            "day": each.scan.day.isoformat(), "category_zh": each.scan.matter, "category_en": each.scan.matter_en,
            "place": names.get(each.codes[0], each.codes[0]) if each.codes else "", "units": len(each.codes),
            "since": each.cluster.since.isoformat(), "observed": each.cluster.observed,
            "expected": round(each.cluster.expected, 2), "once_in": round(each.cluster.recurrence_days, 1),
        }
        for each in found
    ]  # fmt: skip


def _scanned(session: Session, of: Target, span: Span) -> str | None:
    """Return the last day of a span that is scanned so far: alarms are told up to it."""
    last = scans.last_day(session, until=span.last) if of.subject in AREAS else None
    return last.isoformat() if last and last >= span.first else None


# ---- joint work, orders, people ------------------------------------------------------------------------


def _whistles(session: Session, of: Target, begin: datetime, end: datetime, at: datetime) -> dict[str, Any]:
    """Return how often anybody was called between two instants, and how those called had come by an instant."""
    asked = (
        whistles.visible(writer(of))
        .with_only_columns(Whistle.id, Whistle.why, Call.body, Call.called_at, Call.due_at, Call.arrived_at)
        .join(Call, Call.whistle_id == Whistle.id)
        .where(Whistle.blown_at >= begin, Whistle.blown_at < end, Call.due_at.is_not(None))
        .where(or_(Call.excused_at.is_(None), Call.excused_at >= at))
    )
    if of.subject is Subject.BODY:
        asked = asked.where(Call.body == of.key)
    if of.subject in (Subject.MODULE, Subject.PERSON):
        return rules.called_bodies([], at)
    return rules.called_bodies([tuple(row) for row in session.execute(asked.order_by(Call.id))], at)


def _orders(session: Session, of: Target, begin: datetime, end: datetime, at: datetime) -> dict[str, int]:
    """Return how many orders were issued between two instants, answered by an instant, and late at it."""
    first = (
        select(func.min(SupervisionDeed.at))
        .where(SupervisionDeed.order_id == SupervisionOrder.id, SupervisionDeed.deed == Deed.ANSWER)
        .correlate(SupervisionOrder)
        .scalar_subquery()
    )
    seen = incidents.visible(writer(of)).with_only_columns(Incident.id)
    asked = select(SupervisionOrder.due_at, first).where(
        SupervisionOrder.incident_id.in_(seen), SupervisionOrder.issued_at >= begin, SupervisionOrder.issued_at < end
    )  # fmt: skip
    if of.subject is Subject.BODY:
        asked = asked.where(SupervisionOrder.body == of.key)
    if of.subject in (Subject.MODULE, Subject.PERSON):
        return rules.ordered([], at)
    return rules.ordered([tuple(row) for row in session.execute(asked)], at)


def _people(session: Session, of: Target, span: Span) -> list[dict[str, Any]]:
    """Return what people did in a week, who has done most first, as the weekly report counts it."""
    if span.period is not Period.WEEK or of.subject in (Subject.DISTRICT, Subject.MODULE):
        return []
    found = weekly.people(session, SYSTEM, span.first, of.area)
    if of.subject is Subject.BODY:
        found = [each for each in found if each.body == of.key]
    if of.subject is Subject.PERSON:
        found = [each for each in found if each.key == of.key]
    names = ("key", "name", "body", "reports", "steps", "pieces", "met", "missed", "rate", "hours")
    return [{name: getattr(each, name) for name in names} for each in found[:MOST_PEOPLE]]
