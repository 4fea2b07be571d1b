"""A fictional Chinese district, drawn from a seed: four levels, names, addresses, people.

plan        roads cut a plot into micro-grids          borders     who belongs to which community
arcs        roads are bent and drawn, once each        footprints  quarters and their buildings
waves       chance that changes slowly                 names       words, roads, door numbers
district    codes, sums and frames                     alike       chance and sines, the same on every CPU
"""

from gis.samples.district import (
    SIZES,
    NotACounty,
    Size,
    UnevenCounts,
    UnknownScale,
    district,
    districts,
    sized,
)

__all__ = ["SIZES", "NotACounty", "Size", "UnevenCounts", "UnknownScale", "district", "districts", "sized"]
