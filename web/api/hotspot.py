"""Where it hurts: classes of units with the card of their method, densities, places that come back."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import Depends, Query
from pydantic import BaseModel, Field

from gridmgr.account.rules import Actor
from gridmgr.hotspot import queries, rules
from gridmgr.hotspot.model import Found, Place
from web import words
from web.api.schema import FEATURES, problems, router
from web.api.search import OfAreas
from web.deps import Allow, Transaction
from web.fields import Coverage
from web.paging import Page, Paging, paged

routes = router("hotspot")
Viewer = Annotated[Actor, Depends(Allow("figures.view"))]


class CardLine(BaseModel):
    """One line of a method card."""

    title: str = Field(examples=["Weights"])
    text: str = Field(examples=["units that share a border or a corner, and the unit itself"])


class Carded(BaseModel):
    """A result with the card that says how it was found: as numbers, and as lines to be read."""

    card: dict[str, Any] = Field(description="Empty where there is nothing to tell: no map, too few units.")
    told: list[CardLine] = Field(description="The card in the language of the `lang` cookie.")


class HotspotUnit(BaseModel):
    """One unit: its count, Gi* z, p, q (p adjusted), and class: 3 2 1 hot, -1 -2 -3 cold, 0 neither."""

    code: str
    name: str
    count: int
    z: float | None
    p: float | None
    q: float | None
    klass: Literal[-3, -2, -1, 0, 1, 2, 3]


class HotspotsOut(Carded):
    """Every unit's class."""

    units: list[HotspotUnit]


class EmergingUnit(BaseModel):
    """One unit: its class among the 17, in how many periods it was hot and cold, its last z, its trend."""

    code: str
    name: str
    count: int
    klass: str = Field(examples=["consecutive_hot"])
    hot: int
    cold: int
    last: float | None = Field(description="Gi* z of the last period.")
    trend: float | None = Field(description="Mann-Kendall z over the periods.")
    p: float | None = Field(description="Of the trend, two-sided.")
    steps: list[Literal[-1, 0, 1]] = Field(description="1 hot, -1 cold, 0 neither, period by period.")


class EmergingOut(Carded):
    """How hot spots came and went."""

    periods: list[str] = Field(description="The first day of each period.", examples=[["2026-10-01"]])
    units: list[EmergingUnit]


class RateUnit(BaseModel):
    """One unit: its cases set against a base; null where the base is not known."""

    code: str
    name: str
    count: int
    base: float | None
    rate: float | None
    smoothed: float | None = Field(description="Pulled towards the mean of all units (empirical Bayes).")
    nearby: float | None = Field(description="Pulled towards the neighbourhood.")
    few: bool = Field(description="The base is too small to say anything.")
    by_count: int | None = Field(description="Rank by number of cases.")
    by_rate: int | None = Field(description="Rank by smoothed rate.")
    klass: Literal[rules.RATE_CLASSES]


class RatesOut(Carded):
    """Cases set against households, area or patrol hours."""

    units: list[RateUnit]


class DensityOut(Carded):
    """Areas between even steps of the density, as GeoJSON: `klass` 1 the lowest, `low`, `high` per km²."""

    areas: dict[str, Any] = Field(json_schema_extra=FEATURES)


class CaseOut(BaseModel):
    """A case, and how many days after the one before it."""

    number: str
    reported_at: datetime
    after: float | None


class PlaceOut(BaseModel):
    """A building where the same matter came up again and again."""

    building: str
    name: str
    address: str
    category: str
    count: int
    open: int
    first: datetime
    last: datetime
    between: float = Field(description="Days between two cases, on average.")
    shortest: float = Field(description="Days.")
    most: int = Field(description="Cases within the days asked for.")
    lon: float | None
    lat: float | None
    cases: list[CaseOut] = Field(description="The latest ones, the latest first.")


class PlacePage(Page[PlaceOut], Carded):
    """Places that came back, the most cases first."""


