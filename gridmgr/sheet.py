"""Tables people send and take away: read with every bad cell named, written so that no cell can do harm.

A noun says what it reads as a table of columns: the headings each may stand under, the parser that makes
its text a value, and what an empty cell means. Nothing is taken before every row has been looked at:

    COLUMNS = {
        "code": Column(("编码", "code"), text(32)),
        "severity": Column(("级别", "severity"), number(1, 3, whole=True), default=1),
    }
    sheet = read(content, filename, COLUMNS)
    rows = sheet.accepted([row.error("code", CodeTwice()) for row in doubled(sheet.rows)])
"""

import csv
import io
import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import chain, islice
from tempfile import TemporaryFile
from typing import Any

from gis.errors import Problem
from gridmgr import clock
from gridmgr.errors import BadInput

MOST_ROWS = 200_000
SHOWN = 100  # characters of a bad value that are worth repeating

Parser = Callable[[str], Any]
REQUIRED = object()


class SheetError(BadInput):
    """Row {row}, column {column}, “{value}”: {reason}"""

    @property
    def reason(self) -> Problem:
        """What is wrong with the cell, as a problem of its own."""
        return self.details["reason"]


class BadSheet(BadInput):
    """Nothing was taken, the table has {count} errors. {first}"""

    def __init__(self, errors: Iterable[SheetError]):
        self.errors = sorted(errors, key=lambda error: error.details["row"])
        super().__init__(count=len(self.errors), first=self.errors[0])


class TooManyRows(BadInput):
    """{file} has more than {limit} rows; divide it."""


class ColumnMissing(BadInput):
    """There is no such column."""


class ColumnTwice(BadInput):
    """There are two such columns."""


class Empty(BadInput):
    """Something must stand here."""


class HoldsNul(BadInput):
    """It holds a NUL character."""


class NotUnderstood(BadInput):
    """This cannot be read."""


class TooLong(BadInput):
    """It is longer than {most} characters."""


class NotOneOf(BadInput):
    """It is none of: {known}."""


class NotANumber(BadInput):
    """It is no number from {least} to {most}."""


class NotWhole(BadInput):
    """It is no whole number from {least} to {most}."""


class NoSuchDay(BadInput):
    """There is no such day; write a day as 2026-02-15 or 2026年2月15日."""


@dataclass(frozen=True)
class Column:
    """A column: its possible headings, how its text is read, and what an empty cell or no column means."""

    headings: tuple[str, ...]
    parse: Parser
    default: Any = REQUIRED


@dataclass(frozen=True)
class Row:
    """A row that could be read: its values by the names of our columns."""

    number: int  # as the spreadsheet counts, the headings being row 1
    values: Mapping[str, Any]
    cells: Mapping[str, tuple[str, str]]  # the heading and the text each value was read from

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def error(self, name: str, reason: Problem) -> SheetError:
        """Return that the value of a column cannot be used, for a reason only other rows or tables show."""
        return _error(self.number, *self.cells[name], reason)


@dataclass(frozen=True)
class Sheet:
    """What was read of a file: the good rows, every error, and the headings nobody asked for."""

    rows: list[Row]
    errors: list[SheetError]
    ignored: tuple[str, ...]

    def accepted(self, more: Iterable[SheetError] = ()) -> list[Row]:
        """Return the rows if there is no error at all, `more` being those the noun itself has found.

        Raises
        ------
        BadSheet
            It lists them all.
        """
        errors = [*self.errors, *more]
        if errors:
            raise BadSheet(errors)
        return self.rows


