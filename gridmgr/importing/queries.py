"""Reads of the import desk: a file by its plan, checked against the map; and the batches."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from sqlalchemy import select
from sqlalchemy.orm import Session

from gis import datum
from gis.coverage import check
from gis.crs import to_storage
from gis.errors import BadInput, Problem
from gis.findings import collected, found
from gis.formats import layers, read_layer
from gis.ground import layers as layers_of
from gis.repair import repair
from gis.tables import MissingColumn, read_table
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import BUILDING, COVERAGES, LEVELS, GridUnit, NoEdition
from gridmgr.hierarchy.rules import Scheme, guess_scheme, parents_by_code, parents_by_place
from gridmgr.importing import rules
from gridmgr.importing.model import (
    BatchKind,
    BatchStatus,
    GridPlan,
    ImportBatch,
    IncidentPlan,
    LayerPlan,
    UnknownBatch,
)
from gridmgr.importing.rules import BLOCKING, Entry
from gridmgr.incident import queries as incident
from gridmgr.intake import service as intake
from gridmgr.settings import settings

TEXTS = ("code", "name", "parent_code", "land_use", "address")
NESTING = ("orphan", "child_outside", "wholly_elsewhere", "mostly_elsewhere", "partly_elsewhere")


@dataclass
class Grids:
    """A file of grids, read and checked, ready to be loaded."""

    levels: dict[str, gpd.GeoDataFrame]
    findings: gpd.GeoDataFrame
    moves: gpd.GeoDataFrame | None = None
    warnings: list[Problem] = field(default_factory=list)
    encodings: dict[str, str] = field(default_factory=dict)
    previews: dict[str, list[str]] = field(default_factory=dict)

    @property
    def blocking(self) -> gpd.GeoDataFrame:
        """The findings that forbid loading."""
        return self.findings[self.findings["kind"].isin(BLOCKING) & self.findings["level"].isin(self.levels)]


def read_grids(session: Session, path: Path, plan: GridPlan) -> Grids:
    """Read the layers of a file by its plan, repair them if asked, and find what is wrong.

    Raises
    ------
    BadInput
        The file cannot be read as the plan says; its subclasses name file, layer, row and reason.
    """
    read = Grids({}, gpd.GeoDataFrame())
    around = _around(session, plan)
    for layer in plan.layers:
        read.levels[layer.level] = _read_level(path, plan, layer, read)
    scheme = hierarchy.scheme(session) or guess_scheme(*_first(read.levels))
    known = around | read.levels
    for layer in plan.layers:
        read.levels[layer.level]["parent_code"] = _parents(scheme, layer, read.levels[layer.level], known)
    if plan.repair_m:
        _repair(read, around, plan.repair_m)
    read.findings = _findings(read.levels, around)
    if BUILDING in read.levels and BUILDING in around:
        misfit = datum.fit_layer(read.levels[BUILDING], around[BUILDING], "wgs84").problem
        read.warnings += [misfit] if misfit else []
    return read


def _around(session: Session, plan: GridPlan) -> dict[str, gpd.GeoDataFrame]:
    """Return the levels already there on the day of the plan, without those it brings."""
    brought = {layer.level for layer in plan.layers}
    try:
        hierarchy.edition_at(session)
    except NoEdition:
        return {}
    frames = {
        level: hierarchy.frame(session, level, plan.effective)
        for level in LEVELS
        if level not in brought or level == BUILDING
    }
    return {level: frame for level, frame in frames.items() if len(frame)}


def _read_level(path: Path, plan: GridPlan, layer: LayerPlan, read: Grids) -> gpd.GeoDataFrame:
    given = read_layer(path, layer.layer, encoding=plan.encoding, crs=plan.crs)
    read.encodings[layer.level], read.previews[layer.level] = given.encoding, given.preview
    read.warnings += given.warnings
    wanted = {"code": layer.code, "name": layer.name, **layer.attributes}
    if layer.parent:
        wanted["parent_code"] = layer.parent
    for column in wanted.values():
        if column not in given.frame:
            known = ", ".join(map(str, given.frame.columns.drop(given.frame.geometry.name)))
            raise MissingColumn(layer=given.layer, column=column, known=known)
    stored = to_storage(given.frame, plan.crs, plan.datum)
    columns = {ours: stored[theirs] for ours, theirs in wanted.items()}
    frame = gpd.GeoDataFrame(columns, geometry=stored.geometry, crs=stored.crs)
    for column in TEXTS:
        if column in frame:
            frame[column] = frame[column].map(_text).astype(object)
    frame["name"] = frame["name"].fillna(frame["code"]).astype(object)
    frame.index = pd.RangeIndex(1, len(frame) + 1, name="row")  # people count rows from one
    _check_lengths(given.layer, frame, wanted)
    return frame


def _check_lengths(layer: str, frame: gpd.GeoDataFrame, theirs: Mapping[str, str]) -> None:
    """Return if every text fits its column in the store; raises TooLong for the first that does not."""
    for ours in theirs:
        limit = getattr(GridUnit, ours).type.length if ours in TEXTS else None
        if limit is None:
            continue
        lengths = frame[ours].str.len().fillna(0)
        if (lengths > limit).any():
            row = lengths.index[lengths > limit][0]
            raise TooLong(layer=layer, row=row, column=theirs[ours], length=int(lengths[row]), limit=limit)


def _text(value: object) -> str | None:
    """Return a cell as text: no blanks around it, no decimals on a whole number, None when empty."""
    if pd.isna(value):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip() or None


def _first(levels: Mapping[str, gpd.GeoDataFrame]) -> tuple[str, pd.Series]:
    level = next(level for level in LEVELS if level in levels)
    return level, levels[level]["code"].dropna()


def _parents(
    scheme: Scheme, layer: LayerPlan, frame: gpd.GeoDataFrame, known: Mapping[str, gpd.GeoDataFrame]
) -> pd.Series:
    """Return each unit's parent: as its column says, else as its code says, else where it lies."""
    if layer.level == LEVELS[0]:
        return pd.Series([None] * len(frame), index=frame.index, dtype=object)
    if layer.parent:
        return frame["parent_code"]
    parents = known.get(LEVELS[LEVELS.index(layer.level) - 1])
    if parents is None:
        return pd.Series([None] * len(frame), index=frame.index, dtype=object)
    if layer.level != BUILDING:
        codes = frame["code"].fillna("")
        by_code = parents_by_code(scheme, layer.level, codes, set(parents["code"].dropna()))
        if by_code.isin(parents["code"]).any():
            return by_code
    return parents_by_place(frame, parents)


