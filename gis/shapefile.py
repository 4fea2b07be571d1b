"""What is peculiar to Shapefiles: texts in an encoding nobody wrote down, names of ten bytes.

GDAL is made to hand over every byte as a Latin-1 letter, which loses nothing whatever the .cpg says; the
bytes are then judged here as a whole.
"""

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio

from gis.encoding import UnknownEncoding, WrongEncodingLabel, canonical, decode, detect
from gis.errors import BadInput, Problem

_NAME_BYTES, _TEXT_BYTES = 10, 254
_TEN_BY_NATURE = {"households", "population", "start_date"}


class ShortenedFields(BadInput):
    """Field names may have been cut at ten bytes: {fields}."""


class ShortenedNames(BadInput):
    """Shapefiles hold field names of ten bytes; written shorter: {fields}."""


class CutTexts(BadInput):
    """Field {field} has {count} texts beyond 254 bytes, which a Shapefile cuts; first in row {row}."""


class Unencodable(BadInput):
    """Field {field}, row {row}: {text} cannot be written in {encoding}; use UTF-8 or GB18030."""


def read_shapefile(path: Path, encoding: str = "auto") -> tuple[gpd.GeoDataFrame, str, list[Problem]]:
    """Read a Shapefile with its texts in whatever encoding they are.

    Parameters
    ----------
    path : Path
        The .shp file.
    encoding : str
        ``"auto"`` or a name that overrules .cpg and bytes.

    Returns
    -------
    tuple of GeoDataFrame, str and list of Problem
        The frame in its own CRS, the encoding used, and what is to be told.

    Raises
    ------
    UnknownEncoding
        If the name is none.

    Notes
    -----
    The language byte of the .dbf is not consulted: most writers leave a western default there.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     homes = gpd.GeoDataFrame({"name": ["一号楼"]}, geometry=gpd.points_from_xy([120], [30]), crs=4326)
    ...     told = write_shapefile(homes, Path(folder) / "homes.shp", "GBK", cpg=False)
    ...     frame, encoding, _ = read_shapefile(Path(folder) / "homes.shp")
    >>> told, frame["name"][0], encoding
    (({}, []), '一号楼', 'gb18030')
    """
    frame = pyogrio.read_dataframe(path, encoding="ISO-8859-1")
    texts = _text_columns(frame)
    raw = {column: frame[column].dropna().map(_bytes) for column in texts}
    names = [_bytes(column) for column in frame.columns]
    said = _declared(path)
    used = detect([*names, *pd.concat(raw.values())] if raw else names, said)
    told: list[Problem] = []
    if encoding != "auto":
        used = canonical(encoding)
    elif said and used != canonical(said) and not all(b.isascii() for s in raw.values() for b in s):
        told.append(WrongEncodingLabel(source=f"{path.stem}.cpg", declared=said, found=used))
    for column in texts:
        frame[column] = raw[column].map(lambda text: decode(text, used)).reindex(frame.index)
    frame.columns = [decode(name, used) for name in names]
    full = {n for n, b in zip(frame.columns, names, strict=True) if len(b) >= _NAME_BYTES - (not b.isascii())}
    cut = sorted(full - _TEN_BY_NATURE)
    if cut:
        told.append(ShortenedFields(fields=", ".join(cut)))
    return frame, used, told


