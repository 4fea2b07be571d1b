"""What an edit leads to: what was left out when it was told is read, such as the next free code."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from gis.mending import WITHIN_M
from gridmgr.boundary_plan import rules as drawn
from gridmgr.boundary_plan.model import BoundaryPlan
from gridmgr.boundary_plan.rules import State
from gridmgr.grid_code import queries as codes
from gridmgr.hierarchy.model import COMMUNITY, MICRO_GRID
from gridmgr.plan_edit import rules
from gridmgr.plan_edit.model import (
    MOST_REPAIRED,
    EditIncomplete,
    NothingChanged,
    TooManyToRepair,
    UnknownCommunity,
)
from gridmgr.plan_edit.rules import Draft


def drafted(session: Session, plan: BoundaryPlan, before: State, kind: str, args: Mapping[str, Any]) -> Draft:
    """What an edit was told, with what was left out, and the plan it leads to."""
    rules.complete(kind, args)
    full = dict(args)
    if kind in _FILLED:
        full |= _FILLED[kind](session, before, full)
    parents = drawn.reparented(before.parents, full.get("parents", {}))
    return Draft(kind, full, rules.DRAW[kind](rules.locked(before, plan.locked), full), parents)


def _with_code(session: Session, before: State, it: Mapping[str, Any]) -> dict[str, Any]:
    """A new unit gets the next free code of its community unless one was told."""
    units = before.plan.units
    parent = it.get("parent") or (
        rules.under_ring(before, it["ring"]) if "ring" in it else units["parent_code"].get(it["code"])
    )
    if parent is None:
        return {"new": it.get("new") or "", "parent": None}  # the edit itself says what is wrong
    if it.get("new"):
        codes.refuse(session, it["new"], parent, units.index)
    return {
        "parent": parent,
        "new": it.get("new") or codes.free(session, parent, 1, before.plan.units.index)[0],
    }


def _with_other_code(session: Session, before: State, it: Mapping[str, Any]) -> dict[str, Any]:
    if it["code"] in before.plan.units.index and it["new"] != it["code"]:
        units = before.plan.units
        codes.refuse(session, it["new"], units.at[it["code"], "parent_code"], units.index)
    return {}


def _with_codes_of_parent(session: Session, before: State, it: Mapping[str, Any]) -> dict[str, Any]:
    """Units that come under another parent get codes of it, where codes carry their parent's."""
    if it["to"] in {each.street for each in before.parents.values()}:
        return _communities_to(session, before, list(dict.fromkeys(it["codes"])), it["to"])
    if not codes.carries(session, MICRO_GRID):
        return {}
    units = before.plan.units
    coming = [
        code for code in dict.fromkeys(it["codes"]) if units["parent_code"].get(code) not in (None, it["to"])
    ]
    return {"new": dict(zip(coming, codes.free(session, it["to"], len(coming), units.index), strict=True))}


def _communities_to(session: Session, before: State, going: list[str], street: str) -> dict[str, Any]:
    """Communities go to another street with all their micro-grids, which keep their own numbers."""
    units = before.plan.units
    taken = set(before.parents)
    told: dict[str, Any] = {"parents": {}, "new": {}, "under": {}}
    for code in going:
        if code not in before.parents:
            raise UnknownCommunity(code=code)
        name, home = before.parents[code]
        if home == street:
            continue
        new = (
            codes.free(session, street, 1, taken, COMMUNITY)[0] if codes.carries(session, COMMUNITY) else code
        )
        taken.add(new)
        told["parents"] |= {code: None} if new != code else {}
        told["parents"][new] = [name, street]
        for each in units.index[(units["parent_code"] == code).to_numpy()]:
            told["under"][each] = new
            if codes.carries(session, MICRO_GRID):
                told["new"][each] = new + each[len(code) :]
    if not told["under"]:
        raise NothingChanged
    return told


def _renumbering(session: Session, before: State, _it: Mapping[str, Any]) -> dict[str, Any]:
    born = {code for code, fate in before.fate.items() if fate == "new"}
    others = before.plan.units.index.difference(list(born))
    new = rules.in_order(before, lambda parent, many: codes.free(session, parent, many, others))
    if not new:
        raise NothingChanged
    return {"new": new}


def _with_plain_name(_session: Session, _before: State, it: Mapping[str, Any]) -> dict[str, Any]:
    if not (name := drawn.on_one_line(it["name"])):
        raise EditIncomplete(kind="rename", what="name")
    return {"name": name}


def _repairable(_session: Session, before: State, it: Mapping[str, Any]) -> dict[str, Any]:
    chosen = list(it.get("codes") or before.numbers.index)
    if len(chosen) > MOST_REPAIRED:
        raise TooManyToRepair(number=len(chosen), most=MOST_REPAIRED)
    rules.within_reach(it.get("within_m", WITHIN_M))
    return {"codes": chosen}


_FILLED = {
    "split": _with_code, "found": _with_code, "recode": _with_other_code, "transfer": _with_codes_of_parent,
    "renumber": _renumbering, "repair": _repairable, "rename": _with_plain_name,
}  # fmt: skip