def _repair(read: Grids, around: Mapping[str, gpd.GeoDataFrame], tolerance_m: float) -> None:
    """Repair the coverages brought; coarser ones already there follow if they must."""
    brought = [level for level in COVERAGES if level in read.levels]
    if not brought:
        return
    coarser = COVERAGES[: COVERAGES.index(brought[-1])]
    together = {level: read.levels.get(level, around.get(level)) for level in (*coarser, brought[-1])}
    mended = repair({level: frame for level, frame in together.items() if frame is not None}, tolerance_m)
    read.moves = mended.moves
    moved = set(mended.moves["level"])
    read.levels |= {
        level: mended.levels[level] for level in mended.levels if level in read.levels or level in moved
    }


def _findings(
    levels: Mapping[str, gpd.GeoDataFrame], around: Mapping[str, gpd.GeoDataFrame]
) -> gpd.GeoDataFrame:
    """Return what is wrong with the new levels, and between them and the levels next to them."""
    first, last = (
        LEVELS.index(level) for level in (_first(levels)[0], [lv for lv in LEVELS if lv in levels][-1])
    )
    near = LEVELS[max(first - 1, 0) : last + 2]
    together = {level: levels.get(level, around.get(level)) for level in near}
    faults = check({level: frame for level, frame in together.items() if frame is not None})
    about_new = faults["level"].isin(levels)
    finer = (faults["level"] == near[-1]) & faults["kind"].isin(NESTING) & ~about_new
    parts = [_orphans(levels, together), faults[about_new], faults[finer]]  # the file's own faults first
    return gpd.GeoDataFrame(
        pd.concat([part for part in parts if len(part)] or [faults], ignore_index=True), crs=faults.crs
    )


def _orphans(levels: Mapping[str, gpd.GeoDataFrame], together: Mapping) -> gpd.GeoDataFrame:
    """Return a finding for each unit that names a parent although the level above has no unit at all."""
    parts = []
    for layer in layers_of(levels):
        above = LEVELS[LEVELS.index(layer.level) - 1]
        if layer.level in (LEVELS[0], BUILDING) or together.get(above) is not None:
            continue
        frame = levels[layer.level]
        lost = np.flatnonzero(frame["parent_code"].notna())
        places = frame.geometry.to_numpy()[lost]
        parts.append(found("orphan", layer, lost, places, other=frame["parent_code"].to_numpy()[lost]))
        alone = np.flatnonzero(frame["parent_code"].isna())
        parts.append(found("missing_parent", layer, alone, frame.geometry.to_numpy()[alone]))
    return collected(parts)