def write_shapefile(
    frame: gpd.GeoDataFrame, path: Path, encoding: str = "UTF-8", cpg: bool = True
) -> tuple[dict[str, str], list[Problem]]:
    """Write a Shapefile, with short names chosen here so that they can be told.

    Parameters
    ----------
    frame : GeoDataFrame
    path : Path
        The .shp file.
    encoding : str
        Of its texts and names.
    cpg : bool
        Whether to say so in a .cpg file.

    Returns
    -------
    tuple of dict and list of Problem
        Long names and the short ones that stand for them, and what is to be told.

    Raises
    ------
    UnknownEncoding, Unencodable
        If a text has no bytes in the encoding.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     homes = gpd.GeoDataFrame({"name": ["一号楼"]}, geometry=gpd.points_from_xy([120], [30]), crs=4326)
    ...     told = write_shapefile(homes, Path(folder) / "homes.shp", "GBK", cpg=False)
    >>> told
    ({}, [])
    """
    codec = canonical(encoding)
    told = _refuse_unencodable(frame, codec, encoding)
    fields = [column for column in frame.columns if column != frame.geometry.name]
    short = short_names(fields, codec)
    shortened = {long: brief for long, brief in short.items() if long != brief}
    if shortened:
        pairs = ", ".join(f"{long} → {brief}" for long, brief in shortened.items())
        told.append(ShortenedNames(fields=pairs))
    pyogrio.write_dataframe(frame.rename(columns=short), path, driver="ESRI Shapefile", encoding=encoding)
    label = path.with_suffix(".cpg")
    label.unlink(missing_ok=True)
    if cpg:
        label.write_text(encoding, encoding="ascii")
    return shortened, told


def short_names(fields: list[str], encoding: str = "utf-8") -> dict[str, str]:
    """Choose names of at most ten bytes, cut between characters and told apart by a number.

    Parameters
    ----------
    fields : list of str
    encoding : str

    Returns
    -------
    dict of str to str
        In the order of `fields`; names that fit stay.

    Notes
    -----
    Shapefiles do not tell capitals apart, so neither does this.

    Examples
    --------
    >>> short_names(["management_level", "management_subject", "网格长姓名"])
    {'management_level': 'management', 'management_subject': 'manageme_1', '网格长姓名': '网格长'}
    """
    chosen = {name: name for name in fields if _cut(name, encoding) == name}
    taken = {name.upper() for name in chosen}
    for name in fields:
        if name in chosen:
            continue
        brief, number = _cut(name, encoding), 0
        while brief.upper() in taken:
            number += 1
            brief = _cut(name, encoding, room=len(f"_{number}")) + f"_{number}"
        chosen[name] = brief
        taken.add(brief.upper())
    return {name: chosen[name] for name in fields}


def full_names(columns: list[str], wanted: list[str], encoding: str = "utf-8") -> dict[str, str]:
    """Find the long names behind cut ones, where only one is possible.

    Parameters
    ----------
    columns : list of str
        As read.
    wanted : list of str
        The long names that may be behind them.
    encoding : str
        The file's.

    Returns
    -------
    dict of str to str
        Cut name to long name; ambiguous ones are left out.

    Examples
    --------
    >>> full_names(["management", "code"], ["management_level", "code"])
    {'management': 'management_level'}
    """
    found = {}
    absent = [name for name in wanted if name not in columns]
    for column in columns:
        behind = [name for name in absent if _cut(name, encoding) == column.rstrip("�")]
        if len(behind) == 1 and column not in wanted:
            found[column] = behind[0]
    return found


def _cut(name: str, encoding: str, room: int = 0) -> str:
    return decode(name.encode(encoding, "replace")[: _NAME_BYTES - room], encoding)


def _text_columns(frame: pd.DataFrame) -> list[str]:
    attributes = frame.drop(columns="geometry", errors="ignore")
    return [c for c in attributes if any(isinstance(v, str) for v in attributes[c])]


def _bytes(text: str) -> bytes:
    return text.encode("latin-1")


def _declared(path: Path) -> str | None:
    for suffix in (".cpg", ".CPG"):
        label = path.with_suffix(suffix)
        if label.exists():
            said = label.read_bytes()[:40].decode("ascii", "replace").strip()
            try:
                canonical(said)
            except UnknownEncoding:
                return None
            return said
    return None


def _refuse_unencodable(frame: gpd.GeoDataFrame, codec: str, encoding: str) -> list[Problem]:
    told: list[Problem] = []
    for column in _text_columns(frame):
        long = []
        for row, text in enumerate(frame[column], 1):
            if not isinstance(text, str):
                continue
            try:
                size = len(text.encode(codec))
            except UnicodeEncodeError as error:
                raise Unencodable(field=column, row=row, text=text, encoding=encoding) from error
            if size > _TEXT_BYTES:
                long.append(row)
        if long:
            told.append(CutTexts(field=column, count=len(long), row=long[0]))
    return told
