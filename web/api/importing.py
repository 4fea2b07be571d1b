"""The import desk: upload a file, say how to read it, look at what was found, load all of it or nothing."""

from typing import Annotated, Any

from fastapi import Depends, File, Form, Response, UploadFile
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from gridmgr.account.rules import Actor, can
from gridmgr.importing import queries, service
from gridmgr.importing.model import (
    BatchKind,
    BatchStatus,
    ImportBatch,
    NoFindings,
    OtherKind,
    UnknownBatch,
)
from gridmgr.importing.service import MAY
from web.api.geojson import MEDIA, collection
from web.api.headers import made
from web.api.importing_plan import PlanIn
from web.api.schema import FEATURES, file, problems, router
from web.deps import Allow, Transaction
from web.fields import RowId, Utc
from web.i18n import _
from web.paging import Page, Paging, paged

routes = router("importing")
Importer = Annotated[Actor, Depends(Allow("grid.import", otherwise="incident.import"))]


class BatchOut(BaseModel):
    """One file on its way in; `report` fills when it has been checked, `error` says why it failed."""

    id: int = Field(examples=[12])
    kind: BatchKind
    filename: str = Field(examples=["网格.zip"])
    sha256: str
    size: int = Field(description="Bytes.")
    status: BatchStatus
    plan: dict[str, Any]
    report: dict[str, Any]
    error: str | None = Field(description="In the language of the `lang` cookie.")
    created_at: Utc
    finished_at: Utc | None


class BatchPage(Page[BatchOut]):
    """Batches, the newest first."""


@routes.post(
    "/imports", status_code=201, responses=made("batch_id", "id", "showBatch", "planBatch", "loadBatch")
)
def upload_file(
    session: Transaction,
    actor: Importer,
    kind: Annotated[BatchKind, Form()],
    file: Annotated[UploadFile, File(description="A map, a table, or a zip of one.")],
    response: Response,
) -> BatchOut:
    """Keep a file and open a batch for it; nothing is read yet."""
    batch = service.receive(session, actor, kind, file.filename or "", file.file)
    response.headers["Location"] = f"/api/imports/{batch.id}"
    return _out(batch)


@routes.get("/imports")
def list_batches(
    session: Transaction, actor: Importer, paging: Annotated[Paging[int], Depends(paged("imports", RowId))]
) -> BatchPage:
    """List the batches of the kinds the caller may import, the newest first, page by page."""
    kinds = [kind for kind, action in MAY.items() if can(actor, action)]
    found = queries.batches(session, kinds, paging.fetch, paging.after)
    return paging.page(BatchPage, found, lambda row: row.id, lambda rows: map(_out, rows))


@routes.get("/imports/{batch_id}", responses=problems(404))
def show_batch(batch_id: RowId, session: Transaction, actor: Importer) -> BatchOut:
    """Show one batch: how far it has come, what was found, why it failed."""
    return _out(_known(session, actor, batch_id))


@routes.post("/imports/{batch_id}/plan", status_code=202, responses=problems(404, 409))
def plan_batch(batch_id: RowId, body: PlanIn, session: Transaction, actor: Importer) -> BatchOut:
    """Say how to read a batch and let it be checked in the background; nothing is loaded."""
    batch = _known(session, actor, batch_id)
    if batch.kind != body.kind:
        raise OtherKind(batch=batch_id, kind=batch.kind, given=body.kind.value)
    return _out(service.ask_check(session, actor, batch_id, body.plan()))


@routes.post("/imports/{batch_id}/load", status_code=202, responses=problems(404, 409))
def load_batch(batch_id: RowId, session: Transaction, actor: Importer) -> BatchOut:
    """Load a checked batch in the background, all of it or nothing."""
    _known(session, actor, batch_id)
    return _out(service.ask_load(session, actor, batch_id))


@routes.get(
    "/imports/{batch_id}/findings.geojson",
    response_class=Response,
    responses=file(MEDIA, "The faults found, where they are, EPSG:4326.", FEATURES) | problems(404),
)
def show_findings(batch_id: RowId, session: Transaction, actor: Importer) -> Response:
    """Show the faults found in a checked file of grids."""
    findings = queries.findings_of(_known(session, actor, batch_id))
    if findings is None:
        raise NoFindings(batch=batch_id)
    return collection(findings, name=f"findings-{batch_id}.geojson")


def _known(session: Session, actor: Actor, batch_id: int) -> ImportBatch:
    """Return a batch of a kind the caller may import; others do not exist for the caller."""
    batch = queries.batch(session, batch_id)
    if not can(actor, MAY[BatchKind(batch.kind)]):
        raise UnknownBatch(batch=batch_id)
    return batch


def _out(batch: ImportBatch) -> BatchOut:
    values = {name: getattr(batch, name) for name in BatchOut.model_fields}
    error = batch.error and _(batch.error["template"]).format(**batch.error["details"])
    return BatchOut(**values | {"error": error})