@dataclass
class Incidents:
    """A file of incidents, read and checked: the rows that can be filed, and what ails the others."""

    entries: list[Entry]
    problems: list[Problem]
    known: int
    rows: int
    warnings: list[Problem] = field(default_factory=list)


class TooLong(BadInput):
    """Layer {layer}, row {row}: column {column} has {length} characters; at most {limit} fit."""


class TooFar(BadInput):
    """Row {row}: the place lies {distance_km} km outside the district."""


def read_incidents(session: Session, path: Path, plan: IncidentPlan) -> Incidents:
    """Read a file of incidents by its mapping; every row that cannot be filed is named with its reason.

    Raises
    ------
    UnreadableTable, MissingColumn
        The file is no table, or lacks a column the mapping names.
    """
    table = read_table(path, plan.columns.values())
    entries, problems = rules.entries(table, plan)
    read = Incidents([], problems, 0, len(table))
    known = incident.by_source(session, plan.origin, [entry.report.source_id for entry in entries])
    read.known = len(known)
    fresh = [entry for entry in entries if entry.report.source_id not in known]
    if fresh:
        _place(session, read, fresh, plan)
    return read


def _place(session: Session, read: Incidents, fresh: list[Entry], plan: IncidentPlan) -> None:
    """Keep the rows whose place is in the district; name the others; look whether the datum fits."""
    reports = [entry.report for entry in fresh]
    placed = intake.place(session, reports)
    for entry, place in zip(fresh, placed.places, strict=True):
        if place["distance_m"] > settings().nearest_limit_m:
            read.problems.append(TooFar(row=entry.row, distance_km=round(place["distance_m"] / 1000, 1)))
        else:
            read.entries.append(entry)
    buildings = hierarchy.frame(session, BUILDING)
    declared = [[getattr(report, name) for report in reports] for name in ("lon", "lat")]
    misfit = datum.fit(*declared, buildings, plan.datum).problem if len(buildings) else None
    read.warnings += [misfit] if misfit else []


def inspect(path: Path) -> list[dict]:
    """Return what a map file holds, for the form that asks how to read it: layers, columns, a few names."""
    found = []
    for name in layers(path):
        read = read_layer(path, name)
        columns = [str(column) for column in read.frame.columns if column != read.frame.geometry.name]
        found.append(
            {
                "layer": name, "rows": len(read.frame), "columns": columns, "preview": read.preview,
                "encoding": read.encoding, "crs": str(read.frame.crs) if read.frame.crs else None,
            }
        )  # fmt: skip
    return found


def file_of(batch: ImportBatch) -> Path:
    """Return where a batch's file lies; its name keeps the suffix the person gave it."""
    return settings().home / "uploads" / batch.sha256 / batch.filename


def folder_of(batch: ImportBatch) -> Path:
    """Return where what was found about a batch is kept."""
    return settings().home / "imports" / str(batch.id)


def batches(
    session: Session, kinds: Iterable[BatchKind] = BatchKind, limit: int = 50, before: int | None = None
) -> list[ImportBatch]:
    """Return the latest batches of those kinds, the newest first, going on after the one with id `before`."""
    asked = select(ImportBatch).where(ImportBatch.kind.in_(list(kinds)))
    if before is not None:
        asked = asked.where(ImportBatch.id < before)
    return list(session.scalars(asked.order_by(ImportBatch.id.desc()).limit(limit)))


def batch(session: Session, batch_id: int) -> ImportBatch:
    """Return a batch.

    Raises
    ------
    UnknownBatch
    """
    found = session.get(ImportBatch, batch_id)
    if found is None:
        raise UnknownBatch(batch=batch_id)
    return found


def batch_in_hand(session: Session, batch_id: int, status: BatchStatus) -> ImportBatch | None:
    """Return a batch, locked, if it is still to be done; None, if another worker has done it."""
    found = session.get(ImportBatch, batch_id, with_for_update=True, populate_existing=True)
    return found if found is not None and found.status == status else None


def findings_of(batch: ImportBatch) -> gpd.GeoDataFrame | None:
    """Return the findings of a checked batch of grids, None if there are none to show."""
    path = folder_of(batch) / "findings.parquet"
    return gpd.read_parquet(path) if path.exists() else None
