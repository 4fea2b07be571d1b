"""How an uploaded file is to be read, as the body of a request."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gridmgr.importing.model import BatchKind, GridPlan, IncidentPlan, LayerPlan
from gridmgr.importing.rules import ATTRIBUTES, KNOWN_COLUMNS, REQUIRED_COLUMNS, checked_plan
from gridmgr.life.model import Source, State
from web.fields import Code, Datum, Day, Level, text

Column = text(200, 1)


class LayerIn(BaseModel):
    """How to read one level out of a file: the layer, and which of its columns is which of ours."""

    model_config = ConfigDict(extra="forbid")

    level: Level
    code: Column = Field(examples=["CODE"])
    name: Column = Field(examples=["NAME"])
    parent: Column | None = Field(None, description="Found by code or place if not given.")
    layer: Column | None = Field(None, description="Needed only if the file has several.")
    attributes: dict[Literal[*ATTRIBUTES], Column] = Field({}, examples=[{"households": "HS"}])


class GridPlanIn(BaseModel):
    """How to read a file of grids, and from which day it is in force."""

    model_config = ConfigDict(extra="forbid")

    layers: list[LayerIn] = Field(min_length=1, max_length=4)
    datum: Datum
    effective: Day
    encoding: text(32, 1) = Field("auto", examples=["auto", "gb18030"])
    crs: text(200, 1) | None = Field(None, description="Only if the file has none.", examples=["EPSG:4490"])
    repair_m: float = Field(0.0, ge=0, le=10, allow_inf_nan=False, description="Tolerance, metres.")
    title: text(200) = ""

    @model_validator(mode="after")
    def _each_level_once(self) -> "GridPlanIn":
        if len({layer.level for layer in self.layers}) < len(self.layers):
            raise ValueError("a level stands twice")
        return self

    def plan(self) -> GridPlan:
        """Return the plan as the import desk knows it."""
        layers = tuple(LayerPlan(**layer.model_dump()) for layer in self.layers)
        return GridPlan(**self.model_dump() | {"layers": layers})


class IncidentPlanIn(BaseModel):
    """How to read a file of incidents: ours → theirs for columns, theirs → ours for statuses, categories."""

    model_config = ConfigDict(extra="forbid")

    origin: text(64, 1) = Field(examples=["dc311"])
    datum: Datum
    columns: dict[Literal[*KNOWN_COLUMNS], Column] = Field(
        description="At least: " + ", ".join(REQUIRED_COLUMNS),
        examples=[{"source_id": "ID", "lon": "X", "lat": "Y", "reported_at": "ADDED", "category": "CODE"}],
    )
    statuses: dict[text(100), State] = Field({}, max_length=200, examples=[{"Open": "accepted"}])
    categories: dict[text(100), Code] = Field({}, max_length=2000)
    zone: text(64, 1) = Field("Asia/Shanghai", description="Of times without an offset.")
    source: Source = Source.SYSTEM

    def plan(self) -> IncidentPlan:
        """Return the plan as the import desk knows it.

        Raises
        ------
        BadMapping
        """
        return checked_plan(self.model_dump(mode="json"))


EXAMPLE = {
    "grids": {
        "layers": [{"level": "micro_grid", "code": "CODE", "name": "NAME", "parent": "PARENT"}],
        "datum": "cgcs2000",
        "effective": "2026-01-01",
    }
}


class PlanIn(BaseModel):
    """How to read a batch: `grids` for a file of grids, `incidents` for one of incidents."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    grids: GridPlanIn | None = None
    incidents: IncidentPlanIn | None = None

    @model_validator(mode="after")
    def _one(self) -> "PlanIn":
        if (self.grids is None) == (self.incidents is None):
            raise ValueError("exactly one of grids and incidents is needed")
        return self

    @property
    def kind(self) -> BatchKind:
        """The kind of file this plan reads."""
        return BatchKind.GRIDS if self.grids else BatchKind.INCIDENTS

    def plan(self) -> GridPlan | IncidentPlan:
        """Return the plan as the import desk knows it.

        Raises
        ------
        BadMapping
        """
        return (self.grids or self.incidents).plan()
