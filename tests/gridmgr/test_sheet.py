"""Tables in: every bad cell named. Tables out: nothing in them runs."""

import io
import zipfile
from datetime import UTC, date, datetime

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.archive import TooLargeArchive
from gis.tables import EmptyLayer, UnreadableTable
from gridmgr import i18n
from gridmgr.errors import BadInput
from gridmgr.sheet import (
    BadSheet,
    Column,
    Format,
    NoSuchDay,
    Sheet,
    day,
    number,
    one_of,
    read,
    stream,
    text,
)

COLUMNS = {
    "name": Column(("姓名", "name"), text(8)),
    "role": Column(("角色", "role"), one_of({"网格员": "grid_member", "grid_member": "grid_member"})),
    "since": Column(("日期", "since"), day),
    "share": Column(("份额", "share"), number(0, 100), default=None),
}
HEAD = "姓名,角色,日期,份额\n"


def csv(*lines: str, encoding: str = "utf-8") -> Sheet:
    return read((HEAD + "\n".join(lines)).encode(encoding), "人员.csv", COLUMNS)


def reasons(sheet: Sheet) -> list[tuple[int, str, str, str]]:
    with pytest.raises(BadSheet) as refused:
        sheet.accepted()
    told = [error.details for error in refused.value.errors]
    return [(each["row"], each["column"], each["value"], type(each["reason"]).__name__) for each in told]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_rows_are_read_in_whatever_encoding_they_come(encoding):
    (row,) = csv("王芳,网格员,2026年2月15日,12.5", encoding=encoding).accepted()
    assert row.values == {"name": "王芳", "role": "grid_member", "since": date(2026, 2, 15), "share": 12.5}


def test_headings_may_stand_in_any_order_and_language_and_others_are_named():
    sheet = read("备注,SINCE,name,Role\nx,2026-02-15,Ann,GRID_MEMBER\n".encode(), "a.csv", COLUMNS)
    assert sheet.accepted()[0]["role"] == "grid_member"
    assert sheet.accepted()[0]["share"] is None
    assert sheet.ignored == ("备注",)


def test_every_bad_cell_is_named_by_row_and_column_and_no_row_is_taken():
    sheet = csv(
        "王芳,网格员,2026-02-15,1",
        "",
        "名字长得放不进这一栏,队长,2026-02-30,101",
        ",网格员,2026-02-15,一半",
    )
    assert reasons(sheet) == [
        (4, "姓名", "名字长得放不进这一栏", "TooLong"),
        (4, "角色", "队长", "NotOneOf"),
        (4, "日期", "2026-02-30", "NoSuchDay"),
        (4, "份额", "101", "NotANumber"),
        (5, "姓名", "", "Empty"),
        (5, "份额", "一半", "NotANumber"),
    ]


def test_a_noun_adds_what_only_several_rows_show():
    class Twice(BadInput):
        """It stands in row {other} already."""

    sheet = csv("王芳,网格员,2026-02-15,1", "王芳,网格员,2026-02-16,1", "李,网格员,?,1")
    with pytest.raises(BadSheet) as refused:
        sheet.accepted([sheet.rows[1].error("name", Twice(other=2))])
    assert [str(error) for error in refused.value.errors] == [
        "Row 3, column 姓名, “王芳”: It stands in row 2 already.",
        f"Row 4, column 日期, “?”: {NoSuchDay()}",
    ]


def test_errors_are_told_in_the_language_of_the_reader():
    with pytest.raises(BadSheet) as refused:
        csv("王芳,网格员,2026-02-30,1").accepted()
    assert i18n.say(refused.value).count("第 2 行“日期”列") == 1
    assert "没有这一天" in i18n.say(refused.value)


def test_missing_and_doubled_columns_are_errors_of_the_heading():
    assert reasons(read("姓名,name,角色\nx,y,网格员\n".encode(), "a.csv", COLUMNS)) == [
        (1, "name", "name", "ColumnTwice"),
        (1, "日期 / since", "", "ColumnMissing"),
    ]


@pytest.mark.parametrize(
    "written",
    [
        "2026-02-15",
        "2026/2/15",
        "2026.2.15",
        "20260215",
        "2026年2月15日",
        "２０２６年２月１５日（周日）",
        "2026-02-15 00:00:00",
    ],
)
def test_a_day_is_read_as_offices_write_it(written):
    assert day(written) == date(2026, 2, 15)


