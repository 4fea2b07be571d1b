"""Map files in and out: what a file is comes from its bytes, never from its name."""

import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyarrow
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError, FieldError, GeometryError

from gis.archive import unpacked
from gis.crs import STORAGE, MissingCrs, parse
from gis.encoding import as_utf8, mojibake
from gis.errors import BadInput, Problem
from gis.filetype import FORMATS, EmptyFile, UnknownFormat, UnreadableFile, kind_of
from gis.shapefile import full_names, read_shapefile, write_shapefile

_DRIVERS = {
    ".gpkg": "GPKG",
    ".geojson": "GeoJSON",
    ".json": "GeoJSON",
    ".fgb": "FlatGeobuf",
    ".kml": "LIBKML",
}
_SUFFIXES = (*_DRIVERS, ".shp", ".zip", ".parquet", ".geoparquet")
_KML_FURNITURE = {"id", "description", "timestamp", "begin", "end", "altitudeMode", "tessellate", "extrude"}
_KML_FURNITURE |= {"visibility", "drawOrder", "icon", "snippet"}
_BROKEN = (DataSourceError, DataLayerError, FieldError, GeometryError, pyarrow.ArrowException)
_UNREADABLE = (*_BROKEN, ValueError, IndexError, OSError)


class EmptyLayer(BadInput):
    """Layer {layer} has no rows."""


class WrongLayer(BadInput):
    """{name} has no layer {layer}; it has {layers}."""


class UnnamedLayer(BadInput):
    """{name} has several layers; say which: {layers}."""


class WrongGeometry(BadInput):
    """{count} rows are no polygons; the first is row {row}, {kind}."""


class DroppedHeights(BadInput):
    """{count} geometries carried heights or measures, which were dropped."""


class MixedGeometry(BadInput):
    """Layer {layer} mixes {kinds}."""


class UnknownSuffix(BadInput):
    """{name} cannot be written; the name must end in one of {suffixes}."""


@dataclass(frozen=True)
class LayerRead:
    """A layer as it came: in its own CRS, with what had to be guessed and what is wrong."""

    layer: str
    frame: gpd.GeoDataFrame
    encoding: str
    preview: list[str]
    warnings: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class LayerWritten:
    """Where a layer went, the names that were shortened (long to short) and what is to be told."""

    path: Path
    shortened: dict[str, str] = field(default_factory=dict)
    warnings: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class _Source:
    kind: str
    path: Path
    inner: str | None = None  # the layer's name inside a file of many


def layers(path) -> list[str]:
    """List the layers of a map file.

    Parameters
    ----------
    path : str or Path
        A file, a folder of Shapefiles, or a zip of map files.

    Returns
    -------
    list of str

    Raises
    ------
    EmptyFile, UnreadableFile
        If it is no map.
    UnsafeArchive, TooLargeArchive, BrokenArchive
        See `gis.archive.unpacked`.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     homes = gpd.GeoDataFrame({"name": ["一号楼"]}, geometry=[shapely.box(120, 30, 121, 31)], crs=4326)
    ...     written = write_layer(homes, Path(folder) / "city.gpkg", layer="building")
    ...     layers(written.path)
    ['building']
    """
    with _opened(Path(path)) as sources:
        return list(sources)


