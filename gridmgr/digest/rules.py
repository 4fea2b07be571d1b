"""The numbers of a digest, from frames of cases as they stood; spans of time. No session, no time of day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import takewhile
from typing import Any
from zoneinfo import ZoneInfo

import geopandas as gpd
import pandas as pd

from gridmgr.digest.model import Period, Span
from gridmgr.i18n import _, language, number, percent
from gridmgr.life.model import State
from gridmgr.life.rules import CLOSED, OPEN
from gridmgr.words import N_, word
from gridmgr.words.reports import LAST, THIS

MOST_CATEGORIES = 12
MOST_LONGEST = 10
FEW_DUE = 5  # with fewer cases due, a rate tells nothing: no rank
SURE = 2  # the class of a hot spot from which on it is 95 % sure

FLOW = ("reported", "accepted", "closed", "open", "overdue", "suspended")
"""What came in and went out in a span, and what was there at its end."""


@dataclass(frozen=True)
class Material:
    """What a paper is made of: its content, and what its maps are drawn from."""

    content: dict[str, Any]
    units: gpd.GeoDataFrame  # micro-grids with `count` and `klass`
    borders: gpd.GeoDataFrame  # of the areas below the subject
    cases: pd.DataFrame  # reported in the span, with lon and lat
    names: Mapping[int, str]  # of categories, in Chinese


def span(period: Period, day: date) -> Span:
    """Return the week or month of a day.

    >>> span(Period.MONTH, date(2026, 2, 9)).last
    datetime.date(2026, 2, 28)
    """
    if period is Period.WEEK:
        monday = day - timedelta(days=day.weekday())
        return Span(monday, monday + timedelta(days=6), period)
    first = day.replace(day=1)
    return Span(first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1), period)


def before(of: Span) -> Span:
    """Return the span just before one."""
    return span(of.period, of.first - timedelta(days=1))


def after(of: Span) -> Span:
    """Return the span just after one."""
    return span(of.period, of.last + timedelta(days=1))


def around(codes: Sequence[str]) -> str:
    """Return what codes begin with in common: the area that holds them all.

    >>> around(["510106001", "510106002"])
    '51010600'
    """
    pairs = zip(min(codes, default=""), max(codes, default=""), strict=False)
    return "".join(one for one, _other in takewhile(lambda pair: pair[0] == pair[1], pairs))


def days(of: Span) -> list[date]:
    """Return the days of a span."""
    return [of.first + timedelta(days=n) for n in range((of.last - of.first).days + 1)]


def within(times: pd.Series, begin: datetime, end: datetime) -> pd.Series:
    """Tell of each instant whether it lies from `begin` until before `end`; a missing one does not."""
    return (times >= begin) & (times < end)


def flow(cases: pd.DataFrame, begin: datetime, end: datetime, at: datetime) -> dict[str, int]:
    """Return what came in and went out between two instants, and what was there at `at`, by `FLOW`.

    Parameters
    ----------
    cases : DataFrame
        As they stood at `at`: ``state`` and the instants of being reported, accepted, due, closed, suspended.
    """
    is_open = cases["state"].isin(OPEN)
    suspended = cases["state"] == State.SUSPENDED
    late = is_open & ~suspended & (cases["due_at"] < at)
    found = {
        "reported": within(cases["reported_at"], begin, end),
        "accepted": within(cases["accepted_at"], begin, end),
        "closed": within(cases["closed_at"], begin, end) & cases["state"].isin(CLOSED),
        "open": is_open, "overdue": late, "suspended": suspended,
    }  # fmt: skip
    return {name: int(found[name].sum()) for name in FLOW}


def by_day(
    cases: pd.DataFrame, of: Span, begin: datetime, end: datetime, zone: ZoneInfo
) -> list[list[object]]:
    """Return of each day of a span how many cases were reported and closed on it, on the wall clock."""
    found = [
        _on_days(times[within(times, begin, end)], zone)
        for times in (cases["reported_at"], cases["closed_at"][cases["state"].isin(CLOSED)])
    ]
    return [[day.isoformat(), *(int(each.get(day, 0)) for each in found)] for day in days(of)]


def _on_days(times: pd.Series, zone: ZoneInfo) -> Mapping[date, int]:
    return times.dt.tz_convert(zone).dt.date.value_counts().to_dict() if len(times) else {}


def by_category(
    cases: pd.DataFrame, earlier: pd.DataFrame, begin: datetime, end: datetime, at: datetime
) -> list[dict[str, int]]:
    """Return of each category, the commonest first, how many were reported now and the span before, closed, late.

    `earlier` are the cases reported in the span before. Of many, the rarest are summed up as category 0.
    """
    rows = pd.DataFrame(
        {
            "category": cases["category_id"],
            "reported": within(cases["reported_at"], begin, end),
            "closed": within(cases["closed_at"], begin, end) & cases["state"].isin(CLOSED),
            "overdue": cases["state"].isin(OPEN) & (cases["state"] != State.SUSPENDED) & (cases["due_at"] < at),
        }
    )  # fmt: skip
    found = rows.groupby("category").sum().astype(int)
    found = found.assign(before=earlier["category_id"].value_counts()).fillna(0).astype(int)
    found = found[(found > 0).any(axis=1)].sort_values(["reported", "closed", "overdue"], ascending=False)
    shown = found.iloc[:MOST_CATEGORIES]
    if len(found) > MOST_CATEGORIES:
        rest = found.iloc[MOST_CATEGORIES:].sum().rename(0)
        shown = pd.concat([shown, rest.to_frame().T])
    return [{"category": int(key), **row} for key, row in shown.to_dict("index").items()]


def by_source(cases: pd.DataFrame, begin: datetime, end: datetime) -> dict[str, int]:
    """Return by which way the cases of a span came in, the commonest first."""
    counted = cases["source"][within(cases["reported_at"], begin, end)].value_counts()
    return {str(source): int(n) for source, n in counted.items()}


def ranked(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return areas with their rank by the on-time rate, the best first; those with few cases due have none.

    >>> rows = [{"code": "a", "counts": {"due": 9}, "rates": {"on_time_rate": 0.5}},
    ...         {"code": "b", "counts": {"due": 1}, "rates": {"on_time_rate": 1.0}},
    ...         {"code": "c", "counts": {"due": 9}, "rates": {"on_time_rate": 0.9}}]
    >>> [(row["code"], row["rank"]) for row in ranked(rows)]
    [('c', 1), ('a', 2), ('b', None)]
    """
    tells = [row for row in rows if row["counts"].get("due", 0) >= FEW_DUE]
    others = [row for row in rows if row["counts"].get("due", 0) < FEW_DUE]
    rate = sorted((row["rates"].get("on_time_rate") or 0.0 for row in tells), reverse=True)
    good = sorted(tells, key=lambda row: (-(row["rates"].get("on_time_rate") or 0.0), str(row["code"])))
    return [
        *(dict(row) | {"rank": rate.index(row["rates"].get("on_time_rate") or 0.0) + 1} for row in good),
        *(dict(row) | {"rank": None} for row in others),
    ]


