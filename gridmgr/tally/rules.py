"""What may be left out of what is due, and which terms of figures make sense."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from types import UnionType
from typing import Any

from gridmgr.tally.model import BadFigureTerms, Terms

# What a district, or a reader, may leave out of what is due, each with what it says on the page.
EXCLUSIONS = {
    "suspended": "suspended now: the clock stands still",
    "voided": "voided after it was accepted",
    "merged": "merged into another one",
    "unclocked": "without a time limit, as what is settled on the spot",
}
NOTHING = "nothing"  # in an address: leave out nothing, whatever the district does
WEIGHTED = ("response_rate", "resolution_rate", "satisfaction_rate")  # 响应率 解决率 满意率


def left_out(asked: Iterable[str], usual: tuple[str, ...]) -> tuple[str, ...]:
    """Return what is left out: what a reader asked for, or what the district does if nothing was asked.

    >>> left_out(("suspended", "no such"), ("voided",)), left_out((), ("voided",)), left_out(("nothing",), ("voided",))
    (('suspended',), ('voided',), ())
    """
    asked = set(asked)
    if not asked & {NOTHING, *EXCLUSIONS}:
        return usual
    return tuple(name for name in EXCLUSIONS if name in asked)


def terms_of(stored: Mapping[str, Any]) -> Terms:
    """Return terms from what is stored, or was typed as such; what is missing is as the product comes.

    Raises
    ------
    BadFigureTerms
        There is no such term; a value is none of the words, or beyond its limits.
    """
    usual = plain(Terms())
    for name in stored.keys() - usual.keys():
        raise BadFigureTerms(field=str(name)[:20], value=str(stored[name])[:20], expected=", ".join(usual))
    given = usual | dict(stored)
    _words("without", given["without"], list | tuple, EXCLUSIONS)
    weights = _weights(given["weights"])
    _within("satisfied_from", given["satisfied_from"], 1, 5)
    if given["satisfied_from"] != int(given["satisfied_from"]):
        raise BadFigureTerms(field="satisfied_from", value=given["satisfied_from"], expected="1, 2, 3, 4, 5")
    _within("response_hours", given["response_hours"], 0.25, 720)
    return Terms(
        without=tuple(name for name in EXCLUSIONS if name in given["without"]),
        satisfied_from=int(given["satisfied_from"]),
        response_hours=float(given["response_hours"]),
        weights=weights,
    )


def _weights(given: object) -> dict[str, float]:
    _words("weights", given, Mapping, WEIGHTED)
    weights = {name: given.get(name, 0) for name in WEIGHTED}
    for name, value in weights.items():
        _within(name, value, 0, 1)
    if abs(sum(weights.values()) - 1) > 1e-9:
        raise BadFigureTerms(field="weights", value=f"{sum(weights.values()):g}", expected="Σ = 1")
    return weights


def plain(terms: Terms) -> dict[str, Any]:
    """Return terms as they are stored."""
    return asdict(terms) | {"without": list(terms.without), "weights": dict(terms.weights)}


def _words(field: str, given: object, kind: type | UnionType, known: Iterable[str]) -> None:
    known = tuple(known)
    wrong = [each for each in given if each not in known] if isinstance(given, kind) else [given]
    for each in wrong:
        raise BadFigureTerms(field=field, value=str(each)[:20], expected=", ".join(known))


def _within(name: str, value: object, low: float, high: float) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not low <= value <= high:
        raise BadFigureTerms(field=name, value=str(value)[:20], expected=f"{low:g}-{high:g}")
