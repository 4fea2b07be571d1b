"""Redrawing: proposals for the micro-grids of a community."""

import json
from typing import Annotated, Any, Literal

import shapely
from fastapi import Depends, Path, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from gridmgr.account.rules import Actor
from gridmgr.redraw import queries
from gridmgr.redraw.model import MOST_GRIDS, MOST_PROPOSALS
from gridmgr.redraw.queries import Proposed, Wish
from web.api.geojson import MEDIA, collection
from web.api.schema import FEATURES, file, problems, router
from web.deps import Allow, Transaction
from web.fields import text

routes = router("redraw")
Planner = Annotated[Actor, Depends(Allow("redraw.propose"))]
Exporter = Annotated[Actor, Depends(Allow("grid.export"))]
Community = Annotated[text(32), Path(description="Code of the community.")]
Measure = Literal["households", "population", "incidents", "buildings"]


def wished(
    number: Annotated[int, Query(ge=1, le=MOST_GRIDS, description="In all, locked ones among them.")],
    by: Annotated[tuple[Measure, ...], Query(min_length=1, description="What is balanced.")] = (
        "households",
    ),
    locked: Annotated[
        tuple[text(32), ...], Query(max_length=MOST_GRIDS, description="Codes that stay.")
    ] = (),
    proposals: Annotated[int, Query(ge=1, le=MOST_PROPOSALS)] = 3,
) -> Wish:
    """Return what is asked for."""
    return Wish(number, tuple(dict.fromkeys(by)), tuple(dict.fromkeys(locked)), proposals)


Wished = Annotated[Wish, Depends(wished)]


class ProposedGrid(BaseModel):
    """One micro-grid of a proposal; `deviation` is from the mean of the grids drawn, null where it is locked."""

    code: str = Field(examples=["510106001001001"])
    is_new: bool
    locked: bool
    households: int
    population: int
    incidents: int
    buildings: int
    deviation: float | None
    polsby_popper: float | None
    reock: float | None
    hull: float | None
    geometry: dict[str, Any]


class ProposalOut(BaseModel):
    """One way to draw the micro-grids, and how good it is."""

    deviation: float = Field(description="The farthest a grid is from the mean of any measure, as a share.")
    border_m: float
    buildings_moved: int
    households_moved: int
    grids: list[ProposedGrid]


class ProposalsOut(BaseModel):
    """Proposals for a community, the best balanced first."""

    community: str = Field(examples=["510106001001"])
    proposals: list[ProposalOut]


@routes.get("/redraw/{community}/proposals", responses=problems(404, 409))
def propose_grids(community: Community, session: Transaction, actor: Planner, wish: Wished) -> ProposalsOut:
    """Propose balanced, contiguous micro-grids of whole buildings; nothing is changed."""
    found = queries.proposals(session, queries.ground(session, actor, community), wish)
    return ProposalsOut(community=community, proposals=[_out(each) for each in found])


@routes.get(
    "/redraw/{community}/proposal.geojson",
    response_class=StreamingResponse,
    responses=file(MEDIA, "The whole level with a proposal in it, to be imported.", FEATURES)
    | problems(404, 409),
)
def export_proposal(
    community: Community, session: Transaction, actor: Exporter, wish: Wished,
    rank: Annotated[int, Query(ge=1, le=MOST_PROPOSALS, description="Which proposal, from 1.")] = 1,
) -> StreamingResponse:  # fmt: skip
    """Export the visible level of micro-grids with a proposal in it, for the import desk."""
    found = queries.ground(session, actor, community)
    drawn = queries.proposals(session, found, wish)
    level = queries.level_with(session, actor, found, drawn[min(rank, len(drawn)) - 1])
    return collection(level, id="code", name="micro_grid.geojson")


def _out(proposed: Proposed) -> ProposalOut:
    shapes = shapely.to_geojson(proposed.grids.geometry.to_numpy())
    plain = proposed.grids.drop(columns="geometry").reset_index().astype(object)
    rows = plain.where(plain.notna(), None).to_dict("records")
    return ProposalOut(
        deviation=proposed.deviation, border_m=round(proposed.border_m, 1),
        buildings_moved=proposed.buildings_moved, households_moved=proposed.households_moved,
        grids=[
            ProposedGrid(**row, geometry=json.loads(shape)) for row, shape in zip(rows, shapes, strict=True)
        ],
    )  # fmt: skip
