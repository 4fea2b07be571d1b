"""Tables people send: CSV in any encoding and XLSX, as texts indexed by the row number they see."""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import openpyxl
import pandas as pd

from gis.archive import judged
from gis.encoding import as_utf8
from gis.errors import BadInput, Problem
from gis.formats import EmptyLayer

_OLD_EXCEL = b"\xd0\xcf\x11\xe0"


class UnreadableTable(BadInput):
    """The table {file} cannot be read: {reason}."""


class OldWorkbook(UnreadableTable):
    """{file} is an Excel file of the old kind; save it as XLSX."""


class MissingColumn(BadInput):
    """{layer} has no column {column}; it has {known}."""


def read_table(path: Path, needed: Iterable[str] = ()) -> pd.DataFrame:
    """Return a CSV or XLSX file as a frame of texts; the index is the row number in the file, header is row 1.

    Raises
    ------
    UnreadableTable
        It is neither, or damaged.
    EmptyLayer
        It has no rows.
    MissingColumn
        A needed column is not there.
    """
    try:
        with path.open("rb") as source:
            rows = list(read_rows(path.name, source))
    except OSError as wrong:
        raise UnreadableTable(file=path.name, reason=str(wrong)) from wrong
    if len(rows) < 2:
        raise EmptyLayer(layer=path.name)
    header = [name.strip() for name in rows[0]]
    width = len(header)
    body = [(row + [""] * width)[:width] for row in rows[1:]]
    table = pd.DataFrame(body, columns=header, index=range(2, len(rows) + 1), dtype=object)
    for column in needed:
        if column not in header:
            raise MissingColumn(layer=path.name, column=column, known=", ".join(header))
    return table[(table != "").any(axis=1)]


def read_rows(name: str, source: BinaryIO) -> Iterator[list[str]]:
    """Yield the rows of a CSV or XLSX file as texts, the header and empty ones too; `name` is for messages.

    Raises
    ------
    UnreadableTable
        It is neither, or damaged.
    EmptyLayer
        There is nothing in it.
    UnsafeArchive, TooLargeArchive
        An XLSX file, which is an archive, is not what it seems.

    Examples
    --------
    >>> list(read_rows("streets.csv", io.BytesIO("编码,名称\\n001,荷花池".encode("gbk"))))
    [['编码', '名称'], ['001', '荷花池']]
    """
    try:
        yield from _xlsx(name, source) if zipfile.is_zipfile(source) else _csv(name, source)
    except Problem:
        raise
    except Exception as wrong:  # a damaged workbook meets openpyxl with whatever its parsers raise
        raise UnreadableTable(file=name, reason=str(wrong) or type(wrong).__name__) from wrong


def _csv(name: str, source: BinaryIO) -> Iterable[list[str]]:
    source.seek(0)
    content = source.read()
    if content.startswith(_OLD_EXCEL):
        raise OldWorkbook(file=name)
    if b"\0" in content[:4096] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableTable(file=name, reason="not a text")
    text, _ = as_utf8(content)
    lines = text.splitlines()
    if not lines:
        raise EmptyLayer(layer=name)
    delimiter = max(",;\t", key=lines[0].count)
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)


def _xlsx(name: str, source: BinaryIO) -> Iterable[list[str]]:
    with zipfile.ZipFile(source) as archive:
        judged(name, archive)  # refuses bombs before openpyxl unpacks it
    book = openpyxl.load_workbook(source, read_only=True, data_only=True)
    sheet = book.worksheets[0]
    sheet.reset_dimensions()  # other programs write them wrongly, and rows would be lost
    return ([_cell(value) for value in row] for row in sheet.iter_rows(values_only=True))


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
