"""The auditor and the worker: clocks nobody serves are found and told once, and served when a worker is back."""

import json
import logging
from datetime import date, timedelta
from threading import Thread

import pytest
from climbing import MONDAY, Desk, after, publish
from little import STREET
from sqlalchemy import select, text
from typer.testing import CliRunner

from gridmgr import clock, db, jobs
from gridmgr.account import service as accounts
from gridmgr.account.model import Role
from gridmgr.account.rules import SYSTEM, Grant
from gridmgr.audit import queries as audit
from gridmgr.audit import service as auditor
from gridmgr.audit.model import UnservedEpisode
from gridmgr.category import queries as categories
from gridmgr.cli import app
from gridmgr.escalation import queries
from gridmgr.incident.model import Incident, Report
from gridmgr.intake import service as intake
from gridmgr.life.model import Action
from gridmgr.notice.model import Kind, Notice
from gridmgr.reactions import REACTIONS
from gridmgr.settings import settings

pytestmark = pytest.mark.db


def watched(desk: Desk, at) -> audit.Unserved:
    with clock.travel(at):
        return auditor.watch(desk.session)


def alarms(desk: Desk, actor) -> list[dict]:
    asked = select(Notice.details).where(Notice.kind == Kind.UNSERVED, Notice.account_id == actor.id)
    return list(desk.session.scalars(asked))


def test_a_rung_nobody_climbs_is_an_alarm_after_ten_minutes_and_only_once(desk, staff, sample, caplog):
    case = desk.report()  # its first rung is due at 9:15
    assert not watched(desk, after(0.25, minutes=10))
    with caplog.at_level(logging.ERROR):
        found = watched(desk, after(0.25, minutes=11))
    assert [(each.number, each.stage, each.rung) for each in found.overdue] == [(case.number, "accept", 0)]
    assert (found.missing, found.uneven) == ([], [])
    assert case.number in caplog.text
    assert len(watched(desk, after(1)).overdue) == 1
    for role in (Role.COMMAND_CENTRE, Role.ADMIN):
        (told,) = alarms(desk, staff[role])
        assert (told["count"], told["number"]) == (1, case.number)
    assert alarms(desk, staff[Role.COMMUNITY_CLERK]) == []


def test_an_alarm_ends_with_its_cause_and_the_next_one_is_told_again(desk, staff, sample):
    desk.report()
    watched(desk, after(1))
    desk.sweep(after(1))
    assert not watched(desk, after(1))
    desk.report(after(2))
    watched(desk, after(3))
    assert len(alarms(desk, staff[Role.ADMIN])) == 2
    episodes = list(desk.session.scalars(select(UnservedEpisode).order_by(UnservedEpisode.id)))
    assert [(each.began_at, each.ended_at, each.most) for each in episodes] == [
        (after(1), after(1), 1), (after(3), None, 2),  # the first case has a rung left, too
    ]  # fmt: skip


def test_cases_that_were_open_before_there_were_clocks_get_theirs(desk, staff, sample):
    with clock.travel(MONDAY):
        desk.session.execute(text("UPDATE policy_table SET published_at = '2026-01-01'"))
        told = [desk.told(reported_at=MONDAY) for _ in range(3)]
        cases = [intake.report(desk.session, SYSTEM, each) for each in told]
        desk.session.info["events"] = []  # nobody listened
    waiting, handled, suspended = cases
    for case in (handled, suspended):
        for action in (Action.ACCEPT, Action.DISPATCH, Action.HANDLE):
            desk.move(case, MONDAY, action)
    desk.move(suspended, after(1), Action.SUSPEND, note="等材料")
    desk.session.execute(
        text("DELETE FROM case_clock WHERE incident_id = ANY(:ids)"), {"ids": [case.id for case in cases]}
    )
    found = watched(desk, after(2))
    assert {(each.number, each.stage) for each in found.missing} == {
        (waiting.number, "accept"), (handled.number, "handle"), (suspended.number, "handle"),
        (handled.number, "silence"),
    }  # fmt: skip
    with clock.travel(after(2)):
        assert auditor.mend(desk.session) == 4
        assert auditor.mend(desk.session) == 0
    assert [desk.clocks(case) for case in cases] == [
        {"accept": "running"},
        {"handle": "running", "silence": "running"},
        {"handle": "paused"},
    ]
    assert desk.clock(handled, "silence").started_at == after(2)  # when anything was last done, nobody knows
    one = desk.clock(handled, "handle")
    assert (one.started_at, one.due_at) == (MONDAY, handled.due_at)
    (one,) = queries.of_case(desk.session, suspended.id)
    assert one.used == timedelta(hours=1)


def test_climbs_that_do_not_add_up_are_found(desk, sample):
    case = desk.report()
    desk.sweep(after(0.3))
    assert not watched(desk, after(0.3))
    desk.session.execute(text("UPDATE case_clock SET next_rung = 2"))
    assert [(each.number, each.next_rung, each.climbed) for each in watched(desk, after(0.3)).uneven] == [
        (case.number, 2, 1)
    ]


def test_cases_older_than_the_policies_are_not_missed(desk, sample):
    with clock.travel(MONDAY):
        intake.report(desk.session, SYSTEM, desk.told(reported_at=MONDAY))
        desk.session.info["events"] = []
    publish(desk.session, ",,accept,1,hours,1,tell,street\n", date(2026, 1, 2))  # published just now
    assert not watched(desk, after(99))


