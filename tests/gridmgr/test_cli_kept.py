"""Duty, joint work, bodies, lists and opinions kept from the command."""

import json
from datetime import timedelta
from pathlib import Path

from little import CATEGORIES, STREET

from gridmgr import clock, db
from gridmgr.account import service as accounts
from gridmgr.account.rules import Grant, Role


def test_duty_and_supervision_are_kept_from_the_command(command, little_url: str, tmp_path: Path) -> None:
    where = {"GRIDMGR_DATABASE_URL": little_url}
    engine = db.engine(little_url)
    with db.transaction(engine) as session:
        for username, role in (("wang", Role.GRID_MEMBER), ("boss", Role.COMMAND_CENTRE)):
            accounts.open_account(session, username, username, "long enough a word", [Grant(role, "")])
    engine.dispose()
    table = tmp_path / "duty.csv"
    table.write_text(f"username,role,area,date,hours\nwang,grid_member,{STREET},2026-12-01,08:00-20:00\n")
    assert (
        json.loads(command("duty", "import", str(table), "--dry-run", "--json", **where).stdout)["turns"] == 1
    )
    assert command("duty", "import", str(table), **where).returncode == 0
    there = json.loads(command("duty", "now", STREET, "--at", "2026-12-01 09:00", "--json", **where).stdout)
    assert ("wang", True) in {(each["name"], each["now"]) for each in there}
    assert command("duty", "leave", "wang", "2026-12-01 10:00", "2026-12-01 12:00", **where).returncode == 0
    there = json.loads(command("duty", "now", STREET, "--at", "2026-12-01 11:00", "--json", **where).stdout)
    assert [each["away"] for each in there if each["name"] == "wang"] == [True]
    assert command("duty", "end-leave", "1", **where).returncode == 0
    bad = command("supervision", "do", "1", "无此事", "--by", "boss", **where)
    assert (bad.returncode, "confirm" in bad.stderr, len(bad.stderr.splitlines())) == (1, True, 1)
    assert json.loads(command("supervision", "list", "--json", **where).stdout) == []
    assert json.loads(command("supervision", "figures", "--json", **where).stdout) == []
    (tmp_path / "table.csv").write_text("\n".join(CATEGORIES))
    assert command("categories", "import", str(tmp_path / "table.csv"), **where).returncode == 0
    found = json.loads(command("categories", "whose", "垃圾没人收", "--json", **where).stdout)
    assert [each["name"] for each in found] == ["暴露垃圾"]


def test_joint_work_is_done_from_the_command(command, little_url: str, tmp_path: Path) -> None:
    where = {"GRIDMGR_DATABASE_URL": little_url}

    def ran(*arguments: str) -> str:
        ended = command(*arguments, **where)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def asked(*arguments: str):
        return json.loads(ran(*arguments, "--json"))

    with db.transaction(db.engine(little_url)) as session:
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
    bad = command("claims", "do", str(piece["id"]), "dance", "--by", "ant", **where)
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
    refused = command("approvals", "decide", "1", "grant", "--by", "station", **where)
    assert (refused.returncode, "燃气公司不同意" in refused.stderr) == (1, True)
    ran("approvals", "overrule", "1", "燃气公司", "已改迁", "--by", "chief")
    ran("approvals", "decide", "1", "grant", "--by", "station")
    assert asked("approvals", "show", "1")["state"] == "granted"
    assert asked("approvals", "list", "--open") == []
    assert asked("approvals", "figures")["bodies"][0]["objected"] == 1
    kinds = "code,sphere,name_zh,asks,vetoes,form\nhandover,重大决策,事项下放,街道；部门,街道,asker.basis!:text:依据\n"
    (tmp_path / "first.csv").write_text(kinds)
    with db.transaction(db.engine(little_url)) as session:
        leading = [Grant(Role.STREET_LEADER, STREET)]
        accounts.open_account(session, "lead", "lead", "long enough a word", leading)
    assert asked("consultations", "kinds", str(tmp_path / "first.csv"), "--dry-run") == {"handover": "added"}
    ran("consultations", "kinds", str(tmp_path / "first.csv"))
    assert [each["code"] for each in asked("consultations", "kinds")] == ["handover", "boundary"]
    question = ("consultations", "ask", "handover", "广告审批下放", STREET, "燃气公司", "--by", "chief")
    assert command(*question, **where).returncode == 1  # a field of the form is missing
    ran(*question, "--fact", "basis=会议纪要")
    ran("consultations", "answer", "1", "object", "--by", "gas", "--reason", "无此职责")
    party = next(each["id"] for each in asked("consultations", "show", "1")["parties"] if each["said"])
    ran("consultations", "reply", "1", str(party), "--decline", "--note", "另有规定", "--by", "chief")
    ran("consultations", "answer", "1", "veto", "--by", "lead", "--reason", "无人承接")
    ended = command("consultations", "withdraw", "1", "算了", "--by", "chief", **where)
    assert (ended.returncode, "已结束" in ended.stderr) == (1, True)
    assert [each["vetoed_by"] for each in asked("consultations", "list")] == [["荷花池街道"]]
    assert asked("consultations", "figures")["spheres"][0]["stopped"] == 1


