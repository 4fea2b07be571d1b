"""The forms that ask how a file is to be read, filled with what its columns let us guess."""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path

import pandas as pd
from sqlalchemy.orm import Session

from gis.tables import read_table
from gridmgr import clock
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import LEVELS
from gridmgr.importing import queries, rules
from gridmgr.importing.model import BadMapping, GridPlan, ImportBatch, IncidentPlan, LayerPlan
from gridmgr.importing.rules import ATTRIBUTES, KNOWN_COLUMNS, REQUIRED_COLUMNS
from gridmgr.life.model import Source, State
from gridmgr.settings import settings

STATUS_LIMIT = 60  # more different values than this are no column of statuses


@lru_cache(maxsize=16)
def layers_of(path: Path) -> list[dict]:
    """Return what a map file holds; a file is named by its content, so it is looked at once."""
    return queries.inspect(path)


@lru_cache(maxsize=4)
def table_of(path: Path) -> pd.DataFrame:
    """Return a table of incidents, read once."""
    return read_table(path)


def grid_form(session: Session, batch: ImportBatch, given: Mapping[str, str]) -> dict:
    """Return the form of a map file: for each level its layer and columns, guessed or as chosen before."""
    layers = layers_of(queries.file_of(batch))
    before = given or _from_plan(batch.plan)
    levels = [_level_form(level, layers, before) for level in LEVELS]
    return {
        "layers": layers,
        "levels": levels,
        "given": {
            "datum": before.get("datum", ""), "encoding": before.get("encoding", "auto"),
            "crs": before.get("crs", ""), "effective": before.get("effective") or clock.today().isoformat(),
            "repair_m": before.get("repair_m", "0"), "title": before.get("title", ""),
        },
        "needs_crs": any(layer["crs"] is None for layer in layers),
        "first": not hierarchy.editions(session),
    }  # fmt: skip


def _level_form(level: str, layers: list[dict], before: Mapping[str, str]) -> dict:
    names = [layer["layer"] for layer in layers]
    only = names[0] if len(names) == 1 and level == _level_of_single(layers[0]) else None
    layer = (
        before[f"{level}.layer"]
        if f"{level}.layer" in before
        else (rules.guess_layer(names, level) or only or "")
    )
    found = next((each for each in layers if each["layer"] == layer), None)
    columns = found["columns"] if found else []
    guessed = rules.guess_columns(columns, level) if found else {}
    fields = ("code", "name", "parent", *ATTRIBUTES)
    chosen = {field: before.get(f"{level}.{field}", guessed.get(field, "")) for field in fields}
    chosen = {field: value if value in columns else guessed.get(field, "") for field, value in chosen.items()}
    return {
        "level": level,
        "layer": layer if found else "",
        "found": found,
        "columns": columns,
        "chosen": chosen,
    }


def _level_of_single(layer: dict) -> str:
    """Return which level a file with one layer probably is: by its name, else by how many rows it has."""
    for level in LEVELS:
        if rules.guess_layer([layer["layer"]], level):
            return level
    return next(
        (level for level, most in zip(LEVELS, (60, 600, 12_000), strict=False) if layer["rows"] <= most),
        LEVELS[-1],
    )


def _from_plan(plan: dict) -> dict[str, str]:
    """Return a stored plan as the form's fields."""
    if not plan:
        return {}
    flat = {
        name: str(plan[name] if plan[name] is not None else "")
        for name in ("datum", "encoding", "crs", "effective", "repair_m", "title")
    }
    flat |= {f"{level}.layer": "" for level in LEVELS}
    for layer in plan["layers"]:
        chosen = {
            "layer": layer["layer"],
            "code": layer["code"],
            "name": layer["name"],
            "parent": layer["parent"],
        }
        flat |= {
            f"{layer['level']}.{field}": value or ""
            for field, value in (chosen | layer["attributes"]).items()
        }
    return flat