@pytest.mark.parametrize(
    "written", ["2026-02-30", "15.2.2026", "0001-01-01", "9999-01-01", "2026-2", "", "2026-02-15 08:00"]
)
def test_what_is_no_day_is_refused(written):
    with pytest.raises(NoSuchDay):
        day(written)


@pytest.mark.parametrize("written", ["nan", "inf", "1e999", "0x10", "-1", "1.5"])
def test_what_is_no_number_from_one_to_three_is_refused(written):
    with pytest.raises(BadInput):
        number(1, 3, whole=True)(written)


def book(*rows: list) -> bytes:
    out, made = io.BytesIO(), openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    made.save(out)
    return out.getvalue()


def test_a_workbook_is_read_with_its_dates_and_numbers():
    content = book(["姓名", "角色", "日期", "份额"], ["王芳", "网格员", date(2026, 2, 15), 3], [None] * 4)
    (row,) = read(content, "人员.xlsx", COLUMNS).accepted()
    assert (row.number, row["since"], row["share"]) == (2, date(2026, 2, 15), 3.0)


def test_a_workbook_whose_dimensions_are_wrong_is_read_whole():
    content = book(["姓名", "角色", "日期"], *[["王芳", "网格员", "2026-02-15"]] * 3)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b'ref="A1:C4"', b'ref="A1"'))
    assert len(read(out.getvalue(), "人员.xlsx", COLUMNS).accepted()) == 3


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b" " * 30_000_000)
    return out.getvalue()


def broken() -> bytes:
    content = bytearray(book(["姓名"], ["王"]))
    content[60:400] = bytes(340)
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"", EmptyLayer),
        (b"\n , \n", EmptyLayer),
        (b"\x89PNG\r\n\x1a\n\0\0\0", UnreadableTable),
        (b"\xd0\xcf\x11\xe0" + bytes(600), UnreadableTable),
        (broken(), UnreadableTable),
        (bomb(), TooLargeArchive),
    ],
    ids=["nothing", "blanks", "picture", "old Excel", "damaged", "bomb"],
)
def test_what_is_no_table_is_refused(content, refusal):
    with pytest.raises(refusal):
        read(content, "人员.xlsx", COLUMNS)


def test_text_the_database_cannot_hold_is_an_error_of_its_cell():
    padding = "x" * 5000  # beyond what is looked at to tell a text from other files
    content = f"备注,姓名,角色,日期\n{padding},王\0芳,网格员,2026-02-15\n"
    sheet = read(content.encode(), "a.csv", COLUMNS)
    assert reasons(sheet) == [(2, "姓名", "王�芳", "HoldsNul")]


TEXTS = st.builds(
    "{}{}".format,
    st.sampled_from(["", "=", "+", "-", "@", "'", "'=", "''-", "#N/A"]),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20),
)


@given(st.sampled_from(Format), st.lists(TEXTS, min_size=1, max_size=5))
def test_what_is_written_is_read_again_as_it_was(kind, names):
    content = b"".join(stream(kind, ["name", "n"], [(name, 1) for name in names]))
    columns = {"name": Column(("name",), text(100), default=""), "n": Column(("n",), number(1, 1))}
    assert [row["name"] for row in read(content, "a", columns).accepted()] == [name.strip() for name in names]


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_nothing_written_runs_as_a_formula(start):
    content = b"".join(stream(Format.CSV, ["x"], [(start,)])).decode("utf-8-sig")
    assert content.splitlines()[1].strip('"').startswith("'")
    made = openpyxl.load_workbook(io.BytesIO(b"".join(stream(Format.XLSX, ["x"], [(start,)]))))
    assert made.active["A2"].data_type == "s"
    assert made.active["A2"].value == start


def test_a_workbook_has_a_frozen_bold_heading_and_the_districts_clock():
    rows = [("甲", datetime(2026, 2, 15, 1, 30, tzinfo=UTC), 3, None)]
    made = openpyxl.load_workbook(io.BytesIO(b"".join(stream(Format.XLSX, ["名", "时", "数", "空"], rows))))
    assert made.active.freeze_panes == "A2"
    assert made.active["A1"].font.bold
    assert [cell.value for cell in made.active[2]] == ["甲", datetime(2026, 2, 15, 9, 30), 3, None]


def test_rows_leave_while_they_come():
    def rows():
        yield from ((n,) for n in range(5000))
        raise RuntimeError("the rest was never asked for")

    parts = stream(Format.CSV, ["n"], rows())
    assert next(parts).startswith("\ufeffn\r\n0\r\n".encode())
