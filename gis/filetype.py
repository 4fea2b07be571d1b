"""What a file is, told from its bytes; a name promises nothing."""

from pathlib import Path

from gis.errors import BadInput

FORMATS = "GeoPackage, GeoJSON, Shapefile (also zipped), FlatGeobuf, GeoParquet, KML"


class UnreadableFile(BadInput):
    """{name} cannot be read: {reason}."""


class UnknownFormat(UnreadableFile):
    """{name} is, or holds, none of {formats}."""


class EmptyFile(BadInput):
    """{name} is empty."""


def kind_of(path: Path) -> str:
    """Say what a file is, by its first bytes.

    Parameters
    ----------
    path : Path

    Returns
    -------
    str
        ``folder``, ``gpkg``, ``fgb``, ``parquet``, ``zip``, ``shp``, ``geojson`` or ``kml``.

    Raises
    ------
    EmptyFile, UnreadableFile
        If it is none of them.

    Examples
    --------
    >>> kind_of(Path("/"))
    'folder'
    """
    if path.is_dir():
        return "folder"
    if not path.is_file():
        raise UnreadableFile(name=path.name, reason="there is no such file")
    with path.open("rb") as file:
        head = file.read(4096)
    if not head.strip():
        raise EmptyFile(name=path.name)
    text = head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    signs = {
        "gpkg": head.startswith(b"SQLite format 3\0") and head[68:72] in (b"GPKG", b"GP10", b"GP11"),
        "fgb": head[:3] == head[4:7] == b"fgb",
        "parquet": head.startswith(b"PAR1"),
        "zip": head.startswith((b"PK\x03\x04", b"PK\x05\x06")),
        "shp": head.startswith(b"\x00\x00\x27\x0a")
        and path.suffix.lower() != ".shx",  # its index starts alike
        "geojson": text.startswith(b"{"),
        "kml": text.startswith(b"<") and b"<kml" in text,
    }
    for kind, applies in signs.items():
        if applies:
            return kind
    raise UnknownFormat(name=path.name, formats=FORMATS)
