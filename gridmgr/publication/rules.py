"""Pure decisions of publications: which step may follow which, what is asked whom, what a plan makes of the map."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.findings import KINDS
from gis.ground import united
from gridmgr.account.rules import Actor, can
from gridmgr.boundary_plan.rules import Parent
from gridmgr.hierarchy.model import COMMUNITY
from gridmgr.hierarchy.rules import Scheme
from gridmgr.publication.model import (
    LONGEST_NOTE,
    Deed,
    NoteUnfit,
    NotNow,
    Publication,
    State,
)
from gridmgr.terms.model import Term
from gridmgr.words import N_

TRANSITIONS: Mapping[tuple[State | None, Deed], State] = {
    (None, Deed.SUBMIT): State.CHECKED,
    (State.CHECKED, Deed.ANNOUNCE): State.NOTICE,
    (State.NOTICE, Deed.CONSULT): State.CONSULTING,
    (State.CONSULTING, Deed.CONSULT): State.CONSULTING,  # opinions that lapsed are asked for again
    (State.CONSULTING, Deed.HEAR): State.CONSULTING,
    (State.CONSULTING, Deed.STOP): State.STOPPED,
    (State.CONSULTING, Deed.APPROVE): State.APPROVED,
    (State.APPROVED, Deed.APPROVE): State.APPROVED,  # for another day
    (State.APPROVED, Deed.REBASE): State.APPROVED,
    (State.APPROVED, Deed.FAIL): State.APPROVED,
    (State.APPROVED, Deed.PUBLISH): State.PUBLISHED,
    (State.PUBLISHED, Deed.RECALL): State.APPROVED,  # for another day, or to be taken back
    **{
        (each, Deed.WITHDRAW): State.WITHDRAWN
        for each in (State.CHECKED, State.NOTICE, State.CONSULTING, State.APPROVED)
    },
}
"""The state after a step; what is not here cannot be done."""

TERMS = {
    "notice_days": Term(N_("Days a plan is on public notice"), 7, 0, 90, whole=True),
    "comments": Term(N_("Comments one address may send within an hour"), 5, 1, 100, whole=True),
}
MATTER = "publication"
BACK = frozenset({State.STOPPED, State.WITHDRAWN})  # the plan is a draft again
SAME_GROUND = 1e-9  # of a unit's area: less is rounding

CODES = {
    "code_unfit": N_(
        "The code {code} does not fit the scheme of codes, or does not begin as that of {other}."
    ),
    "code_retired": N_("The code {code} was retired before; a retired code is never used again."),
}
"""Findings on codes, beside those of `gis.findings` on ground."""


def after(state: State | None, deed: Deed) -> State:
    """Return the state a step leads to.

    Raises
    ------
    NotNow

    >>> after(State.CHECKED, Deed.ANNOUNCE)
    <State.NOTICE: 'notice'>
    """
    found = TRANSITIONS.get((state, deed))
    if found is None:
        raise NotNow(state=state or "-")
    return found


def allowed(state: State) -> list[Deed]:
    """Return the steps that may follow a state."""
    return [deed for (at, deed) in TRANSITIONS if at == state]


def may_withdraw(actor: Actor, found: Publication) -> bool:
    """Tell whether somebody may take a plan back: whoever submitted it, or may approve it."""
    mine = actor.id is not None and actor.id == found.submitted_by
    return bool(can(actor, "plan.draw" if mine else "plan.approve", found.area_code))


def reason(note: str) -> str:
    """Return a reason that was given.

    Raises
    ------
    NoteUnfit
    """
    note = note.strip()
    if not 0 < len(note) <= LONGEST_NOTE:
        raise NoteUnfit(most=LONGEST_NOTE)
    return note


def codes_amiss(
    units: gpd.GeoDataFrame, scheme: Scheme | None, level: str, used: Collection[str]
) -> list[dict]:
    """Return findings on the codes of new units: `used` are those somebody had before."""
    length = (scheme and scheme.parent_length.get(level)) or 0
    amiss = []
    for code, parent in units["parent_code"].items():
        if (scheme and not scheme.fits(level, code)) or code[:length] != (parent or "")[:length]:
            amiss.append(_finding("code_unfit", level, code, other=parent))
        elif code in used:
            amiss.append(_finding("code_retired", level, code))
    return amiss


def _finding(kind: str, level: str, code: str, **more: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "severity": "error",
        "level": level,
        "code": code,
        "other": None,
        "detail": {},
    } | more


def told(findings: gpd.GeoDataFrame, about: Collection[str]) -> list[dict[str, Any]]:
    """Return the findings that name one of some codes, as they are kept; each once."""
    if findings.empty:
        return []
    named = findings["code"].isin(about) | findings["other"].isin(about)
    columns = ["kind", "severity", "level", "code", "other", "area_m2", "size_m", "detail"]
    rows = pd.DataFrame(findings.loc[named, columns]).astype(object)
    return rows.where(rows.notna(), None).to_dict("records")


def sentence(finding: Mapping[str, Any]) -> str:
    """Return the untranslated sentence of a finding."""
    return CODES.get(finding["kind"]) or KINDS[finding["kind"]][1]


def outlines(old: gpd.GeoDataFrame, was: gpd.GeoDataFrame, now: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return those units of a level whose ground is another one, with the union of their children.

    `old` holds code and attributes; `was` and `now` their children, by `parent_code`.
    """
    rows = []
    for n, code in enumerate(old["code"]):
        before, later = (
            each.geometry.to_numpy()[(each["parent_code"] == code).to_numpy()] for each in (was, now)
        )
        if len(later):
            ground, former = (united(each) for each in (later, before))
            off = shapely.area(shapely.symmetric_difference(ground, former))
            if off > SAME_GROUND * shapely.area(former):
                rows.append((n, ground))
    chosen = old.iloc[[n for n, _ in rows]]
    return chosen.set_geometry(np.array([each for _, each in rows], dtype=object), crs=old.crs)