def longest(cases: pd.DataFrame, at: datetime) -> list[dict[str, Any]]:
    """Return the cases open longest at an instant, the oldest first."""
    there = cases[cases["state"].isin(OPEN)].sort_values("reported_at").iloc[:MOST_LONGEST]
    return [
        {
            "number": row.number, "category": int(row.category_id), "state": str(row.state), "level": str(row.level),
            "codes": [code for code in (row.street_code, row.community_code, row.micro_grid_code) if _known(code)],
            "handler": row.handler if _known(row.handler) else "", "reported_at": row.reported_at.isoformat(),
            "days": (at - row.reported_at).days, "late": bool(row.due_at < at) if pd.notna(row.due_at) else False,
        }
        for row in there.itertuples()
    ]  # fmt: skip


def _known(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def called_bodies(rows: Sequence[tuple], at: datetime) -> dict[str, Any]:
    """Return how bodies had come by an instant, from (whistle, why, body, called, due, arrived) of each call.

    In time is who was there by the due time, late who came later, absent who is past it and has not come.
    """
    bodies: dict[str, dict[str, Any]] = {}
    for _whistle, _why, body, called_at, due_at, arrived_at in rows:
        there = arrived_at is not None and arrived_at <= at
        how = _how(there, arrived_at, due_at, at)
        told = bodies.setdefault(
            body, {"body": body, "called": 0, "in_time": 0, "late": 0, "absent": 0, "waiting": 0, "minutes": []}
        )  # fmt: skip
        told["called"] += 1
        told[how] += 1
        if there:
            told["minutes"].append((arrived_at - called_at).total_seconds() / 60)
    for told in bodies.values():
        told["minutes"] = round(sum(told["minutes"]) / len(told["minutes"]), 1) if told["minutes"] else None
    why = {row[0]: str(row[1]) for row in rows}
    kinds = {kind: list(why.values()).count(kind) for kind in sorted(set(why.values()))}
    worst = sorted(
        bodies.values(), key=lambda each: (each["in_time"] / each["called"], -each["called"], each["body"])
    )
    sums = {
        name: sum(each[name] for each in worst) for name in ("called", "in_time", "late", "absent", "waiting")
    }
    return {"blown": len(why), "kinds": kinds, "bodies": worst, **sums}


def _how(there: bool, arrived_at: datetime | None, due_at: datetime, at: datetime) -> str:
    if there:
        return "in_time" if arrived_at <= due_at else "late"
    return "absent" if due_at < at else "waiting"


def ordered(rows: Sequence[tuple[datetime, datetime | None]], at: datetime) -> dict[str, int]:
    """Return of orders, as (due, first answered), how many there are, were answered by an instant, and were late."""
    answered = [done is not None and done <= at for _due, done in rows]
    late = [(done > due if said else due < at) for (due, done), said in zip(rows, answered, strict=True)]
    return {"issued": len(rows), "answered": sum(answered), "late": sum(late)}


def change(now: float | None, then: float | None) -> float | None:
    """Return by which share a number has grown; None where there is nothing to compare.

    >>> change(108, 100), change(5, 0)
    (0.08, None)
    """
    return round(now / then - 1, 6) if now is not None and then else None


# ---- sentences -----------------------------------------------------------------------------------------

LEAST_RISE, RISE_SHARE = 3, 0.5  # more cases of a matter, and by how much more, before it is told of


def sentences(content: Mapping[str, Any]) -> list[str]:
    """Return what the numbers of a digest say, in plain sentences of the language that is spoken."""
    told = (each(content) for each in _SENTENCES)
    return [each for each in told if each]


def _came_in(content: Mapping[str, Any]) -> str:
    now, then, period = (
        content["flow"]["reported"],
        content["before"]["flow"]["reported"],
        content["period"]["kind"],
    )
    words = {"this": word(THIS, period), "last": word(LAST, period), "now": number(now), "then": number(then)}
    if not now and not then:
        return _("Nothing was reported {this}, nor {last}.", **words)
    if not then:
        return _("{now} cases were reported {this}; {last} there were none.", **words)
    if now == then:
        return _("{now} cases were reported {this}, as many as {last}.", **words)
    way = N_("{now} cases were reported {this}, {share} more than {last} ({then}).")
    if now < then:
        way = N_("{now} cases were reported {this}, {share} fewer than {last} ({then}).")
    return _(way, share=percent(abs(now / then - 1)), **words)


def _went_out(content: Mapping[str, Any]) -> str:
    flow = {name: number(n) for name, n in content["flow"].items()}
    if not content["flow"]["overdue"]:
        return _(
            "{closed} cases were closed; {open} were open at the end, none of them past its time.", **flow
        )
    return _(
        "{closed} cases were closed; {open} were open at the end, {overdue} of them past their time.", **flow
    )


def _in_time(content: Mapping[str, Any]) -> str:
    counts, rates = content["figures"]["counts"], content["figures"]["rates"]
    if not counts["due"]:
        return ""
    words = {name: number(counts[name]) for name in ("due", "closed", "closed_on_time")}
    words |= {name: percent(rates[name]) for name in ("closing_rate", "on_time_rate")}
    told = _(
        "Of the {due} cases of the period that were due, {closed} were closed ({closing_rate}), {closed_on_time} of "
        "them on time ({on_time_rate}).", **words,
    )  # fmt: skip
    then = content["before"]["figures"]["rates"]["on_time_rate"]
    if then is None:
        return told
    points = (rates["on_time_rate"] - then) * 100
    last = word(LAST, content["period"]["kind"])
    if abs(points) < 0.005:
        return joined(told, _("The on-time rate is that of {last}.", last=last))
    way = N_("The on-time rate is {points} percentage points higher than {last}.")
    if points < 0:
        way = N_("The on-time rate is {points} percentage points lower than {last}.")
    return joined(told, _(way, points=number(abs(points), 2), last=last))


def _matters(content: Mapping[str, Any]) -> str:
    rows = [row for row in content["categories"] if row["category"] and row["reported"]]
    if not rows:
        return ""
    top, reported = rows[0], content["flow"]["reported"]
    told = _(
        "Most were about {matter}: {n} cases, {share} of all.", matter=called(top), n=number(top["reported"]),
        share=percent(top["reported"] / reported),
    )  # fmt: skip
    rising = [row for row in rows if row["reported"] - row["before"] >= LEAST_RISE]
    rising = [row for row in rising if row["reported"] >= row["before"] * (1 + RISE_SHARE)]
    if not rising:
        return told
    most = max(rising, key=lambda row: row["reported"] - row["before"])
    words = {"matter": called(most), "then": number(most["before"]), "now": number(most["reported"])}
    return joined(told, _("What rose most: {matter}, from {then} to {now}.", **words))


def _areas(content: Mapping[str, Any]) -> str:
    told = [row for row in content["children"] if row["rank"] is not None]
    if len(told) < 2 or told[0]["rank"] == told[-1]["rank"]:
        return ""
    best, last = told[0], told[-1]
    return _(
        "The on-time rate is highest in {best} ({high}) and lowest in {worst} ({low}).", best=best["name"],
        high=percent(best["rates"]["on_time_rate"]), worst=last["name"], low=percent(last["rates"]["on_time_rate"]),
    )  # fmt: skip


def _loops(content: Mapping[str, Any]) -> str:
    rates = content["figures"]["rates"]
    if rates.get("community_rate") is None:
        return ""
    words = {name: percent(rates[name]) for name in ("community_rate", "street_rate")}
    return _("{community_rate} of the closed cases were closed within the community, {street_rate} within the street.",
             **words)  # fmt: skip


def _joint(content: Mapping[str, Any]) -> str:
    whistles, orders = content["whistles"], content["orders"]
    told = ""
    if whistles["blown"]:
        words = {name: number(whistles[name]) for name in ("blown", "called", "in_time")}
        told = _("{blown} whistles were blown; of {called} bodies called, {in_time} came in time.", **words)
    if not orders["issued"]:
        return told
    words = {name: number(orders[name]) for name in ("issued", "answered", "late")}
    order = _("{issued} supervision orders were issued: {answered} answered, {late} late.", **words)
    return joined(told, order) if told else order


def _hot(content: Mapping[str, Any]) -> str:
    found = content["hotspots"]
    if not found["units"]:
        return ""
    if not found["sure"]:
        return _("No micro-grid stands out as a hot spot.")
    sure = [each["name"] for each in found["hot"] if each["klass"] >= SURE]
    names = _(", ").join(sure[:3])
    told = N_("{n} micro-grids are hot spots, 95 % sure or surer; the strongest: {names}.")
    return _(told, n=number(found["sure"]), names=names)


def _oldest(content: Mapping[str, Any]) -> str:
    if not content["longest"]:
        return ""
    top = content["longest"][0]
    words = {"number": top["number"], "matter": called(top), "days": number(top["days"])}
    return _("Open longest is {number} ({matter}): {days} days.", **words)


_SENTENCES = (_came_in, _went_out, _in_time, _matters, _areas, _loops, _joint, _hot, _oldest)


def called(row: Mapping[str, Any]) -> str:
    """Return what the category of a row is called in the language that is spoken."""
    return str(row.get(f"category_{language.get()}") or row["category_zh"])


def joined(*told: str) -> str:
    """Return sentences one after the other, as the language that is spoken sets them."""
    return ("" if language.get() == "zh" else " ").join(told)