# ---- the worker ----------------------------------------------------------------------------------

LATE = 40


@pytest.fixture
def running(own_district, monkeypatch):
    """A district with many cases whose first rungs are due now, by the real time, and people to be told."""
    address = own_district.url.render_as_string(hide_password=False)
    monkeypatch.setattr(settings(), "database_url", address)
    hour_ago = clock.now() - timedelta(hours=1)
    with db.transaction(own_district, REACTIONS) as session:
        rows = ",,accept,30,hours,0.001,remind,street\n,,accept,,,0.02,take_over,street\n,,accept,,,5,tell,district\n"
        publish(session, rows)
        accounts.open_account(
            session, "street", "街道", "a long enough password", [Grant(Role.STREET_DISPATCHER, STREET)]
        )
        accounts.open_account(
            session, "centre", "中心", "a long enough password", [Grant(Role.COMMAND_CENTRE, "")]
        )
        category = categories.by_code(session, "S0102").id
        report = Report(104.001, 30.001, "wgs84", category, "patrol", reported_at=hour_ago)
        intake.report_many(session, SYSTEM, [report] * LATE)
    return own_district


def swept(engine) -> list[tuple]:
    with db.transaction(engine) as session:
        return [
            tuple(row)
            for row in session.execute(text("SELECT clock_id, rung FROM rung_climbed ORDER BY 1, 2"))
        ]


def test_a_worker_that_was_away_serves_every_clock_once_when_it_is_back(running, work_off):
    with db.transaction(running, REACTIONS) as session:
        assert audit.count_overdue(session) == LATE
        assert len(auditor.watch(session)) == LATE
        jobs.defer(session, jobs.SWEEP_CLOCKS)
    work_off(settings().database_url)
    climbed = swept(running)
    assert len(climbed) == len(set(climbed)) == 2 * LATE
    with db.transaction(running, REACTIONS) as session:
        assert not auditor.watch(session)
        assert {case.level for case in session.scalars(select(Incident))} == {"street"}
        told = (
            "SELECT username, kind, count(*) FROM notice JOIN account ON account.id = account_id "
            "WHERE kind IN ('remind', 'taken_over', 'unserved') GROUP BY 1, 2 ORDER BY 1, 2"
        )
        kinds = session.execute(text(told)).all()
        assert [tuple(row) for row in kinds] == [("centre", "unserved", 1), ("street", "taken_over", LATE)]
        assert session.scalar(select(UnservedEpisode.ended_at)) is not None


def test_several_auditors_at_once_raise_one_alarm(running):
    def look() -> None:
        with db.transaction(running, REACTIONS) as session:
            auditor.watch(session)

    threads = [Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with db.transaction(running) as session:
        assert session.scalar(text("SELECT count(*) FROM unserved_episode")) == 1
        assert session.scalar(text("SELECT count(*) FROM notice WHERE kind = 'unserved'")) == 1


# ---- the command ---------------------------------------------------------------------------------


def command(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(words))
    return done.exit_code, done.stdout


def test_the_command_sweeps_lists_and_audits(running):
    code, told = command("clocks", "audit", "--json")
    assert (code, len(json.loads(told)["overdue"])) == (1, LATE)
    assert command("clocks", "sweep", "--json") == (0, '{\n  "served": 40\n}\n')
    code, told = command("clocks", "audit", "--json")
    assert (code, json.loads(told)) == (0, {"overdue": [], "missing": [], "uneven": [], "started": 0})
    code, told = command("clocks", "list", "--size", "3", "--json")
    rows = json.loads(told)
    assert (code, len(rows), rows[0]["next_rung"], rows[0]["rungs"]) == (0, 3, 2, 3)
    code, told = command("clocks", "list", rows[0]["number"], "--json")
    assert [row["stage"] for row in json.loads(told)] == ["accept"]
    assert "2 / 3" in command("clocks", "list")[1]
    with db.transaction(running) as session:
        session.execute(text("UPDATE policy_table SET published_at = '2026-01-01'"))
        session.execute(text("ALTER TABLE rung_climbed DISABLE TRIGGER USER"))
        session.execute(text("DELETE FROM rung_climbed; DELETE FROM case_clock"))
    code, told = command("clocks", "audit", "--mend", "--json")
    assert (json.loads(told)["started"], len(json.loads(told)["missing"])) == (LATE, 0)


def test_the_command_reads_and_publishes_policies(running, tmp_path):
    table = tmp_path / "时限.csv"
    table.write_text(
        "环节,时限,单位,时限占比,动作,层级\n受理,2,小时,100%,提级告知,区\n核查,3,工作时,,,\n", "utf-8"
    )
    code, told = command("policies", "import", str(table), "--dry-run", "--json")
    report = json.loads(told)
    assert code == 1 and len(report["errors"]) == 1 and not report["published"]
    table.write_text(table.read_text("utf-8").replace("区", "街道"), "utf-8")
    code, told = command("policies", "import", str(table), "--dry-run", "--json")
    report = json.loads(told)
    assert (code, report["published"], [each["kind"] for each in report["changes"]]) == (
        0,
        False,
        ["changed", "added"],
    )
    assert len(json.loads(command("policies", "list", "--json")[1])) == 1
    assert command("policies", "import", str(table))[0] == 0
    policies = json.loads(command("policies", "list", "--json")[1])
    assert [(each["stage"], each["amount"]) for each in policies] == [("accept", 2.0), ("verify", 3.0)]
    assert "100%" in command("policies", "list")[1]