def read_layer(path, layer: str | None = None, encoding: str = "auto", crs=None, fields=()) -> LayerRead:
    """Read one layer of a map file as it is.

    Parameters
    ----------
    path : str or Path
        A file, a folder of Shapefiles, or a zip of map files.
    layer : str, optional
        Its name; needless where there is only one.
    encoding : str
        ``"auto"`` or the name of the text's encoding.
    crs : str, int or pyproj.CRS, optional
        Overrules what the file says.
    fields : sequence of str
        Long field names to be put back where a Shapefile cut them and only one can be meant.

    Returns
    -------
    LayerRead
        The frame in its own CRS, two-dimensional, in file order; rows in warnings count from 1.

    Raises
    ------
    EmptyFile, UnreadableFile, EmptyLayer, WrongLayer, UnnamedLayer
        If there is nothing to read or no knowing what.
    MissingCrs, UnknownCrs, UnknownEncoding
        If it cannot be understood.
    UnsafeArchive, TooLargeArchive, BrokenArchive
        See `gis.archive.unpacked`.

    Notes
    -----
    GeoJSON without a CRS is WGS-84 (RFC 7946, section 4), as is KML.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     homes = gpd.GeoDataFrame({"name": ["一号楼"]}, geometry=[shapely.box(120, 30, 121, 31)], crs=4326)
    ...     written = write_layer(homes, Path(folder) / "homes.shp", encoding="GBK", cpg=False)
    ...     came = read_layer(written.path)
    >>> came.encoding, came.preview
    ('gb18030', ['一号楼'])
    """
    path = Path(path)
    with _opened(path) as sources:
        name = _choose(path, sources, layer)
        try:
            frame, used, told = _read(sources[name], encoding)
        except _UNREADABLE as error:
            raise UnreadableFile(name=path.name, reason=_first_line(error)) from error
    if not isinstance(frame, gpd.GeoDataFrame):
        raise UnreadableFile(name=path.name, reason=f"layer {name} has no geometry")
    if frame.empty:
        raise EmptyLayer(layer=name)
    if crs is not None:
        frame = frame.set_crs(parse(crs), allow_override=True)
    if frame.crs is None:
        raise MissingCrs(source=path.name)
    frame = frame.rename(columns=full_names(list(frame.columns), list(fields), used))
    frame, noticed = _flat(frame, name)
    texts = frame.drop(columns=frame.geometry.name)
    return LayerRead(name, frame, used, _preview(texts), [*told, *noticed, *mojibake(texts.items())])