def read(content: bytes, filename: str, columns: Mapping[str, Column]) -> Sheet:
    """Read a CSV or XLSX file, whatever its encoding, against a table of columns.

    Raises
    ------
    UnreadableTable, EmptyLayer, UnsafeArchive, TooLargeArchive
        It is no such file.
    TooManyRows
    """
    from gis.tables import EmptyLayer, read_rows

    rows = read_rows(filename, io.BytesIO(content))
    numbered = ((n, cells) for n, cells in enumerate(rows, start=1) if any(cell.strip() for cell in cells))
    first, headings = next(numbered, (1, []))
    if not headings:
        raise EmptyLayer(layer=filename)
    found, errors = _places(columns, first, [heading.strip() for heading in headings])
    good: list[Row] = []
    for count, (line, cells) in enumerate(() if errors else numbered, start=1):
        if count > MOST_ROWS:
            raise TooManyRows(file=filename, limit=MOST_ROWS)
        row, bad = _row(columns, found, line, cells)
        good += [] if bad else [row]
        errors += bad
    taken = {place for place, _heading in found.values()}
    ignored = [heading for n, heading in enumerate(headings) if heading.strip() and n not in taken]
    return Sheet(good, errors, tuple(ignored))


def of_cells(rows: Iterable[Mapping[str, str]], columns: Mapping[str, Column]) -> Sheet:
    """Return rows that were typed on a page as a file's are read; each is numbered from 1, by our own names."""
    found = {name: (place, name) for place, name in enumerate(columns)}
    good: list[Row] = []
    errors: list[SheetError] = []
    for line, cells in enumerate(rows, start=1):
        row, bad = _row(columns, found, line, [cells.get(name, "") for name in columns])
        good += [] if bad else [row]
        errors += bad
    return Sheet(good, errors, ())


def _places(
    columns: Mapping[str, Column], row: int, headings: list[str]
) -> tuple[dict[str, tuple[int, str]], list[SheetError]]:
    """Return where each column stands and under which heading, and which ones are missing or there twice."""
    found, errors = {}, []
    for name, column in columns.items():
        known = {heading.casefold() for heading in column.headings}
        places = [n for n, heading in enumerate(headings) if heading.casefold() in known]
        if len(places) > 1:
            errors.append(_error(row, headings[places[1]], headings[places[1]], ColumnTwice()))
        elif places:
            found[name] = (places[0], headings[places[0]])
        elif column.default is REQUIRED:
            errors.append(_error(row, " / ".join(column.headings), "", ColumnMissing()))
    return found, errors


def _row(
    columns: Mapping[str, Column], found: Mapping[str, tuple[int, str]], line: int, texts: list[str]
) -> tuple[Row, list[SheetError]]:
    cells = dict.fromkeys(columns, ("", ""))
    for name, (place, heading) in found.items():
        cells[name] = (heading, _unquoted(texts[place].strip()) if place < len(texts) else "")
    values, errors = {}, []
    for name, column in columns.items():
        try:
            values[name] = _value(column, cells[name][1])
        except BadInput as reason:
            errors.append(_error(line, *cells[name], reason))
        except ValueError:
            errors.append(_error(line, *cells[name], NotUnderstood()))
    return Row(line, values, cells), errors


def _value(column: Column, cell: str) -> Any:
    if "\0" in cell:
        raise HoldsNul
    if cell:
        return column.parse(cell)
    if column.default is REQUIRED:
        raise Empty
    return column.default


def _error(row: int, column: str, value: str, reason: Problem) -> SheetError:
    return SheetError(row=row, column=column, value=value[:SHOWN].replace("\0", "�"), reason=reason)


def text(most: int) -> Parser:
    """Return the parser of a text of so many characters."""

    def parse(cell: str) -> str:
        if len(cell) > most:
            raise TooLong(most=most)
        return cell

    return parse


def one_of(words: Mapping[str, Any]) -> Parser:
    """Return the parser of a word from a table, whatever its case and the width of its letters."""
    values = {_plain(word): value for word, value in words.items()}

    def parse(cell: str) -> Any:
        try:
            return values[_plain(cell)]
        except KeyError as unknown:
            raise NotOneOf(known=", ".join(words)) from unknown

    return parse


