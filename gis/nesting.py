"""Compare a level with the coarser ones: parents named, parents left, buildings on a border."""

import numpy as np
import pandas as pd
import shapely

from gis.findings import found
from gis.ground import Layer, Metre, areal, beyond, merged, reach, thickness

# share of a unit inside other parents than the one it names → kind; the first that is reached holds
ELSEWHERE = ((0.95, "wholly_elsewhere"), (0.50, "mostly_elsewhere"), (0.05, "partly_elsewhere"))


def nested(
    layer: Layer, coarser: list[Layer], scale: Metre, sliver_m: float, tolerance_m2: float
) -> list[pd.DataFrame]:
    """Return units without a parent, outside their parent, or inside another.

    Parameters
    ----------
    layer : the level examined, coarser : the coarser levels, nearest first
    scale : metres of the place
    sliver_m : float, metres, and tolerance_m2 : float, square metres; less is no finding

    Returns
    -------
    list of frames of findings
    """
    if not coarser:
        return []
    missing = np.flatnonzero(pd.isna(layer.named))
    parts = [found("missing_parent", layer, missing, layer.given[missing]), _orphans(layer, coarser)]
    for parents, home in claims(layer, coarser):
        parts += _strays(layer, parents, home, _leaving(layer, parents, home), scale, sliver_m, tolerance_m2)
    return parts


def buildings(
    layer: Layer, coarser: list[Layer], scale: Metre, sliver_m: float, tolerance_m2: float
) -> list[pd.DataFrame]:
    """Return buildings that overlap, lie on a border, in no unit, or elsewhere than they claim.

    Parameters and returns are those of `nested`; a building need not name a parent.
    """
    parts = _crowded(layer, scale, tolerance_m2)
    if not coarser:
        return parts
    parts += [_orphans(layer, coarser), *_housed(layer, coarser[0], scale, tolerance_m2)]
    for parents, home in claims(layer, coarser):
        claimed = np.flatnonzero(home >= 0)
        shapely.prepare(parents.ground)
        inside = shapely.contains_properly(parents.ground[home[claimed]], layer.ground[claimed])
        strays = _strays(layer, parents, home, claimed[~inside], scale, sliver_m, tolerance_m2)
        parts += [part for part in strays if "child_outside" not in part["kind"].values]
    return parts


def claims(layer: Layer, coarser: list[Layer]) -> list[tuple[Layer, np.ndarray]]:
    """Return each coarser level with the position of the parent that every unit claims there, or -1.

    Notes
    -----
    A unit claims one parent: the nearest level that holds the code it names.
    """
    open_, answer = pd.notna(layer.named), []
    for parents in coarser:
        home = np.full(len(open_), -1)
        home[open_] = [parents.position.get(code, -1) for code in layer.named[open_]]
        open_ = open_ & (home < 0)
        answer.append((parents, home))
    return answer


def _orphans(layer: Layer, coarser: list[Layer]) -> pd.DataFrame:
    homeless = np.all([home < 0 for _, home in claims(layer, coarser)], axis=0)
    orphans = np.flatnonzero(homeless & (pd.notna(layer.named)))
    return found("orphan", layer, orphans, layer.given[orphans], other=layer.named[orphans])


def _leaving(layer: Layer, parents: Layer, home: np.ndarray) -> np.ndarray:
    """Units that may leave their parents: found on the unions of siblings, 60 times fewer overlays."""
    rows = np.flatnonzero((home >= 0) & ~shapely.is_missing(layer.ground))
    broods = {parent: rows[which] for parent, which in pd.Series(rows).groupby(home[rows]).indices.items()}
    union = [merged(layer.ground[brood], layer.faulty[brood]) for brood in broods.values()]
    poking = beyond(np.array(union, dtype=object), parents.ground[list(broods)])
    shapely.prepare(poking)
    leaving = [
        brood[shapely.intersects(outside, layer.ground[brood])]
        for brood, outside in zip(broods.values(), poking, strict=True)
        if not shapely.is_missing(outside)
    ]
    return np.concatenate([*leaving, rows[:0]])


def _strays(
    layer: Layer,
    parents: Layer,
    home: np.ndarray,
    suspects: np.ndarray,
    scale: Metre,
    sliver_m: float,
    tolerance_m2: float,
) -> list[pd.DataFrame]:
    """Measure the ground of suspects outside the parents they claim, and say whose it is."""
    outside = shapely.difference(layer.ground[suspects], parents.ground[home[suspects]])
    metric = scale.project(outside)
    area = shapely.area(metric)
    left, which = np.unique(home[suspects], return_inverse=True)
    size = extent(metric, scale.project(parents.ground[left])[which])
    real = (area > tolerance_m2) & (size > sliver_m)
    suspects, outside, area, size = suspects[real], outside[real], area[real], size[real]
    share, host = _hosts(layer.ground[suspects], outside, parents)
    claimed = parents.codes[home[suspects]]
    parts, taken = [], np.zeros(len(suspects), dtype=bool)
    for least, kind in ELSEWHERE:
        which = ~taken & (share >= least)
        taken |= which
        there = {"other": parents.codes[host[which]], "parent": claimed[which], "share": share[which]}
        parts.append(
            found(
                kind, layer, suspects[which], outside[which], area_m2=area[which], size_m=size[which], **there
            )
        )
    which = ~taken
    measures = {"other": claimed[which], "area_m2": area[which], "size_m": size[which]}
    return [*parts, found("child_outside", layer, suspects[which], outside[which], **measures)]


