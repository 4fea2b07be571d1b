"""Pure decisions about codes, differences between editions, and lineage."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.difference import moved
from gridmgr.hierarchy.model import BUILDING, LEVELS, PARENT, STORED_ATTRIBUTES, BadScheme, Lineage

LINEAGE_KINDS = {
    "renamed": "same code and outline, other attributes",
    "redrawn": "same code and ground, other vertices",
    "reshaped": "same code, other ground",
    "new": "a code that was not there before",
    "retired": "a code that is gone; it is never used again",
    "passed": "the part of a unit's old area that now belongs to another code",
}

SHARE_FLOOR = 0.001  # a smaller share of the old area is drawing noise, not a transfer


@dataclass(frozen=True)
class Scheme:
    """How codes are built: a mask per level, and how many characters of a code are its parent's."""

    name: str
    masks: Mapping[str, str]
    parent_length: Mapping[str, int]

    def fits(self, level: str, code: str) -> bool:
        """Tell whether the code has the form this scheme gives to the level."""
        return re.fullmatch(self.masks.get(level, ".+"), code) is not None


# GB/T 2260, GB/T 10114, then three digits a level; a building's code begins with its community's.
SCHEMES = {
    "gb": Scheme(
        "gb",
        {"street": r"\d{9}", "community": r"\d{12}", "micro_grid": r"\d{15}", "building": r"\d{17}"},
        {"community": 9, "micro_grid": 12},
    ),
    "prefix": Scheme("prefix", dict.fromkeys(LEVELS, r"\S{1,32}"), {}),
}


def scheme_from_file(path: Path) -> Scheme:
    r"""Read a scheme from TOML: `name`, `[masks]` a pattern per level, `[parent_length]` a number per level.

    Raises
    ------
    BadScheme
        The file lacks a part, names an unknown level, or holds a pattern that does not compile.
    """
    try:
        data = tomllib.loads(path.read_text("utf-8"))
        scheme = Scheme(data["name"], data["masks"], data.get("parent_length", {}))
        for level, mask in scheme.masks.items():
            if level not in LEVELS:
                raise KeyError(level)
            re.compile(mask)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, re.error) as reason:
        raise BadScheme(name=path.name, reason=str(reason)) from reason
    return scheme


def guess_scheme(level: str, codes: pd.Series) -> Scheme:
    """Return the first scheme that all codes of the level fit; free prefix codes fit everything."""
    return next(scheme for scheme in SCHEMES.values() if all(scheme.fits(level, code) for code in codes))


def parents_by_code(scheme: Scheme, level: str, codes: pd.Series, known: set[str]) -> pd.Series:
    """Return each code's parent by prefix, or None where no known code is its beginning.

    A scheme with a fixed length cuts there, whether or not the parent is known, so that a missing
    parent is named; a free one takes the longest known code.
    """
    length = scheme.parent_length.get(level)
    if length:
        return codes.str[:length]
    lengths = sorted({len(code) for code in known}, reverse=True)

    def longest(code: str) -> str | None:
        return next((code[:n] for n in lengths if n < len(code) and code[:n] in known), None)

    return pd.Series([longest(code) for code in codes], index=codes.index, dtype=object)


def parents_by_place(children: gpd.GeoDataFrame, parents: gpd.GeoDataFrame) -> pd.Series:
    """Return for each child the code of the parent holding most of it, None where it touches none.

    Ties go to the smallest code. Both frames are EPSG:4326; the result has the children's index.
    """
    result = pd.Series([None] * len(children), index=children.index, dtype=object)
    child, parent = parents.sindex.query(children.geometry.values, predicate="intersects")
    if not len(child):
        return result
    codes = parents["code"].to_numpy()[parent]
    counts = np.bincount(child, minlength=len(children))
    share = np.ones(len(child))
    shared = counts[child] > 1  # only a child that touches several parents needs its areas measured
    share[shared] = shapely.area(
        shapely.intersection(children.geometry.values[child[shared]], parents.geometry.values[parent[shared]])
    )
    order = np.lexsort((codes, -share, child))
    first = np.unique(child[order], return_index=True)[1]
    result.iloc[child[order][first]] = codes[order][first]
    return result


FATES = ("same", "renamed", "redrawn", "reshaped", "retired", "new")


@dataclass(frozen=True)
class Changes:
    """How a level's next state differs from the present one, as codes."""

    same: pd.Index
    renamed: pd.Index
    redrawn: pd.Index
    reshaped: pd.Index
    retired: pd.Index
    new: pd.Index

    @property
    def closing(self) -> pd.Index:
        """Codes whose present row ends."""
        return self.renamed.union(self.redrawn).union(self.reshaped).union(self.retired)

    @property
    def opening(self) -> pd.Index:
        """Codes for which a row begins."""
        return self.renamed.union(self.redrawn).union(self.reshaped).union(self.new)

    def counts(self) -> dict[str, int]:
        """Return the number of codes of each fate."""
        return {fate: len(getattr(self, fate)) for fate in FATES}


