"""The command: in Chinese unless told otherwise, JSON and nothing else for programs, never a traceback."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from little import CATEGORIES, STREET
from outside import receiver
from typer.testing import CliRunner

from gridmgr import db
from gridmgr.account import service as accounts
from gridmgr.account.rules import Grant, Role
from gridmgr.cli import hotspots
from gridmgr.cli.output import CannotOpen, Unforeseen, print_json, problem_behind, writable
from gridmgr.settings import settings


def test_help_is_chinese_and_loads_no_heavy_library(command) -> None:
    ended = command("--help")
    assert ended.returncode == 0
    assert "提供网页与接口服务。" in ended.stdout
    loaded = "import sys, gridmgr.cli; print({'pandas', 'sqlalchemy', 'numba'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", loaded], text=True) == "set()\n"


def test_locate_without_a_place_explains_itself(command) -> None:
    ended = command("locate")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "--lon" in ended.stderr


def test_a_database_that_does_not_run_is_told_by_the_exit_code(command) -> None:
    ended = command("db", "status", "--json")
    assert ended.returncode == 3
    assert json.loads(ended.stdout)["state"] == "absent"


def test_a_problem_is_one_line_for_people_and_json_for_programs(command) -> None:
    ended = command("incidents", "import", "x.csv", "--map", "/nonexistent.toml", "--json")
    assert ended.returncode == 1
    assert json.loads(ended.stdout)["error"] == {
        "kind": "CannotOpen",
        "detail": "无法打开 /nonexistent.toml：没有这个文件或文件夹。",
    }
    assert ended.stderr.splitlines() == ["无法打开 /nonexistent.toml：没有这个文件或文件夹。"]


def test_what_nobody_foresaw_is_told_in_one_line() -> None:
    problem = problem_behind(ZeroDivisionError("division by zero"))
    assert isinstance(problem, Unforeseen)
    assert "GRIDMGR_DEBUG=1" in str(problem)


def test_a_file_is_refused_before_the_work(tmp_path: Path) -> None:
    writable(tmp_path / "new.csv")
    for path in (tmp_path, tmp_path / "absent" / "new.csv"):
        with pytest.raises(CannotOpen):
            writable(path)


def test_what_is_no_number_is_null(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"a": float("nan"), "b": [float("inf"), 1.5], "day": date(2026, 1, 2)})
    assert json.loads(capsys.readouterr().out) == {"a": None, "b": [None, 1.5], "day": "2026-01-02"}


def test_swapped_tables_are_located_and_warned_of(command, little_url: str, tmp_path: Path) -> None:
    from little import SOUTH, STEP, WEST

    place = (WEST + STEP / 10, SOUTH + STEP / 10)
    (tmp_path / "places.csv").write_text("x,y\n{},{}\nnone,1\n".format(*place))
    options = ["locate", str(tmp_path / "places.csv"), "-o", str(tmp_path / "out.csv"), "--json"]
    right = json.loads(command(*options, "--lon", "x", "--lat", "y", GRIDMGR_DATABASE_URL=little_url).stdout)
    assert (right["rows"], right["located"], right["by_how"]["inside"]) == (2, 1, 1)
    assert [problem["row"] for problem in right["problems"]] == [3]
    (tmp_path / "places.csv").write_text("x,y\n{},{}\n".format(*place))
    wrong = json.loads(command(*options, "--lon", "y", "--lat", "x", GRIDMGR_DATABASE_URL=little_url).stdout)
    assert wrong["located"] == 0
    assert "经纬度似乎颠倒了" in wrong["warnings"][0]


def test_a_map_of_a_district_without_incidents_is_drawn(command, little_url: str, tmp_path: Path) -> None:
    ended = command("map", str(tmp_path / "map.html"), GRIDMGR_DATABASE_URL=little_url)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert (tmp_path / "map.html").stat().st_size > 10_000


def test_where_it_hurts_is_told_in_every_way(
    little_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRIDMGR_DATABASE_URL", little_url)
    settings.cache_clear()
    drawn = tmp_path / "hot.html"
    for look, more in (
        ("gi", ["--map", str(drawn)]),
        ("trend", []),
        ("rates", []),
        ("density", []),
        ("repeat", []),
    ):
        ended = CliRunner().invoke(hotspots.app, [look, *more])
        assert ended.exit_code == 0 and "不能说明什么" in ended.stdout, ended.exception
        ended = CliRunner().invoke(hotspots.app, [look, "--json"])
        assert json.loads(ended.stdout)["card"]["method"] == look
    assert drawn.stat().st_size > 10_000
    settings.cache_clear()


def test_figures_refuse_a_period_that_ends_before_it_begins(command) -> None:
    ended = command("figures", "--from", "2026-05-02", "--to", "2026-05-01")
    assert ended.returncode == 1
    assert ended.stderr == "时段的结束早于开始：2026-05-02 晚于 2026-05-01。\n"


def test_terms_of_figures_hold_from_today_unless_a_day_is_given(command, little_url: str) -> None:
    def terms(*given: str) -> dict:
        return json.loads(command("figure-terms", *given, "--json", GRIDMGR_DATABASE_URL=little_url).stdout)

    assert terms()["without"] == ["voided", "merged", "unclocked"]
    assert terms("--without", "voided")["without"] == ["voided"]
    assert terms("--from", "2030-01-01", "--satisfied-from", "5")["without"] == ["voided"]
    assert (terms()["without"], terms()["satisfied_from"]) == (["voided"], 4)


def test_what_residents_say_of_a_plan_is_read_and_shown_from_the_command(command, little_url: str) -> None:
    from gridmgr.public_notice import service

    here, code = {"GRIDMGR_DATABASE_URL": little_url}, f"{STREET}001001"
    terms = ("publications", "terms", "notice_days=3", "--json")
    assert json.loads(command(*terms, **here).stdout) == {"notice_days": 3, "comments": 5}
    opened = command("plans", "open", "对半", "--area", f"{STREET}001", "--json", **here)
    plan = str(json.loads(opened.stdout)["id"])
    drawn = command("plans", "rename", plan, code, "新名", **here)
    assert drawn.returncode == 0, drawn.stderr
    number = str(json.loads(command("publications", "submit", plan, "--json", **here).stdout)["id"])
    assert command("publications", "announce", number, **here).returncode == 0
    engine = db.engine(little_url)
    with db.transaction(engine) as session:
        said = str(service.comment(session, int(number), "x", "", "边界沿小路走").id)
    engine.dispose()
    shown = command("publications", "moderate", number, said, "--show", "--reply", "好", **here)
    assert shown.returncode == 0 and said in shown.stdout, shown.stderr
    (found,) = json.loads(command("publications", "comments", number, "--json", **here).stdout)
    assert (found["state"], found["text"], found["reply"]) == ("shown", "边界沿小路走", "好")
    assert "边界沿小路走" in command("publications", "comments", number, **here).stdout
    assert command("publications", "moderate", number, "999", "--keep-back", **here).returncode == 1


def test_a_webhook_is_added_tried_and_replayed_from_the_command(command, little_url: str) -> None:
    settings = {"GRIDMGR_DATABASE_URL": little_url, "NO_PROXY": "127.0.0.1"}
    with receiver(lambda n: 500 if n == 1 else 200) as outside:
        added = command("notices", "webhook", "add", outside.url, "--kind", "told", **settings)
        assert added.stdout.splitlines()[-1].startswith("whsec_")
        assert command("notices", "webhook", "test", "1", **settings).stdout == "失败，待重试 · HTTP 500\n"
        log = json.loads(command("notices", "log", "--state", "failed", "--json", **settings).stdout)
        assert [(row["kind"], row["error"]) for row in log] == [("test", "HTTP 500")]
        assert "1" in command("notices", "replay", str(log[0]["id"]), **settings).stdout
        assert "送达 1 条" in command("notices", "deliver", **settings).stdout
    refused = command("notices", "webhook", "add", "http://user:pw@host/", **settings)
    assert refused.returncode == 1
    assert "pw" not in refused.stderr


def test_a_desk_is_counted_for_whoever_is_named(command, little_url: str) -> None:
    with db.transaction(db.engine(little_url)) as session:
        accounts.open_account(
            session, "wang", "王芳", "a long enough password", [Grant(Role.COMMUNITY_CLERK, STREET + "001")]
        )
    ended = command("desk", "wang", "--json", GRIDMGR_DATABASE_URL=little_url)
    assert ended.returncode == 0, ended.stderr
    assert {row["name"]: row["count"] for row in json.loads(ended.stdout)}["accept"] == 0
    assert "待立案" in command("desk", "wang", GRIDMGR_DATABASE_URL=little_url).stdout
    assert "nobody" in command("desk", "nobody", GRIDMGR_DATABASE_URL=little_url).stderr


def test_the_calendar_is_kept_from_the_command(command, little_url: str, tmp_path: Path) -> None:
    where = {"GRIDMGR_DATABASE_URL": little_url}

    def calendar(*arguments: str) -> subprocess.CompletedProcess[str]:
        return command("calendar", *arguments, **where)

    def read(*arguments: str):
        return json.loads(calendar(*arguments, "--json").stdout)

    def due(area: str = "") -> str:
        return read("due", "4", "--since", "2026-11-20 16:30", "--area", area)["due_at"][:16]

    (tmp_path / "notice.csv").write_text(
        "date,kind,name\n2026-11-21,makeup,补班\n2026-10-01,holiday,国庆节\n"
    )
    tried = read("import", str(tmp_path / "notice.csv"), "--dry-run")
    assert (tried["added"], tried["written"], tried["rows"][0]["after"]["name"]) == (2, False, "国庆节")
    assert "新增 2 天" in calendar("import", str(tmp_path / "notice.csv")).stdout
    assert due() == "2026-11-21T11:30"
    assert "新增 1 天" in calendar("day", "2026-11-21", "放假", "--area", STREET, "--name", "停电").stdout
    assert due(STREET) == "2026-11-23T11:30"
    assert calendar("day", "2026年11月21日", "--drop").returncode == 0
    assert [each["area"] for each in read("show", "2026")["days"]] == ["", STREET]
    shown = calendar("hours", "8:00-10:00,22:00-06:00", "--area", STREET, "--from", "2026-11-23")
    assert "08:00-10:00, 22:00-06:00" in shown.stdout
    assert due(STREET) == "2026-11-23T22:30"
    calendar("hours", "--as-around", "--area", STREET, "--from", "2026-11-24")
    assert [(each["first_day"], len(each["spans"])) for each in read("hours", "--area", STREET)] == [
        ("2026-11-23", 2), ("2026-11-24", 0),
    ]  # fmt: skip
    calendar("hours", "--drop", "--area", STREET, "--from", "2026-11-23")
    assert due(STREET) == "2026-11-23T11:30"


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (("due", "4", "--since", "9999-12-31 00:00"), "BeyondCalendar"),
        (("hours", "9:00-12:00", "--weekdays", "0,x"), "BadWeekdays"),
    ],
)
def test_a_calendar_that_cannot_be_is_refused_in_one_line(command, little_url: str, arguments, kind) -> None:
    ended = command("calendar", *arguments, "--json", GRIDMGR_DATABASE_URL=little_url)
    assert ended.returncode == 1
    assert json.loads(ended.stdout)["error"]["kind"] == kind
    assert len(ended.stderr.splitlines()) == 1


def test_a_table_of_categories_tells_of_notes_it_would_orphan(
    command, little_url: str, tmp_path: Path
) -> None:
    where = {"GRIDMGR_DATABASE_URL": little_url}
    (tmp_path / "notes.csv").write_text("action,category,text\nclose,S0102,已清\n")
    assert command("phrases", "import", str(tmp_path / "notes.csv"), **where).returncode == 0
    head, _rubbish, gas = CATEGORIES
    (tmp_path / "table.csv").write_text("\n".join(CATEGORIES))
    assert command("categories", "import", str(tmp_path / "table.csv"), **where).returncode == 0
    (tmp_path / "table.csv").write_text(f"{head}\n{gas}\n")
    tried = command(
        "categories", "import", str(tmp_path / "table.csv"), "--title", "二版", "--dry-run", **where
    )
    assert "有 1 条常用语针对 S0102" in tried.stdout