def test_bodies_modules_and_task_forces_are_kept_from_the_command(
    command, little_url: str, tmp_path: Path
) -> None:
    where = {"GRIDMGR_DATABASE_URL": little_url}

    def asked(*arguments: str):
        ended = command(*arguments, "--json", **where)
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    with db.transaction(db.engine(little_url)) as session:
        accounts.open_account(session, "zhou", "周涛", "x" * 12, [Grant(Role.STREET_DISPATCHER, STREET)])
    table = tmp_path / "bodies.csv"
    rows = (
        "环卫所,部门,环卫,,,",
        f"荷花池环卫站,派驻站所,,环卫,{STREET},",
        f"荷花池执法队,执法队,,,{STREET},环卫",
    )
    table.write_text("\n".join(["名称,类型,简称,隶属单位,驻地编码,条线", *rows]), "utf-8")
    assert asked("organisation", "import", str(table), "--dry-run")["written"] is False
    assert "荷花池执法队" in command("organisation", "import", str(table), **where).stdout
    assert asked("organisation", "enforcement", "环卫", f"{STREET}001") == {
        "team": "荷花池执法队", "station": "荷花池环卫站",
    }  # fmt: skip
    assert command("organisation", "rename", "荷花池环卫站", "荷花池环境站", **where).returncode == 0
    assert command("organisation", "close", "环卫所", **where).returncode == 1
    assert {row["name"] for row in asked("organisation", "list", "--kind", "station")} == {"荷花池环境站"}
    assert len(asked("modules", "templates")) == 4
    picks = [part for each in ("tiaojie", "xiaofang", "zhishui") for part in ("--pick", each)]
    assert command("modules", "regroup", STREET, "six_and_eleven", *picks, **where).returncode == 0
    modules = asked("modules", "show", STREET)["modules"]
    (post,) = [each["id"] for each in modules[1]["posts"] if each["post"] == "牵头人"]
    assert command("modules", "appoint", str(post), "zhou", **where).returncode == 0
    assert asked("modules", "for", "P0104", STREET)["lead"] == "周涛"
    assert command("modules", "regroup", STREET, "six", **where).returncode == 1
    assert command("modules", "regroup", STREET, "six", "--agreed", **where).returncode == 0
    assert [each["template"] for each in asked("modules", "history", STREET)] == ["six", "six_and_eleven"]
    tomorrow = (clock.today() + timedelta(days=1)).isoformat()
    options = ("--purpose", "守堤", "--area", STREET, "--ends-on", tomorrow)
    refused = command("task-forces", "raise", "防汛专班", *options, **where)
    assert (refused.returncode, "至少要有一名成员" in refused.stderr) == (1, True)
    assert command("task-forces", "raise", "防汛专班", *options, "--member", "zhou", **where).returncode == 0
    (force,) = asked("task-forces", "list")
    assert command("task-forces", "do", str(force["id"]), "leave", "zhou", **where).returncode == 1
    assert "nix" in command("task-forces", "put", str(force["id"]), "nix", **where).stdout
    assert asked("organisation", "room", STREET)["bodies"][-1]["body"] == "防汛专班"
    assert command("task-forces", "disband", str(force["id"]), **where).returncode == 0
    assert asked("task-forces", "show", str(force["id"]))["record"][-1]["deed"] == "disband"
    lists = [tmp_path / "党建.csv", tmp_path / "综治.csv"]
    for each in lists:
        each.write_text(f"条线,网格编码,姓名,电话\n{each.stem},{STREET}001001,王芳,139\n", "utf-8")
    merged = asked("one-grid", "merge", *map(str, lists))
    assert (merged["rows"], merged["grids"]) == (2, 1)
    assert asked("one-grid", "list")[0]["lines"] == ["党建", "综治"]