@routes.get("/hotspots", responses=problems(404))
def show_hotspots(
    session: Transaction, actor: Viewer, search: OfAreas, level: Coverage = "micro_grid"
) -> HotspotsOut:
    """Show where more, or less, is reported than chance explains (Getis-Ord Gi*, queen neighbours, FDR)."""
    found = queries.gi(session, actor, level, search)
    return HotspotsOut(units=_rows(found), **_carded(found.card))


@routes.get("/hotspots/trend", responses=problems(404))
def show_emerging_hotspots(
    session: Transaction,
    actor: Viewer,
    search: OfAreas,
    level: Coverage = "micro_grid",
    step: Literal[*rules.STEPS] = "day",
    periods: Annotated[
        int | None, Query(ge=1, le=rules.MOST_PERIODS, description="How many, if `since` is not given.")
    ] = None,
) -> EmergingOut:
    """Show how hot spots came and went over days or weeks, up to the last day that is over: the 17 classes."""
    found = queries.trend(session, actor, level, search, step, periods)
    steps = found.steps
    units = _rows(found)
    for unit in units:
        unit["steps"] = steps.loc[unit["code"]].tolist()
    days = [str(each) for each in steps.columns] if steps is not None else []
    return EmergingOut(units=units, periods=days, **_carded(found.card))


@routes.get("/hotspots/rates", responses=problems(404))
def show_smoothed_rates(
    session: Transaction,
    actor: Viewer,
    search: OfAreas,
    level: Coverage = "micro_grid",
    base: Literal[*rules.BASES] = "households",
    minimum: Annotated[
        float | None, Query(ge=0, le=1e9, description="Smallest base of which anything is said.")
    ] = None,
) -> RatesOut:
    """Show cases per 100 households, per km² or per 100 patrol hours, smoothed, with the ranks by count and rate."""
    found = queries.rates(session, actor, level, search, base, minimum)
    return RatesOut(units=_rows(found), **_carded(found.card))


@routes.get("/hotspots/density", responses=problems(404))
def show_density(
    session: Transaction,
    actor: Viewer,
    search: OfAreas,
    bandwidth: Annotated[float, Query(ge=20, le=20_000, description="Metres.")] = rules.BANDWIDTH,
) -> DensityOut:
    """Show how densely cases lie, as areas between even steps."""
    found = queries.density(session, actor, search, bandwidth)
    return DensityOut(areas=json.loads(found.areas.to_json(drop_id=True)), **_carded(found.card))


@routes.get("/hotspots/repeat", responses=problems(404))
def list_repeat_places(
    session: Transaction,
    actor: Viewer,
    search: OfAreas,
    paging: Annotated[Paging[tuple[str, str]], Depends(paged("repeat", tuple[str, str]))],
    least: Annotated[int, Query(ge=2, le=1000, description="So many cases …")] = rules.REPEAT_LEAST,
    within: Annotated[int, Query(ge=1, le=3660, description="… within so many days.")] = rules.REPEAT_DAYS,
) -> PlacePage:
    """List buildings in which the same matter came up again and again."""
    found = queries.repeats(session, actor, search, least, within)
    rows = paging.behind(found.places, lambda each: each.key)
    told = _carded(found.card)
    return paging.page(
        lambda items, next: PlacePage(items=items, next=next, **told),
        rows,
        lambda each: each.key,
        lambda shown: [_place(each) for each in shown],
    )


def _carded(card: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "card": dict(card),
        "told": [CardLine(title=title, text=text) for title, text in words.told(card)],
    }


def _rows(found: Found) -> list[dict[str, Any]]:
    """Return the units as rows; what is no finite number is null."""
    table = found.units.reset_index(names="code").drop(columns=["lon", "lat"]).astype(object)
    rows = table.where(table.notna(), None).to_dict("records")
    return [{name: _finite(value) for name, value in row.items()} for row in rows]


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _place(place: Place) -> PlaceOut:
    return PlaceOut.model_validate(place, from_attributes=True)