def number(least: float, most: float, *, whole: bool = False) -> Parser:
    """Return the parser of a number between two bounds, both included."""
    refusal = NotWhole if whole else NotANumber

    def parse(cell: str) -> float | int:
        try:
            value = float(_plain(cell).replace(",", ""))
        except ValueError:
            value = math.nan
        if not least <= value <= most or (whole and value != int(value)):
            raise refusal(least=least, most=most)
        return int(value) if whole else value

    return parse


_DAY = re.compile(
    r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?:[ t]00:00(?::00)?)?(?:\s*\([^()]*\))?"
    r"|(\d{4})(\d\d)(\d\d)"
)


def day(cell: str) -> date:
    """Read a day as offices write it: 2026-02-15, 2026/2/15, 2026.2.15, 20260215 or 2026年2月15日（周日）.

    Raises
    ------
    NoSuchDay
    """
    match = _DAY.fullmatch(_plain(cell))
    try:
        found = date(*(int(part) for part in match.groups() if part)) if match else None
    except ValueError:  # the 30th of February
        found = None
    if found is None or not clock.FIRST_DAY <= found <= clock.LAST_DAY:
        raise NoSuchDay
    return found


def _plain(cell: str) -> str:
    """Return a text with full-width letters and digits made plain, in one case."""
    return unicodedata.normalize("NFKC", cell).strip().casefold()


class Format(StrEnum):
    """How a table leaves."""

    CSV = "csv"
    XLSX = "xlsx"

    @property
    def media(self) -> str:
        """The media type of such a file."""
        return {
            Format.CSV: "text/csv; charset=utf-8",
            Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }[self]


PORTION = 1000  # rows, and kilobytes
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def stream(kind: Format, headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """Yield a table as the bytes of a file, row by row; instants as the district's clock shows them.

    Text that a spreadsheet would run as a formula stays text: CSV gets a quote before it, which `read`
    takes off again; XLSX says so of the cell.
    """
    return (_csv if kind is Format.CSV else _xlsx)(headings, rows)


def _csv(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    pending = iter(chain([headings], rows))
    mark = "\ufeff"  # or Excel takes it for a table in the system's own encoding
    while portion := list(islice(pending, PORTION)):
        lines = io.StringIO()
        csv.writer(lines).writerows([_quoted(_shown(value)) for value in row] for row in portion)
        yield (mark + lines.getvalue()).encode()
        mark = ""


def _quoted(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def _unquoted(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and _FORMULA.match(cell) else cell


def _shown(value: Any) -> Any:
    if value is None:
        return ""
    return clock.local(value).replace(microsecond=0, tzinfo=None) if isinstance(value, datetime) else value


def _xlsx(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    import openpyxl
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font, PatternFill
    from openpyxl.utils import get_column_letter

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.freeze_panes = "A2"

    def cell(value: Any) -> Any:
        value = _shown(value)
        if not isinstance(value, str):
            return value
        value = _CONTROL.sub("", _quoted(value) if value[:1] == "'" else value)
        if value[:1] not in ("=", "#"):
            return value
        plain = WriteOnlyCell(sheet, value)
        plain.data_type = "s"  # never a formula, nor one of Excel's errors
        return plain

    def heading(value: str) -> WriteOnlyCell:
        bold = WriteOnlyCell(sheet, value)
        bold.font, bold.fill = Font(bold=True), PatternFill("solid", fgColor="E8EEF4")
        return bold

    pending = iter(rows)
    first = list(islice(pending, PORTION))
    for n, values in enumerate(zip(headings, *first, strict=True), start=1):
        sheet.column_dimensions[get_column_letter(n)].width = _width(values)
    sheet.append([heading(value) for value in headings])
    for row in chain(first, pending):
        sheet.append([cell(value) for value in row])
    with TemporaryFile() as file:
        book.save(file)
        file.seek(0)
        while portion := file.read(PORTION * 1024):
            yield portion


def _width(values: Iterable[Any]) -> int:
    """Return how wide a column is to be, in letters; a Chinese one counts twice."""
    widest = max(sum(1 + (ord(letter) > 0x2E7F) for letter in str(_shown(value))[:60]) for value in values)
    return min(max(widest + 2, 8), 60)
