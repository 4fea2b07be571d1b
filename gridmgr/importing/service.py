"""Verbs of the import desk: take a file, check it, and load all of it or nothing. They never commit."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from typing import Any, BinaryIO

from sqlalchemy.orm import Session

from gis.errors import Problem
from gis.findings import KINDS
from gridmgr import clock, jobs
from gridmgr.account import queries as accounts
from gridmgr.account.rules import Actor, require
from gridmgr.category import queries as matters
from gridmgr.category import service as matters_service
from gridmgr.hierarchy import service as hierarchy
from gridmgr.hierarchy.service import Loaded
from gridmgr.importing import queries, rules
from gridmgr.importing.model import (
    BatchKind,
    BatchNotReady,
    BatchStatus,
    CrossedOutlines,
    FaultyLayer,
    GridPlan,
    ImportBatch,
    IncidentPlan,
    LayerPlan,
)
from gridmgr.importing.queries import Grids, Incidents
from gridmgr.importing.rules import Entry
from gridmgr.intake import service as intake
from gridmgr.settings import settings
from gridmgr.words import FINDINGS

MAY = {BatchKind.GRIDS: "grid.import", BatchKind.INCIDENTS: "incident.import"}
CHUNK = 1 << 20


def load_grids(session: Session, actor: Actor, plan: GridPlan, read: Grids) -> Loaded:
    """Load what was read, all of it or nothing.

    Raises
    ------
    FaultyLayer
        A fault the map cannot hold; names the first row, its code and the kind of fault.
    BackdatedEdition
        A later edition exists already.
    NotGranted
    """
    require(actor, "grid.import")
    if len(read.blocking):
        first = read.blocking.iloc[0]
        mendable = set(read.blocking["kind"]) == {"invalid_ring"}
        raise (CrossedOutlines if mendable else FaultyLayer)(
            level=first["level"],
            count=len(read.blocking),
            row=first["row"],
            code=first["code"] or "∅",
            reason=FINDINGS[first["kind"]],
        )
    return hierarchy.load(session, read.levels, plan.effective, plan.title)


def load_incidents(session: Session, actor: Actor, plan: IncidentPlan, read: Incidents) -> list[int]:
    """File the rows that were read, each with the state the other system gave it; returns their ids.

    Rows known by their source id are not filed again.

    Raises
    ------
    NotGranted
    """
    require(actor, "incident.import")
    categories = _categories(session, plan, read.entries)
    reports = [rules.with_category(entry.report, categories[entry.category]) for entry in read.entries]
    return intake.report_many(session, actor, reports, [entry.adopted for entry in read.entries])


def _categories(session: Session, plan: IncidentPlan, entries: Iterable[Entry]) -> dict[str, int]:
    """Return category ids by code: ours where the mapping leads there, else the other system's own."""
    ours = {category.code: category.id for category in matters.in_force(session)}
    names = {entry.category: entry.category_name for entry in entries if entry.category not in ours}
    if not names:
        return ours
    first = min(entry.report.reported_at for entry in entries).date()
    return ours | matters_service.adopt(session, plan.origin, first, names)


def receive(session: Session, actor: Actor, kind: BatchKind, filename: str, content: BinaryIO) -> ImportBatch:
    """Keep an uploaded file under the hash of its content, and open a batch for it.

    Raises
    ------
    NotGranted
    """
    require(actor, MAY[kind])
    name = rules.safe_name(filename)
    uploads = settings().home / "uploads"
    uploads.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with tempfile.NamedTemporaryFile(dir=uploads, delete=False) as part:
        while chunk := content.read(CHUNK):
            part.write(chunk)
            digest.update(chunk)
            size += len(chunk)
    folder = uploads / digest.hexdigest()
    folder.mkdir(exist_ok=True)
    os.replace(part.name, folder / name)
    batch = ImportBatch(
        kind=kind, filename=name, sha256=digest.hexdigest(), size=size, status=BatchStatus.UPLOADED, plan={},
        report={}, created_by=actor.id, created_at=clock.now(),
    )  # fmt: skip
    session.add(batch)
    session.flush()  # the caller shows its number
    return batch


def ask_check(session: Session, actor: Actor, batch_id: int, plan: GridPlan | IncidentPlan) -> ImportBatch:
    """Say how to read a batch, and let the worker check it; nothing is loaded yet.

    Raises
    ------
    UnknownBatch, NotGranted
    BatchNotReady
        It is being worked on, or loaded already.
    """
    batch = queries.batch(session, batch_id)
    require(actor, MAY[BatchKind(batch.kind)])
    if batch.status not in (BatchStatus.UPLOADED, BatchStatus.CHECKED, BatchStatus.FAILED):
        raise BatchNotReady(batch=batch_id, status=batch.status)
    batch.plan, batch.status, batch.error = _plain(asdict(plan)), BatchStatus.CHECKING, None
    jobs.defer(session, jobs.CHECK_BATCH, lock=f"batch-{batch_id}", batch_id=batch_id)
    return batch


