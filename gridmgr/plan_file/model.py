"""What a file brings to a plan, and what can be wrong with it."""

from dataclasses import dataclass, field

import geopandas as gpd

from gridmgr.errors import BadInput, Problem


class CodesMissing(BadInput):
    """Layer {layer} has no column of codes; it has {known}."""


class ParentUnknown(BadInput):
    """{code} is to belong to {parent}, which is no community on the ground of this plan."""


class CodeTooLong(BadInput):
    """The code or name {code} is longer than {most} characters."""


class CodeDivided(Problem):
    """{code} came in {parts} pieces: the largest keeps the code, the others are {new}."""


class ParentsGiven(Problem):
    """New communities are {new}."""


class ParentsEnded(Problem):
    """Communities that end are {gone}."""


class Mended(Problem):
    """The repair moved {n} borders, the farthest by {m} m."""


class CodesGiven(Problem):
    """Units without a code are {new}."""


@dataclass(frozen=True, eq=False)
class Brought:
    """The micro-grids of a file, as a plan would take them."""

    layer: str
    columns: dict[str, str]  # ours: theirs
    drawn: gpd.GeoDataFrame  # by code: name, parent_code and geometry, EPSG:4326
    drawn_on: int | None  # the edit the file was taken away at, 0 before the first; None if it does not say
    findings: gpd.GeoDataFrame  # what keeps them from being a plan, as `gis.adoption.faults` tells
    parents: dict[str, tuple[str, str] | None]  # communities that are new (name, street), or no more (None)
    notes: list[Problem] = field(default_factory=list)
    refused: Problem | None = None  # why the plan would not take them although they are a coverage
