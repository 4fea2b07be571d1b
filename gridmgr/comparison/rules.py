"""Pure decisions of comparisons: periods that make sense, fates over several editions, rows of two sides."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta

from gridmgr.comparison.model import EndsBeforeItBegins, Measure, NotYet, Period, Row, Side

SORTS = ("name", "first", "second", "difference", "share")
RANK = ("renamed", "redrawn", "reshaped", "retired", "new")  # of several fates of a unit the last one is told


def checked(period: Period, today: date) -> Period:
    """Return a period that can be compared.

    Raises
    ------
    EndsBeforeItBegins, NotYet
    """
    if period.until < period.since:
        raise EndsBeforeItBegins(since=period.since, until=period.until)
    if period.since > today:
        raise NotYet(since=period.since)
    return period


def usual(today: date) -> tuple[Period, Period]:
    """Return last week and this one as far as it has come.

    >>> usual(date(2026, 11, 25))[1]
    Period(since=datetime.date(2026, 11, 23), until=datetime.date(2026, 11, 25))
    """
    monday = today - timedelta(days=today.weekday())
    return Period(monday - timedelta(weeks=1), monday - timedelta(days=1)), Period(monday, today)


def lately(today: date) -> Period:
    """Return the last 90 days, by whose cases two editions are compared.

    >>> lately(date(2026, 11, 25)).since
    datetime.date(2026, 8, 28)
    """
    return Period(today - timedelta(days=89), today)


def fates(steps: Iterable[tuple[str, str | None, str | None]]) -> dict[str, str]:
    """Return what became of each unit over several editions, from (kind, old code, new code) in order of time.

    What was new and is gone again was on neither side, and is left out.

    >>> fates([("new", None, "a"), ("renamed", "b", "b"), ("retired", "a", None), ("reshaped", "b", "b")])
    {'b': 'reshaped'}
    """
    found: dict[str, str] = {}
    for kind, old, new in steps:
        code = new or old
        if kind not in RANK or code is None:
            continue
        if kind == "retired" and found.get(code) == "new":
            del found[code]
        elif code not in found or RANK.index(kind) > RANK.index(found[code]):
            found[code] = kind
    return found


def origins(
    steps: Iterable[tuple[str, str | None, str | None, float | None]],
) -> dict[str, tuple[tuple[str, float], ...]]:
    """Return whose ground each unit got, and the share of the old unit's area, the largest first."""
    found: dict[str, list[tuple[str, float]]] = {}
    for kind, old, new, share in steps:
        if kind == "passed" and old and new:
            found.setdefault(new, []).append((old, share or 0.0))
    return {code: tuple(sorted(each, key=lambda one: -one[1])) for code, each in found.items()}


def paired(
    first: Side, second: Side, measure: Measure, names: Mapping[str, str],
    there: tuple[Collection[str], Collection[str]],
    changed: Mapping[str, str] | None = None, ground: Mapping[str, tuple[tuple[str, float], ...]] | None = None,
) -> list[Row]:  # fmt: skip
    """Return a row for each unit that counts anything on either side, or has changed between them, by code.

    `there` holds the codes of both maps: a unit that was not on one has no value there, not nought.
    """
    changed, ground = changed or {}, ground or {}
    codes = first.counts.keys() | second.counts.keys() | changed.keys()

    def value(side: Side, known: Collection[str], code: str | None) -> int | None:
        if code in side.counts:
            return side.counts[code][measure]
        return 0 if code is None or code in known else None

    return [
        Row(
            code, names.get(code), value(first, there[0], code), value(second, there[1], code),
            changed.get(code), ground.get(code, ()),
        )
        for code in sorted(codes, key=lambda each: each or "")
    ]  # fmt: skip


def ordered(rows: Iterable[Row], sort: str) -> list[Row]:
    """Return rows by a column, a leading minus from large to small; what has no value stands last."""
    rows, column, sign = list(rows), sort.lstrip("-"), -1 if sort.startswith("-") else 1
    if column == "name":
        return sorted(rows, key=lambda row: row.name or "", reverse=sign < 0)
    if column not in SORTS:
        return rows
    values = {id(row): getattr(row, column) for row in rows}
    return sorted(rows, key=lambda row: (values[id(row)] is None, sign * (values[id(row)] or 0)))