def test_lists_are_published_compared_and_admitted_to_from_the_command(
    command, little_url: str, tmp_path: Path
) -> None:
    where = {"GRIDMGR_DATABASE_URL": little_url}
    engine = db.engine(little_url)
    with db.transaction(engine) as session:
        for username, role in (
            ("chief", Role.ADMIN),
            ("unit", Role.DEPARTMENT_HANDLER),
            ("seat", Role.STREET_DISPATCHER),
        ):
            accounts.open_account(session, username, username, "long enough a word", [Grant(role, "")])
    engine.dispose()
    (tmp_path / "table.csv").write_text("\n".join(CATEGORIES))
    command("categories", "import", str(tmp_path / "table.csv"), **where)
    table, head = tmp_path / "list.csv", "code,name,categories,lead,clause\n"
    table.write_text(head + "D1,垃圾,S0102,环卫所,第一条\nD2,垃圾二,S0102,城管局,\n")
    assert command("lists", "import", str(table), "division", "--dry-run", **where).returncode == 0
    assert command("lists", "import", str(table), "division", **where).returncode == 0
    (row,) = json.loads(command("lists", "list", "--json", **where).stdout)
    (draft,) = json.loads(command("lists", "editions", str(row["id"]), "--json", **where).stdout)
    refused = command("lists", "publish", str(draft["id"]), "--by", "chief", **where)
    assert (refused.returncode, "D1" in refused.stderr, "S0503" in refused.stderr) == (1, True, True)
    assert command("lists", "check", str(draft["id"]), **where).returncode == 1
    assert command("lists", "discard", str(draft["id"]), "--by", "chief", **where).returncode == 0
    for clause in ("第一条", "第二条"):
        table.write_text(head + f"D1,垃圾,S0102,环卫所,{clause}\nD2,燃气,S0503,燃气公司,\n")
        command("lists", "import", str(table), "division", **where)
        newest = json.loads(command("lists", "editions", str(row["id"]), "--json", **where).stdout)[0]["id"]
        assert command("lists", "publish", str(newest), "--by", "chief", **where).returncode == 0
    changes = json.loads(command("lists", "compare", str(newest), str(newest - 1), "--json", **where).stdout)
    assert [each["fields"] for each in changes] == [[["clause", "第一条", "第二条"]]]
    owner = json.loads(command("lists", "owner", "S0102", "--json", **where).stdout)
    assert (owner["lead"], owner["clause"]) == ("环卫所", "第二条")
    assert (
        len(json.loads(command("lists", "items", str(newest), "--words", "燃气", "--json", **where).stdout))
        == 1
    )
    assert command("lists", "ask", STREET, "S0102", "就近处置", "--by", "unit", **where).returncode == 0
    (asked,) = json.loads(command("lists", "admissions", "--json", **where).stdout)
    assert (
        command(
            "lists", "decide", str(asked["id"]), "argue", "--by", "seat", "--note", "要配人", **where
        ).returncode
        == 0
    )
    granted = command(
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
    assert command("lists", "retire", str(newest), "--by", "chief", "--why", "修订", **where).returncode == 0
    assert json.loads(command("lists", "owner", "S0503", "--json", **where).stdout)["item"] == ""