def ask_load(session: Session, actor: Actor, batch_id: int) -> ImportBatch:
    """Let the worker load a checked batch.

    Raises
    ------
    UnknownBatch, NotGranted
    BatchNotReady
        It has not been checked, or is loaded already.
    """
    batch = queries.batch(session, batch_id)
    require(actor, MAY[BatchKind(batch.kind)])
    if batch.status != BatchStatus.CHECKED:
        raise BatchNotReady(batch=batch_id, status=batch.status)
    batch.status = BatchStatus.LOADING
    jobs.defer(session, jobs.LOAD_BATCH, lock=f"batch-{batch_id}", batch_id=batch_id)
    return batch


def check_batch(session: Session, batch_id: int) -> None:
    """Read and check a batch, and keep what was found; the worker's half of `ask_check`, done once."""
    batch = queries.batch_in_hand(session, batch_id, BatchStatus.CHECKING)
    if batch is None:
        return
    read = _read(session, batch)
    batch.report = _grid_report(read) if isinstance(read, Grids) else _incident_report(read)
    if isinstance(read, Grids):
        folder = queries.folder_of(batch)
        folder.mkdir(parents=True, exist_ok=True)
        read.findings.assign(detail=read.findings["detail"].map(json.dumps)).to_parquet(
            folder / "findings.parquet"
        )
    batch.status = BatchStatus.CHECKED


def load_batch(session: Session, batch_id: int) -> None:
    """Load a checked batch in the name of whoever brought it; the worker's half of `ask_load`, done once."""
    batch = queries.batch_in_hand(session, batch_id, BatchStatus.LOADING)
    if batch is None:
        return
    actor = accounts.actor_by_id(session, batch.created_by)
    read, plan = _read(session, batch), plan_of(batch)
    if isinstance(read, Grids):
        loaded = load_grids(session, actor, plan, read)
        done: dict[str, Any] = {"edition": loaded.edition.effective.isoformat(), "counts": loaded.counts}
    else:
        done = {"filed": len(load_incidents(session, actor, plan, read))}
    batch.report = batch.report | {"loaded": done}
    batch.status, batch.finished_at = BatchStatus.LOADED, clock.now()


def fail_batch(session: Session, batch_id: int, problem: Problem) -> None:
    """Write down why a batch could not be checked or loaded; a checked one may be tried again."""
    batch = queries.batch(session, batch_id)
    batch.status, batch.finished_at = BatchStatus.FAILED, clock.now()
    batch.error = told(problem)


def plan_of(batch: ImportBatch) -> GridPlan | IncidentPlan:
    """Return the plan a batch is read by."""
    if batch.kind == BatchKind.INCIDENTS:
        return IncidentPlan(**batch.plan)
    layers = tuple(LayerPlan(**layer) for layer in batch.plan["layers"])
    effective = date.fromisoformat(batch.plan["effective"])
    return GridPlan(**batch.plan | {"layers": layers, "effective": effective})


def told(problem: Problem) -> dict[str, Any]:
    """Return a problem as it is kept: its untranslated message and what fills it."""
    return {"template": problem.template, "details": {k: str(v) for k, v in problem.details.items()}}


def _read(session: Session, batch: ImportBatch) -> Grids | Incidents:
    plan, path = plan_of(batch), queries.file_of(batch)
    if isinstance(plan, GridPlan):
        return queries.read_grids(session, path, plan)
    return queries.read_incidents(session, path, plan)


def _grid_report(read: Grids) -> dict[str, Any]:
    kinds = read.findings.groupby(["level", "kind"]).size()
    return {
        "rows": {level: len(frame) for level, frame in read.levels.items()},
        "findings": [
            {"level": level, "kind": kind, "severity": KINDS[kind][0], "count": int(count)}
            for (level, kind), count in kinds.items()
        ],
        "blocking": len(read.blocking),
        "moves": 0 if read.moves is None else len(read.moves),
        "farthest_move_m": 0.0
        if read.moves is None or read.moves.empty
        else float(read.moves["size_m"].max()),
        "encodings": read.encodings,
        "previews": read.previews,
        "warnings": [told(warning) for warning in read.warnings],
    }


def _incident_report(read: Incidents) -> dict[str, Any]:
    return {
        "rows": read.rows,
        "ready": len(read.entries),
        "known": read.known,
        "problems": [told(problem) for problem in read.problems[:1000]],
        "problem_count": len(read.problems),
        "warnings": [told(warning) for warning in read.warnings],
    }


def _plain(value: Any) -> Any:
    """Return a plan as JSON holds it."""
    return json.loads(json.dumps(value, default=lambda day: day.isoformat()))
