"""The import desk: hand over a file, see how far it has come, load it when nothing forbids it."""

import csv
import io
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from gis.errors import Problem
from gridmgr.account.rules import Actor, can
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import NoEdition
from gridmgr.importing import queries, service
from gridmgr.importing.model import BatchKind, BatchStatus, ImportBatch
from gridmgr.importing.rules import BLOCKING
from web import i18n
from web.deps import Allow, Transaction
from web.errors import status_of
from web.pages.mapping import grid_form, incident_form
from web.render import is_fragment, render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("grid.import", otherwise="incident.import"))]
WORKING = (BatchStatus.CHECKING, BatchStatus.LOADING)


def visible(session: Session, actor: Actor, batch_id: int) -> ImportBatch:
    """Return a batch whose kind the actor may bring; raises NotGranted otherwise."""
    batch = queries.batch(session, batch_id)
    decision = can(actor, service.MAY[BatchKind(batch.kind)])
    if decision.reason:
        raise decision.reason
    return batch


Batch = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get("/imports", response_class=HTMLResponse)
def show(request: Request, session: Transaction, actor: Viewer) -> HTMLResponse:
    """List what was brought, and take a new file."""
    return _desk(request, session, actor)


def _desk(request: Request, session: Session, actor: Actor, problem: Problem | None = None) -> HTMLResponse:
    kinds = [kind for kind in BatchKind if can(actor, service.MAY[kind])]
    values = {
        "kinds": kinds,
        "batches": [each for each in queries.batches(session) if each.kind in kinds],
        "humane": humane, "editions": len(hierarchy.editions(session)),
        "problem": i18n.say(problem) if problem else "",
    }  # fmt: skip
    return render(request, "imports.html", values, status_of(problem) if problem else 200)


@router.post("/imports")
def bring(
    request: Request,
    session: Transaction,
    actor: Viewer,
    kind: Annotated[BatchKind, Form()],
    file: UploadFile,
) -> Response:
    """Keep a file, and go on to say how it is to be read."""
    try:
        batch = service.receive(session, actor, kind, file.filename or "", file.file)
    except Problem as problem:
        return _desk(request, session, actor, problem)
    return RedirectResponse(f"/imports/{batch.id}", 303)


@router.get("/imports/{batch_id}", response_class=HTMLResponse)
def batch(
    request: Request, session: Transaction, actor: Viewer, batch_id: Batch, again: bool = False
) -> HTMLResponse:
    """Show one file: the form that asks how to read it, or what was found in it."""
    found = visible(session, actor, batch_id)
    if is_fragment(request):
        return render(request, "fragments/batch.html", outcome(session, found))
    form, problem = None, ""
    if found.status in (BatchStatus.UPLOADED, BatchStatus.FAILED) or (
        again and found.status == BatchStatus.CHECKED
    ):
        try:
            form = describe(session, found, {})
        except NoEdition as missing:  # the file may be sound; there is no map to find its places on
            problem = i18n.say(missing)
        except Problem as unreadable:
            service.fail_batch(session, batch_id, unreadable)
    values = outcome(session, found) | {"form": form, "problem": problem, "again": again}
    return render(request, "import.html", values)


def describe(session: Session, found: ImportBatch, given: dict) -> dict:
    """Return what the form that describes a file shows."""
    if found.kind == BatchKind.GRIDS:
        return grid_form(session, found, given)
    hierarchy.edition_at(session)  # without a map nothing can be located
    return incident_form(session, found, given)


def outcome(session: Session, found: ImportBatch) -> dict:
    """Return what became of a file so far, in words."""
    report = found.report or {}
    own, later = findings(report)
    return {
        "batch": found,
        "report": report,
        "working": found.status in WORKING,
        "findings": own,
        "later": later,
        "humane": humane,
        "error": told(found.error) if found.error else "",
        "warnings": [told(warning) for warning in report.get("warnings", ())],
        "problems": [told(problem) for problem in report.get("problems", ())[:200]],
        "may_load": found.status == BatchStatus.CHECKED
        and not report.get("blocking")
        and report.get("ready", 1),
    }


def findings(report: dict) -> tuple[list[dict], list[dict]]:
    """Return what was found in the file itself, and what follows for units already on the map.

    Only the first can block: the map's own units are there already.
    """
    rows = [row | {"blocking": row["kind"] in BLOCKING} for row in report.get("findings", ())]
    rows.sort(key=lambda row: (not row["blocking"], row["severity"], -row["count"]))
    own = [row for row in rows if row["level"] in report["rows"]]
    return own, [row | {"blocking": False} for row in rows if row["level"] not in report["rows"]]


def humane(size: int) -> str:
    """Return the size of a file as people say it."""
    exact, units = float(size), ["B", "kB", "MB", "GB"]
    while exact >= 1000 and len(units) > 1:
        exact, units = exact / 1000, units[1:]
    return f"{i18n.number(exact, 1 if units[0] != 'B' and exact < 10 else 0)} {units[0]}"


def told(kept: dict) -> str:
    """Return a problem that was kept with its batch, in the language of this request."""
    try:
        return i18n.filled(kept["template"], kept["details"])
    except (KeyError, ValueError, IndexError):
        return kept["template"]


@router.post("/imports/{batch_id}/load")
def load(request: Request, session: Transaction, actor: Viewer, batch_id: Batch) -> Response:
    """Let the worker load a file that has been checked."""
    visible(session, actor, batch_id)
    service.ask_load(session, actor, batch_id)
    return RedirectResponse(f"/imports/{batch_id}", 303)


@router.get("/imports/{batch_id}/problems.csv")
def problems(session: Transaction, actor: Viewer, batch_id: Batch) -> Response:
    """Send what ails the rows as a table, so that whoever made the file can mend it."""
    found = visible(session, actor, batch_id)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([i18n._("Row"), i18n._("Reason")])
    for kept in found.report.get("problems", ()):
        reason = told(kept)
        writer.writerow([kept["details"].get("row", ""), f"'{reason}" if reason[:1] in "=+-@\t" else reason])
    return Response(
        "\ufeff" + out.getvalue(), media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="import-{batch_id}-problems.csv"'},
    )  # fmt: skip