def changes(old: gpd.GeoDataFrame, new: gpd.GeoDataFrame) -> Changes:
    """Compare two states of one level, code by code; rings may begin anywhere."""
    old, new = old.set_index("code"), new.set_index("code")
    kept = old.index.intersection(new.index)
    before, after = old.loc[kept], new.loc[kept]
    same_shape = shapely.equals_exact(
        shapely.normalize(before.geometry.values), shapely.normalize(after.geometry.values), 1e-9
    )
    columns = ["name", "parent_code", *STORED_ATTRIBUTES]
    left, right = (frame[columns].astype(object) for frame in (before, after))
    same_words = ((left == right) | (left.isna() & right.isna())).all(axis=1).to_numpy()
    elsewhere = ~same_shape
    elsewhere[elsewhere] = moved(before.geometry.values[elsewhere], after.geometry.values[elsewhere])
    return Changes(
        same=kept[same_shape & same_words],
        renamed=kept[same_shape & ~same_words],
        redrawn=kept[~same_shape & ~elsewhere],
        reshaped=kept[elsewhere],
        retired=old.index.difference(new.index),
        new=new.index.difference(old.index),
    )


def lineage(
    old: gpd.GeoDataFrame, new: gpd.GeoDataFrame, fates: Changes, homes: gpd.GeoDataFrame
) -> pd.DataFrame:
    """Return the lineage rows of one level: the fate of each code, and where the old areas went.

    Shares are of the old unit's area and of its buildings' households (`homes`: representative points
    with `households`; None where there are none). Buildings have no transfers, they move whole.
    """
    rows = [
        (kind, code if kind != "new" else None, code if kind != "retired" else None, None, None)
        for kind in FATES[1:]
        for code in getattr(fates, kind)
    ]
    touched = old[old["code"].isin(fates.reshaped.union(fates.retired))]
    opened = new[new["code"].isin(fates.opening)]
    if len(touched) and len(opened) and not (new["level"] == BUILDING).all():
        rows += _transfers(touched, opened, homes)
    return pd.DataFrame(rows, columns=["kind", "old_code", "new_code", "area_share", "household_share"])


def _transfers(old: gpd.GeoDataFrame, new: gpd.GeoDataFrame, homes: gpd.GeoDataFrame) -> list[tuple]:
    left, right = new.sindex.query(old.geometry.values, predicate="intersects")
    parts = shapely.intersection(old.geometry.values[left], new.geometry.values[right])
    area = shapely.area(parts) / shapely.area(old.geometry.values[left])
    old_codes, new_codes = old["code"].to_numpy()[left], new["code"].to_numpy()[right]
    moved = (area >= SHARE_FLOOR) & (old_codes != new_codes)
    households = _household_shares(old, parts[moved], left[moved], homes)
    return list(
        zip(
            ["passed"] * int(moved.sum()),
            old_codes[moved],
            new_codes[moved],
            area[moved],
            households,
            strict=True,
        )
    )


def _household_shares(old, parts, owners, homes) -> list[float | None]:
    if homes.empty:
        return [None] * len(parts)

    def total(shapes) -> np.ndarray:
        sums = np.zeros(len(shapes))
        shape, home = homes.sindex.query(shapes, predicate="covers")
        np.add.at(sums, shape, homes["households"].fillna(0).to_numpy(float)[home])
        return sums

    whole, part = total(old.geometry.values)[owners], total(parts)
    return [float(p / w) if w else None for p, w in zip(part, whole, strict=True)]


class Succession(NamedTuple):
    """Who follows whom in an edition, by code."""

    heirs: dict[str, str]  # of each retired unit the one that most of it went to
    founded: dict[str, str]  # of each other new unit the one it was cut from, there or retired
    fresh: frozenset[str]  # the units that are new


def succession(rows: Iterable[Lineage]) -> Succession:
    """Return who follows whom.

    One into many: the part that keeps the code, or that most went to, is the heir; every other part is founded from
    it. Many into one: all have the same heir. The greatest share of the old households decides, then of its area.
    """
    rows = list(rows)
    retired = {row.old_code for row in rows if row.kind == "retired"}
    fresh = frozenset(row.new_code for row in rows if row.kind == "new")
    passed = [row for row in rows if row.kind == "passed"]
    passed.sort(key=lambda row: (row.household_share or 0, row.area_share or 0))
    heirs = {row.old_code: row.new_code for row in passed if row.old_code in retired}
    founded = {row.new_code: row.old_code for row in passed if row.new_code in fresh}
    return Succession(heirs, {new: old for new, old in founded.items() if heirs.get(old) != new}, fresh)


def plain_name(name: str) -> str:
    """Return a unit's name without the suffixes that lists carry and maps drop (居委会, 街道办事处 …)."""
    return re.sub(
        r"(社区居委会|社区居民委员会|居民委员会|居委会|村民委员会|村委会|街道办事处|社区|街道|村)$",
        "",
        name.strip(),
    )


def ancestors(code: str, scheme: Scheme, level: str) -> dict[str, str]:
    """Return the codes above a unit by fixed lengths, as far as the scheme has them."""
    found = {}
    while level in PARENT and scheme.parent_length.get(level):
        code, level = code[: scheme.parent_length[level]], PARENT[level]
        found[level] = code
    return found