def grid_plan(batch: ImportBatch, given: Mapping[str, str]) -> GridPlan:
    """Return the plan the form describes; raises BadMapping with what is missing."""
    layers = tuple(_layer_plan(batch, level, given) for level in LEVELS if given.get(f"{level}.layer"))
    if not layers:
        raise BadMapping(field="level", reason="missing")
    if not given.get("datum"):
        raise BadMapping(field="datum", reason="missing")
    try:
        effective, repair = date.fromisoformat(given.get("effective", "")), float(given.get("repair_m") or 0)
    except ValueError:
        raise BadMapping(field="effective, repair_m", reason="missing") from None
    if not 0 <= repair <= 50:
        raise BadMapping(field="repair_m", reason="0 … 50")
    return GridPlan(
        layers, given["datum"], effective, given.get("encoding") or "auto", given.get("crs") or None, repair,
        given.get("title", "")[:200],
    )  # fmt: skip


def _layer_plan(batch: ImportBatch, level: str, given: Mapping[str, str]) -> LayerPlan:
    chosen = {
        field: given.get(f"{level}.{field}") or None for field in ("code", "name", "parent", *ATTRIBUTES)
    }
    for field in ("code", "name"):
        if not chosen[field]:
            raise BadMapping(field=f"{level}.{field}", reason="missing")
    attributes = {field: chosen[field] for field in ATTRIBUTES if chosen[field]}
    return LayerPlan(
        level, chosen["code"], chosen["name"], chosen["parent"], given[f"{level}.layer"], attributes
    )


def incident_form(session: Session, batch: ImportBatch, given: Mapping[str, str]) -> dict:
    """Return the form of a file of incidents: columns and statuses, guessed or as chosen before."""
    table = table_of(queries.file_of(batch))
    plan = batch.plan or {}
    known = given or _from_incident_plan(plan)
    guessed = known or rules.guess_incident_columns(table.columns)
    columns = {field: guessed.get(field, "") for field in KNOWN_COLUMNS}
    status = columns["status"]
    values = Counter(table[status].str.strip()) if status in table else Counter()
    statuses = [
        (value, number, known.get(f"status.{value}") or rules.guess_state(value) or "")
        for value, number in values.most_common(STATUS_LIMIT)
    ]
    general = {
        "origin": known.get("origin") or Path(batch.filename).stem[:40], "datum": known.get("datum", ""),
        "zone": known.get("zone") or settings().time_zone, "source": known.get("source", "system"),
    }  # fmt: skip
    return {
        "table": list(table.columns), "rows": len(table), "columns": columns, "required": REQUIRED_COLUMNS,
        "statuses": statuses, "given": general, "states": list(State), "sources": list(Source),
        "sample": table.head(3).to_dict("records"), "pasted": known.get("by") == "toml",
        "toml": known.get("toml")
        or as_toml(
            general, columns, {value: state for value, _, state in statuses}, plan.get("categories", {})
        ),
    }  # fmt: skip


def _from_incident_plan(plan: dict) -> dict[str, str]:
    if not plan:
        return {}
    flat = {name: plan[name] for name in ("origin", "datum", "zone", "source")} | plan["columns"]
    return flat | {f"status.{value}": state for value, state in plan["statuses"].items()}


def incident_plan(given: Mapping[str, str]) -> IncidentPlan:
    """Return the plan the form describes, by its fields or by its TOML; raises BadMapping."""
    if given.get("by") == "toml":
        return rules.incident_plan(given.get("toml", ""))
    columns = {field: given[field] for field in KNOWN_COLUMNS if given.get(field)}
    statuses = {
        name.removeprefix("status."): state for name, state in given.items() if name.startswith("status.")
    }
    general = {name: given.get(name, "") for name in ("origin", "datum", "zone", "source")}
    return rules.incident_plan(as_toml(general, columns, statuses if "status" in columns else {}, {}))


def as_toml(general: dict, columns: dict, statuses: dict, categories: dict) -> str:
    """Return a mapping as TOML; a JSON text is a TOML text."""
    lines = [f"{name} = {_text(value)}" for name, value in general.items() if value]
    for title, entries in (("columns", columns), ("statuses", statuses), ("categories", categories)):
        if entries:
            lines += [
                "",
                f"[{title}]",
                *(f"{_text(key)} = {_text(value)}" for key, value in entries.items() if value),
            ]
    return "\n".join(lines) + "\n"


def _text(value: object) -> str:
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