def loosened(beside: gpd.GeoDataFrame, redrawn: gpd.GeoDataFrame, now: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the units beside redrawn ones whose edges do not match them, with the union of their children.

    On a map without a fault there are none; on one whose levels were drawn apart they must follow, too.
    """
    ground = np.append(redrawn.geometry.to_numpy(), beside.geometry.to_numpy())
    off = ~shapely.is_empty(shapely.coverage_invalid_edges(ground))[len(redrawn) :]
    chosen = beside[off]
    children = [now.geometry.to_numpy()[(now["parent_code"] == code).to_numpy()] for code in chosen["code"]]
    return chosen.set_geometry(np.array([united(each) for each in children], dtype=object), crs=beside.crs)


def born(base: Mapping[str, Parent], now: Mapping[str, Parent], units: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the communities that a plan makes, with the union of their children by `parent_code`."""
    rows = [
        (code, each.name, each.street, united(units.geometry.to_numpy()[(units["parent_code"] == code).to_numpy()]))
        for code, each in now.items()
        if code not in base and (units["parent_code"] == code).any()
    ]  # fmt: skip
    codes, names, streets, ground = zip(*rows, strict=True) if rows else ((),) * 4
    told = {"level": COMMUNITY, "code": codes, "name": names, "parent_code": streets}
    return gpd.GeoDataFrame(told, geometry=list(ground), crs="EPSG:4326")


def parties(base: Mapping[str, str], now: Mapping[str, str], touched: Iterable[str]) -> set[str]:
    """Return the parents of touched units, as they were and as they are to be."""
    return {parent for code in touched for parent in (base.get(code), now.get(code)) if parent}


def drawn_since(made: gpd.GeoDataFrame, there: gpd.GeoDataFrame) -> list[str]:
    """Return the codes of units that are no longer as a publication made them; both by code."""
    off = set(made.index) ^ set(there.index)
    both = made.index.intersection(there.index)
    for name in ("name", "parent_code"):
        ours, theirs = (each.loc[both, name].fillna("").to_numpy() for each in (made, there))
        off |= set(both[ours != theirs])
    grounds = (each.loc[both].geometry.to_numpy() for each in (made, there))
    ours, theirs = (shapely.normalize(each) for each in grounds)
    apart = ~(shapely.equals_exact(ours, theirs, 1e-12) | shapely.is_missing(ours))
    gone = shapely.area(shapely.symmetric_difference(ours[apart], theirs[apart]))
    off |= set(both[apart][gone > SAME_GROUND * shapely.area(ours[apart])])
    return sorted(off)
