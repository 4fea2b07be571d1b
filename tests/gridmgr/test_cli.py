"""The command: in Chinese unless told otherwise, JSON and nothing else for programs, never a traceback."""

import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TextIO

import pytest
from little import CATEGORIES, STREET, little_district
from outside import receiver
from typer.testing import CliRunner

from gridmgr import cli, clock, db
from gridmgr.account import service as accounts
from gridmgr.account.rules import Grant, Role
from gridmgr.cli import hotspots
from gridmgr.cli.output import CannotOpen, Unforeseen, print_json, problem_behind, writable
from gridmgr.hierarchy import service as hierarchy
from gridmgr.settings import settings

COMPILED = {"locate", "grids", "figures", "map", "--help"}  # threads of compiled code do not outlive a fork
SECONDS = 60


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run the command as a person does, in a process of its own; returns how it ended and what it said."""

    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"GRIDMGR_HOME": str(tmp_path), "COLUMNS": "200"} | more
        if COMPILED.isdisjoint(arguments[:1]):
            return _forked(arguments, environment, tmp_path)
        return subprocess.run(
            [sys.executable, "-m", "gridmgr.cli", *arguments],
            env=environment, capture_output=True, text=True, timeout=SECONDS,
        )  # fmt: skip

    return run


def _forked(
    arguments: Sequence[str], environment: dict[str, str], folder: Path
) -> subprocess.CompletedProcess[str]:
    """Run the command in a fork of this process, which has loaded already what takes a second to load."""
    with (folder / "stdout").open("w+") as out, (folder / "stderr").open("w+") as err:
        child = os.fork()
        if child == 0:
            os._exit(_ended(arguments, environment, out, err))
        end = time.monotonic() + SECONDS
        while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0):
            if time.monotonic() > end:
                os.kill(child, signal.SIGKILL)
            time.sleep(0.005)
        said = [(each.seek(0), each.read())[1] for each in (out, err)]
    return subprocess.CompletedProcess(arguments, os.waitstatus_to_exitcode(ended[1]), *said)


def _ended(arguments: Sequence[str], environment: dict[str, str], out: TextIO, err: TextIO) -> int:
    """Be the command; returns its exit code."""
    sys.stdout, sys.stderr, sys.argv = out, err, ["gridmgr", *arguments]
    os.environ.clear()
    os.environ.update(environment)
    settings.cache_clear()
    try:
        cli.main()
        code = 0
    except SystemExit as exit_:
        code = exit_.code or 0
    except BaseException:
        traceback.print_exc(file=err)
        code = 70
    out.flush()
    err.flush()
    return code


def test_help_is_chinese_and_loads_no_heavy_library(told) -> None:
    ended = told("--help")
    assert ended.returncode == 0
    assert "提供网页与接口服务。" in ended.stdout
    loaded = "import sys, gridmgr.cli; print({'pandas', 'sqlalchemy', 'numba'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", loaded], text=True) == "set()\n"


def test_locate_without_a_place_explains_itself(told) -> None:
    ended = told("locate")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "--lon" in ended.stderr


def test_a_database_that_does_not_run_is_told_by_the_exit_code(told) -> None:
    ended = told("db", "status", "--json")
    assert ended.returncode == 3
    assert json.loads(ended.stdout)["state"] == "absent"


def test_a_problem_is_one_line_for_people_and_json_for_programs(told) -> None:
    ended = told("incidents", "import", "x.csv", "--map", "/nonexistent.toml", "--json")
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


@pytest.fixture
def little(copied, prepared) -> Iterator[str]:
    """Return the address of a database with the little district, which has no categories yet."""
    with copied(prepared(little_map)) as url:
        yield url


def little_map(url: str) -> None:
    """Load the little district."""
    engine = db.engine(url)
    with db.transaction(engine) as session:
        hierarchy.load(session, little_district(), date(2026, 1, 1), "首版")
    engine.dispose()


def test_swapped_tables_are_located_and_warned_of(told, little: str, tmp_path: Path) -> None:
    from little import SOUTH, STEP, WEST

    place = (WEST + STEP / 10, SOUTH + STEP / 10)
    (tmp_path / "places.csv").write_text("x,y\n{},{}\nnone,1\n".format(*place))
    options = ["locate", str(tmp_path / "places.csv"), "-o", str(tmp_path / "out.csv"), "--json"]
    right = json.loads(told(*options, "--lon", "x", "--lat", "y", GRIDMGR_DATABASE_URL=little).stdout)
    assert (right["rows"], right["located"], right["by_how"]["inside"]) == (2, 1, 1)
    assert [problem["row"] for problem in right["problems"]] == [3]
    (tmp_path / "places.csv").write_text("x,y\n{},{}\n".format(*place))
    wrong = json.loads(told(*options, "--lon", "y", "--lat", "x", GRIDMGR_DATABASE_URL=little).stdout)
    assert wrong["located"] == 0
    assert "经纬度似乎颠倒了" in wrong["warnings"][0]


def test_a_map_of_a_district_without_incidents_is_drawn(told, little: str, tmp_path: Path) -> None:
    ended = told("map", str(tmp_path / "map.html"), GRIDMGR_DATABASE_URL=little)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert (tmp_path / "map.html").stat().st_size > 10_000


def test_where_it_hurts_is_told_in_every_way(
    little: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRIDMGR_DATABASE_URL", little)
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


def test_figures_refuse_a_period_that_ends_before_it_begins(told) -> None:
    ended = told("figures", "--from", "2026-05-02", "--to", "2026-05-01")
    assert ended.returncode == 1
    assert ended.stderr == "时段的结束早于开始：2026-05-02 晚于 2026-05-01。\n"


def test_terms_of_figures_hold_from_today_unless_a_day_is_given(told, little: str) -> None:
    def terms(*given: str) -> dict:
        return json.loads(told("figure-terms", *given, "--json", GRIDMGR_DATABASE_URL=little).stdout)

    assert terms()["without"] == ["voided", "merged", "unclocked"]
    assert terms("--without", "voided")["without"] == ["voided"]
    assert terms("--from", "2030-01-01", "--satisfied-from", "5")["without"] == ["voided"]
    assert (terms()["without"], terms()["satisfied_from"]) == (["voided"], 4)


def test_what_residents_say_of_a_plan_is_read_and_shown_from_the_command(told, little: str) -> None:
    from gridmgr.publication import service

    here, code = {"GRIDMGR_DATABASE_URL": little}, f"{STREET}001001"
    terms = ("publications", "terms", "notice_days=3", "--json")
    assert json.loads(told(*terms, **here).stdout) == {"notice_days": 3, "comments": 5}
    opened = told("plans", "open", "对半", "--area", f"{STREET}001", "--json", **here)
    plan = str(json.loads(opened.stdout)["id"])
    drawn = told("plans", "rename", plan, code, "新名", **here)
    assert drawn.returncode == 0, drawn.stderr
    number = str(json.loads(told("publications", "submit", plan, "--json", **here).stdout)["id"])
    assert told("publications", "announce", number, **here).returncode == 0
    engine = db.engine(little)
    with db.transaction(engine) as session:
        said = str(service.comment(session, int(number), "x", "", "边界沿小路走").id)
    engine.dispose()
    shown = told("publications", "moderate", number, said, "--show", "--reply", "好", **here)
    assert shown.returncode == 0 and said in shown.stdout, shown.stderr
    (found,) = json.loads(told("publications", "comments", number, "--json", **here).stdout)
    assert (found["state"], found["text"], found["reply"]) == ("shown", "边界沿小路走", "好")
    assert "边界沿小路走" in told("publications", "comments", number, **here).stdout
    assert told("publications", "moderate", number, "999", "--keep-back", **here).returncode == 1


def test_a_webhook_is_added_tried_and_replayed_from_the_command(told, little: str) -> None:
    settings = {"GRIDMGR_DATABASE_URL": little, "NO_PROXY": "127.0.0.1"}
    with receiver(lambda n: 500 if n == 1 else 200) as outside:
        added = told("notices", "webhook", "add", outside.url, "--kind", "told", **settings)
        assert added.stdout.splitlines()[-1].startswith("whsec_")
        assert told("notices", "webhook", "test", "1", **settings).stdout == "失败，待重试 · HTTP 500\n"
        log = json.loads(told("notices", "log", "--state", "failed", "--json", **settings).stdout)
        assert [(row["kind"], row["error"]) for row in log] == [("test", "HTTP 500")]
        assert "1" in told("notices", "replay", str(log[0]["id"]), **settings).stdout
        assert "送达 1 条" in told("notices", "deliver", **settings).stdout
    refused = told("notices", "webhook", "add", "http://user:pw@host/", **settings)
    assert refused.returncode == 1
    assert "pw" not in refused.stderr


def test_a_desk_is_counted_for_whoever_is_named(told, little: str) -> None:
    with db.transaction(db.engine(little)) as session:
        accounts.open_account(
            session, "wang", "王芳", "a long enough password", [Grant(Role.COMMUNITY_CLERK, STREET + "001")]
        )
    ended = told("desk", "wang", "--json", GRIDMGR_DATABASE_URL=little)
    assert ended.returncode == 0, ended.stderr
    assert {row["name"]: row["count"] for row in json.loads(ended.stdout)}["accept"] == 0
    assert "待立案" in told("desk", "wang", GRIDMGR_DATABASE_URL=little).stdout
    assert "nobody" in told("desk", "nobody", GRIDMGR_DATABASE_URL=little).stderr


def test_the_calendar_is_kept_from_the_command(told, little: str, tmp_path: Path) -> None:
    where = {"GRIDMGR_DATABASE_URL": little}

    def calendar(*arguments: str) -> subprocess.CompletedProcess[str]:
        return told("calendar", *arguments, **where)

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
def test_a_calendar_that_cannot_be_is_refused_in_one_line(told, little: str, arguments, kind) -> None:
    ended = told("calendar", *arguments, "--json", GRIDMGR_DATABASE_URL=little)
    assert ended.returncode == 1
    assert json.loads(ended.stdout)["error"]["kind"] == kind
    assert len(ended.stderr.splitlines()) == 1


def test_a_table_of_categories_tells_of_notes_it_would_orphan(told, little: str, tmp_path: Path) -> None:
    where = {"GRIDMGR_DATABASE_URL": little}
    (tmp_path / "notes.csv").write_text("action,category,text\nclose,S0102,已清\n")
    assert told("phrases", "import", str(tmp_path / "notes.csv"), **where).returncode == 0
    head, _rubbish, gas = CATEGORIES
    (tmp_path / "table.csv").write_text("\n".join(CATEGORIES))
    assert told("categories", "import", str(tmp_path / "table.csv"), **where).returncode == 0
    (tmp_path / "table.csv").write_text(f"{head}\n{gas}\n")
    tried = told("categories", "import", str(tmp_path / "table.csv"), "--title", "二版", "--dry-run", **where)
    assert "有 1 条常用语针对 S0102" in tried.stdout


def test_duty_and_supervision_are_kept_from_the_command(told, little: str, tmp_path: Path) -> None:
    where = {"GRIDMGR_DATABASE_URL": little}
    engine = db.engine(little)
    with db.transaction(engine) as session:
        for username, role in (("wang", Role.GRID_MEMBER), ("boss", Role.COMMAND_CENTRE)):
            accounts.open_account(session, username, username, "long enough a word", [Grant(role, "")])
    engine.dispose()
    table = tmp_path / "duty.csv"
    table.write_text(f"username,role,area,date,hours\nwang,grid_member,{STREET},2026-12-01,08:00-20:00\n")
    assert json.loads(told("duty", "import", str(table), "--dry-run", "--json", **where).stdout)["turns"] == 1
    assert told("duty", "import", str(table), **where).returncode == 0
    there = json.loads(told("duty", "now", STREET, "--at", "2026-12-01 09:00", "--json", **where).stdout)
    assert ("wang", True) in {(each["name"], each["now"]) for each in there}
    assert told("duty", "leave", "wang", "2026-12-01 10:00", "2026-12-01 12:00", **where).returncode == 0
    there = json.loads(told("duty", "now", STREET, "--at", "2026-12-01 11:00", "--json", **where).stdout)
    assert [each["away"] for each in there if each["name"] == "wang"] == [True]
    assert told("duty", "end-leave", "1", **where).returncode == 0
    bad = told("supervision", "do", "1", "无此事", "--by", "boss", **where)
    assert (bad.returncode, "confirm" in bad.stderr, len(bad.stderr.splitlines())) == (1, True, 1)
    assert json.loads(told("supervision", "list", "--json", **where).stdout) == []
    assert json.loads(told("supervision", "figures", "--json", **where).stdout) == []
    (tmp_path / "table.csv").write_text("\n".join(CATEGORIES))
    assert told("categories", "import", str(tmp_path / "table.csv"), **where).returncode == 0
    found = json.loads(told("categories", "whose", "垃圾没人收", "--json", **where).stdout)
    assert [each["name"] for each in found] == ["暴露垃圾"]


def test_joint_work_is_done_from_the_command(told, little: str, tmp_path: Path) -> None:
    where = {"GRIDMGR_DATABASE_URL": little}

    def ran(*arguments: str) -> str:
        ended = told(*arguments, **where)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def asked(*arguments: str):
        return json.loads(ran(*arguments, "--json"))

    with db.transaction(db.engine(little)) as session:
        for username, role, body in (
            ("clerk", Role.COMMUNITY_CLERK, None), ("ant", Role.GRID_MEMBER, None),
            ("station", Role.DEPARTMENT_HANDLER, "市场监管所"), ("gas", Role.DEPARTMENT_HANDLER, "燃气公司"),
            ("chief", Role.COMMAND_CENTRE, None),
        ):  # fmt: skip
            grants = [Grant(role, "")]
            accounts.open_account(session, username, username, "long enough a word", grants, body=body)
    (tmp_path / "table.csv").write_text("\n".join(CATEGORIES))
    ran("categories", "import", str(tmp_path / "table.csv"))
    until = f"{clock.local(clock.now() + timedelta(hours=5)):%Y-%m-%d %H:%M}"
    ran("claims", "cut", "清点楼栋", "--by", "clerk", "--area", STREET, "--until", until)
    (piece,) = asked("claims", "list", "--free")
    bad = told("claims", "do", str(piece["id"]), "dance", "--by", "ant", **where)
    assert (bad.returncode, "give_back" in bad.stderr) == (1, True)
    for deed, by in (("claim", "ant"), ("report", "ant"), ("accept", "clerk")):
        ran("claims", "do", str(piece["id"]), deed, "--by", by, "--note", "好")
    assert [each["deed"] for each in asked("claims", "show", str(piece["id"]))] == [
        "cut", "claim", "report", "accept",
    ]  # fmt: skip
    assert asked("claims", "list")[0]["state"] == "done"
    assert {each["key"]: each["pieces"] for each in asked("weekly")["rows"]} == {"ant": 1}
    ran("weekly", "--by", "street", "--to", str(tmp_path / "week.csv"))
    assert STREET in (tmp_path / "week.csv").read_text("utf-8-sig")
    (tmp_path / "kinds.csv").write_text("name,matters\n占道,S05\n")
    assert asked("approvals", "kinds", str(tmp_path / "kinds.csv"), "--dry-run") == {"占道": "added"}
    assert asked("approvals", "kinds") == []
    ran("approvals", "kinds", str(tmp_path / "kinds.csv"))
    ran("approvals", "ask", "占道", f"{STREET}00100001", "张三", "摆摊", "--by", "station")
    ran("approvals", "answer", "1", "object", "--by", "gas", "--note", "压管线")
    refused = told("approvals", "decide", "1", "grant", "--by", "station", **where)
    assert (refused.returncode, "燃气公司不同意" in refused.stderr) == (1, True)
    ran("approvals", "overrule", "1", "燃气公司", "已改迁", "--by", "chief")
    ran("approvals", "decide", "1", "grant", "--by", "station")
    assert asked("approvals", "show", "1")["state"] == "granted"
    assert asked("approvals", "list", "--open") == []
    assert asked("approvals", "figures")["bodies"][0]["objected"] == 1
    kinds = "code,sphere,name_zh,asks,vetoes,form\nhandover,重大决策,事项下放,街道；部门,街道,asker.basis!:text:依据\n"
    (tmp_path / "first.csv").write_text(kinds)
    with db.transaction(db.engine(little)) as session:
        leading = [Grant(Role.STREET_LEADER, STREET)]
        accounts.open_account(session, "lead", "lead", "long enough a word", leading)
    assert asked("consultations", "kinds", str(tmp_path / "first.csv"), "--dry-run") == {"handover": "added"}
    ran("consultations", "kinds", str(tmp_path / "first.csv"))
    assert [each["code"] for each in asked("consultations", "kinds")] == ["handover", "boundary"]
    question = ("consultations", "ask", "handover", "广告审批下放", STREET, "燃气公司", "--by", "chief")
    assert told(*question, **where).returncode == 1  # a field of the form is missing
    ran(*question, "--fact", "basis=会议纪要")
    ran("consultations", "answer", "1", "object", "--by", "gas", "--reason", "无此职责")
    party = next(each["id"] for each in asked("consultations", "show", "1")["parties"] if each["said"])
    ran("consultations", "reply", "1", str(party), "--decline", "--note", "另有规定", "--by", "chief")
    ran("consultations", "answer", "1", "veto", "--by", "lead", "--reason", "无人承接")
    ended = told("consultations", "withdraw", "1", "算了", "--by", "chief", **where)
    assert (ended.returncode, "已结束" in ended.stderr) == (1, True)
    assert [each["vetoed_by"] for each in asked("consultations", "list")] == [["荷花池街道"]]
    assert asked("consultations", "figures")["spheres"][0]["stopped"] == 1


def test_bodies_modules_and_task_forces_are_kept_from_the_command(told, little: str, tmp_path: Path) -> None:
    where = {"GRIDMGR_DATABASE_URL": little}

    def asked(*arguments: str):
        ended = told(*arguments, "--json", **where)
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    with db.transaction(db.engine(little)) as session:
        accounts.open_account(session, "zhou", "周涛", "x" * 12, [Grant(Role.STREET_DISPATCHER, STREET)])
    table = tmp_path / "bodies.csv"
    rows = (
        "环卫所,部门,环卫,,,",
        f"荷花池环卫站,派驻站所,,环卫,{STREET},",
        f"荷花池执法队,执法队,,,{STREET},环卫",
    )
    table.write_text("\n".join(["名称,类型,简称,隶属单位,驻地编码,条线", *rows]), "utf-8")
    assert asked("organisation", "import", str(table), "--dry-run")["written"] is False
    assert "荷花池执法队" in told("organisation", "import", str(table), **where).stdout
    assert asked("organisation", "enforcement", "环卫", f"{STREET}001") == {
        "team": "荷花池执法队", "station": "荷花池环卫站",
    }  # fmt: skip
    assert told("organisation", "rename", "荷花池环卫站", "荷花池环境站", **where).returncode == 0
    assert told("organisation", "close", "环卫所", **where).returncode == 1
    assert {row["name"] for row in asked("organisation", "list", "--kind", "station")} == {"荷花池环境站"}
    assert len(asked("modules", "templates")) == 4
    picks = [part for each in ("tiaojie", "xiaofang", "zhishui") for part in ("--pick", each)]
    assert told("modules", "regroup", STREET, "six_and_eleven", *picks, **where).returncode == 0
    modules = asked("modules", "show", STREET)["modules"]
    (post,) = [each["id"] for each in modules[1]["posts"] if each["post"] == "牵头人"]
    assert told("modules", "appoint", str(post), "zhou", **where).returncode == 0
    assert asked("modules", "for", "P0104", STREET)["lead"] == "周涛"
    assert told("modules", "regroup", STREET, "six", **where).returncode == 1
    assert told("modules", "regroup", STREET, "six", "--agreed", **where).returncode == 0
    assert [each["template"] for each in asked("modules", "history", STREET)] == ["six", "six_and_eleven"]
    tomorrow = (clock.today() + timedelta(days=1)).isoformat()
    options = ("--purpose", "守堤", "--area", STREET, "--ends-on", tomorrow)
    refused = told("task-forces", "raise", "防汛专班", *options, **where)
    assert (refused.returncode, "至少要有一名成员" in refused.stderr) == (1, True)
    assert told("task-forces", "raise", "防汛专班", *options, "--member", "zhou", **where).returncode == 0
    (force,) = asked("task-forces", "list")
    assert told("task-forces", "do", str(force["id"]), "leave", "zhou", **where).returncode == 1
    assert "nix" in told("task-forces", "put", str(force["id"]), "nix", **where).stdout
    assert asked("organisation", "room", STREET)["bodies"][-1]["body"] == "防汛专班"
    assert told("task-forces", "disband", str(force["id"]), **where).returncode == 0
    assert asked("task-forces", "show", str(force["id"]))["record"][-1]["deed"] == "disband"
    lists = [tmp_path / "党建.csv", tmp_path / "综治.csv"]
    for each in lists:
        each.write_text(f"条线,网格编码,姓名,电话\n{each.stem},{STREET}001001,王芳,139\n", "utf-8")
    merged = asked("one-grid", "merge", *map(str, lists))
    assert (merged["rows"], merged["grids"]) == (2, 1)
    assert asked("one-grid", "list")[0]["lines"] == ["党建", "综治"]


def test_lists_are_published_compared_and_admitted_to_from_the_command(
    told, little: str, tmp_path: Path
) -> None:
    where = {"GRIDMGR_DATABASE_URL": little}
    engine = db.engine(little)
    with db.transaction(engine) as session:
        for username, role in (
            ("chief", Role.ADMIN),
            ("unit", Role.DEPARTMENT_HANDLER),
            ("seat", Role.STREET_DISPATCHER),
        ):
            accounts.open_account(session, username, username, "long enough a word", [Grant(role, "")])
    engine.dispose()
    (tmp_path / "table.csv").write_text("\n".join(CATEGORIES))
    told("categories", "import", str(tmp_path / "table.csv"), **where)
    table, head = tmp_path / "list.csv", "code,name,categories,lead,clause\n"
    table.write_text(head + "D1,垃圾,S0102,环卫所,第一条\nD2,垃圾二,S0102,城管局,\n")
    assert told("lists", "import", str(table), "division", "--dry-run", **where).returncode == 0
    assert told("lists", "import", str(table), "division", **where).returncode == 0
    (row,) = json.loads(told("lists", "list", "--json", **where).stdout)
    (draft,) = json.loads(told("lists", "editions", str(row["id"]), "--json", **where).stdout)
    refused = told("lists", "publish", str(draft["id"]), "--by", "chief", **where)
    assert (refused.returncode, "D1" in refused.stderr, "S0503" in refused.stderr) == (1, True, True)
    assert told("lists", "check", str(draft["id"]), **where).returncode == 1
    assert told("lists", "discard", str(draft["id"]), "--by", "chief", **where).returncode == 0
    for clause in ("第一条", "第二条"):
        table.write_text(head + f"D1,垃圾,S0102,环卫所,{clause}\nD2,燃气,S0503,燃气公司,\n")
        told("lists", "import", str(table), "division", **where)
        newest = json.loads(told("lists", "editions", str(row["id"]), "--json", **where).stdout)[0]["id"]
        assert told("lists", "publish", str(newest), "--by", "chief", **where).returncode == 0
    changes = json.loads(told("lists", "compare", str(newest), str(newest - 1), "--json", **where).stdout)
    assert [each["fields"] for each in changes] == [[["clause", "第一条", "第二条"]]]
    owner = json.loads(told("lists", "owner", "S0102", "--json", **where).stdout)
    assert (owner["lead"], owner["clause"]) == ("环卫所", "第二条")
    assert (
        len(json.loads(told("lists", "items", str(newest), "--words", "燃气", "--json", **where).stdout)) == 1
    )
    assert told("lists", "ask", STREET, "S0102", "就近处置", "--by", "unit", **where).returncode == 0
    (asked,) = json.loads(told("lists", "admissions", "--json", **where).stdout)
    assert (
        told(
            "lists", "decide", str(asked["id"]), "argue", "--by", "seat", "--note", "要配人", **where
        ).returncode
        == 0
    )
    granted = told(
        "lists",
        "decide",
        str(asked["id"]),
        "grant",
        "--by",
        "chief",
        "--note",
        "同意",
        "--begins",
        "2999-01-01",
        **where,
    )
    assert granted.returncode == 0, granted.stderr
    assert told("lists", "retire", str(newest), "--by", "chief", "--why", "修订", **where).returncode == 0
    assert json.loads(told("lists", "owner", "S0503", "--json", **where).stdout)["item"] == ""