def extent(outside: np.ndarray, home: np.ndarray) -> np.ndarray:
    """Return how far ground sticks out of its home: its reach, or its thickness where it fills a notch.

    Parameters
    ----------
    outside, home : arrays of geometries, metric CRS, shape (n,)

    Returns
    -------
    float array of metres, shape (n,)

    Example
    -------
    >>> notched = shapely.box(0, 0, 9, 9) - shapely.box(4, 0, 5, 9 - 1)
    >>> extent(np.array([shapely.box(4, 0, 5, 8)]), np.array([notched])).round(2)
    array([0.89])
    """
    parts, owner = shapely.get_parts(outside, return_index=True)
    thickest = np.zeros(len(outside))
    np.maximum.at(thickest, owner, thickness(parts))
    return np.maximum(reach(outside, home), thickest)


def _hosts(ground: np.ndarray, outside: np.ndarray, parents: Layer) -> tuple[np.ndarray, np.ndarray]:
    """Share of each unit that lies in other parents, and the one of them with the largest part."""
    stray, host = parents.tree.query(outside, predicate="intersects")
    piece = shapely.area(shapely.intersection(outside[stray], parents.ground[host]))
    total = np.bincount(stray, weights=piece, minlength=len(ground))
    share = np.divide(total, shapely.area(ground), out=np.zeros(len(ground)), where=total > 0)
    return share, _largest(stray, host, piece, len(ground))[0]


def _largest(which: np.ndarray, unit: np.ndarray, area: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """For each of n things the unit that holds most of it, or -1, and the area held."""
    order = np.argsort(area, kind="stable")
    main, held = np.full(n, -1), np.zeros(n)
    main[which[order]], held[which[order]] = unit[order], area[order]
    return main, held


def _crowded(layer: Layer, scale: Metre, tolerance_m2: float) -> list[pd.DataFrame]:
    """Pairs of buildings on the same ground: one inside the other, or overlapping."""
    one, two = layer.tree.query(layer.ground, predicate="intersects")
    one, two = one[one < two], two[one < two]
    common = areal(shapely.intersection(layer.ground[one], layer.ground[two]))
    area = scale.area(common)
    real = area > tolerance_m2
    one, two, common, area = one[real], two[real], common[real], area[real]
    inner = shapely.covered_by(layer.ground[one], layer.ground[two])
    outer = ~inner & shapely.covers(layer.ground[one], layer.ground[two])
    one, two = np.where(outer, two, one), np.where(outer, one, two)
    return [
        found(kind, layer, one[which], common[which], other=layer.codes[two[which]], area_m2=area[which])
        for kind, which in (("building_within", inner | outer), ("building_overlap", ~(inner | outer)))
    ]


def _housed(layer: Layer, homes: Layer, scale: Metre, tolerance_m2: float) -> list[pd.DataFrame]:
    """Buildings that are not inside exactly one unit of the nearest coverage level."""
    building, unit = homes.tree.query(layer.ground)
    shapely.prepare(homes.ground)
    settled = np.isin(
        np.arange(len(layer.ground)),
        building[shapely.contains_properly(homes.ground[unit], layer.ground[building])],
    )
    loose = np.flatnonzero(~settled & ~shapely.is_missing(layer.ground))
    ground = layer.ground[loose]
    which, unit = homes.tree.query(ground, predicate="intersects")
    area = scale.area(shapely.intersection(ground[which], homes.ground[unit]))
    which, unit, area = which[area > tolerance_m2], unit[area > tolerance_m2], area[area > tolerance_m2]
    units = np.bincount(which, minlength=len(loose))
    total = scale.area(ground)
    rest = total - np.bincount(which, weights=area, minlength=len(loose))
    main, largest = _largest(which, unit, area, len(loose))
    nowhere, straddling, sticking = units == 0, units > 1, (units > 0) & (rest > tolerance_m2)
    return [
        found(
            "building_nowhere",
            layer,
            loose[nowhere],
            ground[nowhere],
            level_of_parent=[homes.level] * nowhere.sum(),
        ),
        found(
            "building_straddles",
            layer,
            loose[straddling],
            ground[straddling],
            other=homes.codes[main[straddling]],
            share=(largest / total)[straddling],
            units=units[straddling],
        ),
        found(
            "building_sticks_out",
            layer,
            loose[sticking],
            ground[sticking],
            other=homes.codes[main[sticking]],
            area_m2=rest[sticking],
            share=(rest / total)[sticking],
            level_of_parent=[homes.level] * sticking.sum(),
        ),
    ]