def polygons_only(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the frame if every row is a polygon.

    Parameters
    ----------
    frame : GeoDataFrame, any CRS

    Returns
    -------
    GeoDataFrame
        The same.

    Raises
    ------
    WrongGeometry
        Naming the first row (counted from 1) that is a point, a line, a collection, empty or missing.

    Examples
    --------
    >>> polygons_only(gpd.GeoDataFrame(geometry=[shapely.Point(120, 30)]))
    Traceback (most recent call last):
    gis.formats.WrongGeometry: 1 rows are no polygons; the first is row 1, a Point.
    """
    kinds = frame.geometry.geom_type.where(~frame.geometry.is_empty)
    wrong = (~kinds.isin(["Polygon", "MultiPolygon"])).to_numpy()
    if wrong.any():
        kind = kinds.iloc[wrong.argmax()]
        words = "without geometry" if pd.isna(kind) else f"a {kind}"
        raise WrongGeometry(row=int(wrong.argmax()) + 1, kind=words, count=int(wrong.sum()))
    return frame


def write_layer(
    frame: gpd.GeoDataFrame, path, layer: str | None = None, encoding: str = "UTF-8", cpg: bool = True
) -> LayerWritten:
    """Write a layer in the format that the file's name says.

    Parameters
    ----------
    frame : GeoDataFrame, any declared CRS
        GeoJSON and KML are brought to EPSG:4326, as their standards want.
    path : str or Path
        Ending in .gpkg, .geojson, .json, .fgb, .kml, .shp, .zip (Shapefile), .parquet or .geoparquet.
    layer : str, optional
        Its name; the file's otherwise. A GeoPackage keeps its other layers.
    encoding : str
        Of a Shapefile's texts.
    cpg : bool
        Whether a Shapefile says its encoding.

    Returns
    -------
    LayerWritten

    Raises
    ------
    MissingCrs, UnknownSuffix, Unencodable, UnknownEncoding
        If it cannot be written without loss.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     homes = gpd.GeoDataFrame({"households": [7]}, geometry=[shapely.box(120, 30, 121, 31)], crs=4326)
    ...     write_layer(homes.assign(management_level=1), Path(folder) / "homes.zip").shortened
    {'management_level': 'management'}
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in _SUFFIXES:
        raise UnknownSuffix(name=path.name, suffixes=", ".join(_SUFFIXES))
    if frame.crs is None:
        raise MissingCrs(source="The layer")
    if suffix == ".shp":
        return LayerWritten(path, *write_shapefile(frame, path, encoding, cpg))
    if suffix == ".zip":
        with tempfile.TemporaryDirectory(prefix="gridmgr-") as folder:
            inside = Path(folder) / f"{layer or path.stem}.shp"
            told = write_shapefile(frame, inside, encoding, cpg)
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                for part in sorted(inside.parent.iterdir()):
                    archive.write(part, part.name)
        return LayerWritten(path, *told)
    if suffix not in _DRIVERS:
        frame.to_parquet(path)
        return LayerWritten(path)
    driver = _DRIVERS[suffix]
    lonlat = frame.to_crs(STORAGE) if driver in ("GeoJSON", "LIBKML") else frame
    pyogrio.write_dataframe(lonlat, path, layer=layer or path.stem, driver=driver)
    return LayerWritten(path)


@contextmanager
def _opened(path: Path) -> Iterator[dict[str, _Source]]:
    kind = kind_of(path)
    if kind == "zip":
        with unpacked(path) as folder:
            yield _in_folder(folder, path.name)
    elif kind == "folder":
        yield _in_folder(path, path.name)
    else:
        try:
            sources = _in_file(path, kind)
        except _BROKEN as error:
            raise UnreadableFile(name=path.name, reason=_first_line(error)) from error
        yield sources


def _in_folder(folder: Path, name: str) -> dict[str, _Source]:
    found: dict[str, _Source] = {}
    for file in sorted(f for f in folder.rglob("*") if f.is_file()):
        try:
            inside = _in_file(file, kind_of(file))
        except (EmptyFile, UnreadableFile):  # side files, read-me files
            continue
        for layer, source in inside.items():
            found[f"{file.relative_to(folder).with_suffix('')}" if layer in found else layer] = source
    if not found:
        raise UnknownFormat(name=name, formats=FORMATS)
    return found


def _in_file(path: Path, kind: str) -> dict[str, _Source]:
    if kind == "kml":
        names = pyogrio.list_layers(_kml(path, "auto")[0])[:, 0]
    elif kind == "gpkg":
        names = pyogrio.list_layers(path)[:, 0]
    elif kind == "zip":
        raise UnreadableFile(name=path.name, reason="it is an archive inside a folder")
    else:
        return {path.stem: _Source(kind, path)}
    return {name: _Source(kind, path, name) for name in names}


def _choose(path: Path, sources: dict[str, _Source], layer: str | None) -> str:
    if layer is None and len(sources) == 1:
        return next(iter(sources))
    if layer in sources:
        return layer
    details = {"name": path.name, "layers": ", ".join(sources)}
    raise UnnamedLayer(**details) if layer is None else WrongLayer(layer=layer, **details)


def _read(source: _Source, encoding: str) -> tuple[pd.DataFrame, str, list[Problem]]:
    if source.kind == "shp":
        return read_shapefile(source.path, encoding)
    if source.kind == "parquet":
        return gpd.read_parquet(source.path), "utf-8", []
    if source.kind == "kml":
        content, used = _kml(source.path, encoding)
        frame = pyogrio.read_dataframe(content, layer=source.inner)
        frame = frame.drop(columns=[c for c in _KML_FURNITURE if c in frame and frame[c].nunique() < 2])
        return frame.rename(columns={} if "name" in frame else {"Name": "name"}), used, []
    if source.kind == "geojson":
        text, used = as_utf8(source.path.read_bytes(), encoding)
        return pyogrio.read_dataframe(text.encode()), used, []
    return pyogrio.read_dataframe(source.path, layer=source.inner), "utf-8", []


def _kml(path: Path, encoding: str) -> tuple[bytes, str]:
    """The file in UTF-8, without the declaration that says otherwise, and what it was in."""
    text, used = as_utf8(path.read_bytes(), encoding)
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise UnreadableFile(name=path.name, reason="it declares entities, which may expand without end")
    body = text[text.index("?>") + 2 :] if text.lstrip().startswith("<?xml") else text
    return body.strip().encode(), used


def _flat(frame: gpd.GeoDataFrame, layer: str) -> tuple[gpd.GeoDataFrame, list[Problem]]:
    geometry = frame.geometry.array
    told: list[Problem] = []
    high = shapely.has_z(geometry) | shapely.has_m(geometry)
    if high.any():
        told.append(DroppedHeights(count=int(high.sum())))
        frame = frame.set_geometry(gpd.GeoSeries(shapely.force_2d(geometry), frame.index, crs=frame.crs))
    kinds = sorted({k.removeprefix("Multi") for k in frame.geometry.geom_type.dropna()})
    if len(kinds) > 1:
        told.append(MixedGeometry(layer=layer, kinds=", ".join(kinds)))
    return frame, told


def _preview(texts: pd.DataFrame, size: int = 5) -> list[str]:
    """A few texts to judge the encoding by, those that are not ASCII first."""
    seen = dict.fromkeys(v for column in texts for v in texts[column].head(1000) if isinstance(v, str) and v)
    return sorted(seen, key=str.isascii)[:size]


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
