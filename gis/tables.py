"""Tables people send: CSV in any encoding and XLSX, as texts indexed by the row number they see."""

import csv
import io
import zipfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import openpyxl
import pandas as pd

from gis.archive import unpacked
from gis.encoding import as_utf8
from gis.errors import BadInput, Problem
from gis.formats import EmptyLayer


class UnreadableTable(BadInput):
    """The table {file} cannot be read: {reason}."""


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
        rows = list(_xlsx(path) if zipfile.is_zipfile(path) else _csv(path))
    except Problem:
        raise
    except (
        OSError,
        ValueError,
        KeyError,
        csv.Error,
        zipfile.BadZipFile,
        openpyxl.utils.exceptions.InvalidFileException,
    ) as wrong:
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


def _csv(path: Path) -> Iterable[list[str]]:
    content = path.read_bytes()
    if b"\0" in content[:4096] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableTable(file=path.name, reason="not a text")
    text, _ = as_utf8(content)
    lines = text.splitlines()
    if not lines:
        raise EmptyLayer(layer=path.name)
    delimiter = max(",;\t", key=lines[0].count)
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)


def _xlsx(path: Path) -> Iterable[list[str]]:
    with unpacked(path):  # refuses bombs before openpyxl unpacks it again
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    sheet = book.worksheets[0]
    return [[_cell(value) for value in row] for row in sheet.iter_rows(values_only=True)]


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
