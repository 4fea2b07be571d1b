"""Backups made while reports come in, restored elsewhere to the same figures, histories and files."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from little import SOUTH, STEP, WEST
from outside import until
from PIL import Image
from sqlalchemy import func, make_url, select, text

from gridmgr import clock, db
from gridmgr.account import service as accounts
from gridmgr.account.rules import SYSTEM, Grant, Role
from gridmgr.attachment import service as attachment
from gridmgr.audit import queries as audit
from gridmgr.backup import rules, service
from gridmgr.backup.model import (
    Altered,
    BackupFailed,
    NoBackup,
    NotEmpty,
    NothingThere,
    RestoreRuns,
    TooNew,
    Unlike,
)
from gridmgr.category import queries as categories
from gridmgr.incident import service as incident
from gridmgr.incident.model import Incident, Report
from gridmgr.intake import service as intake
from gridmgr.life.model import Action, Source
from gridmgr.reactions import REACTIONS
from gridmgr.settings import settings

pytestmark = pytest.mark.db


def photo() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(content, "JPEG")
    return content.getvalue()


@pytest.fixture
def house(own_district, tmp_path, monkeypatch):
    """A district with a case that has a photo; returns the engine on its database."""
    monkeypatch.setattr(settings(), "home", tmp_path / "home")
    with db.transaction(own_district, REACTIONS) as session:
        stored = attachment.store(session, SYSTEM, "现场.jpg", photo())
        session.flush()
        case = intake.report(
            session, SYSTEM, told(session, files=({"sha256": stored.sha256, "name": "现场.jpg"},))
        )
        incident.move(session, SYSTEM, case.number, Action.ACCEPT, {"checked": True})
    return own_district


def told(session, **more) -> Report:
    category = categories.by_code(session, "S0102").id
    return Report(WEST + 0.1 * STEP, SOUTH + 0.1 * STEP, "wgs84", category, Source.PATROL, "垃圾", **more)


def url_of(engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def count(engine) -> int:
    with db.transaction(engine) as session:
        return session.scalar(select(func.count()).select_from(Incident))


def report(engine) -> None:
    with db.transaction(engine, REACTIONS) as session:
        intake.report(session, SYSTEM, told(session))


def databases(url: str) -> set[str]:
    """The database and whatever stands beside it; others belong to other tests."""
    own = make_url(url).database
    with service._administration(make_url(url)) as admin:
        every = admin.exec_driver_sql("SELECT datname FROM pg_database").scalars()
        return {name for name in every if name == own or rules.is_aside(own, name)}


def parts(made: Path) -> set[str]:
    return {path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file()}


# ---- out and in again ----------------------------------------------------------------------------------


def test_a_backup_made_under_load_is_restored_with_the_same_figures(house, tmp_path):
    stop = threading.Event()

    def keep_reporting() -> None:
        while not stop.is_set():
            report(house)

    reporter = threading.Thread(target=keep_reporting)
    reporter.start()
    try:
        made = service.backup(url_of(house), tmp_path / "out")
    finally:
        stop.set()
        reporter.join()
    with pytest.raises(NotEmpty, match="incident: "):
        service.restore(url_of(house), made)
    shutil.rmtree(settings().home / "files")  # the files come back too
    restored = service.restore(url_of(house), made, replace=True)
    found = {name: (before, after) for name, before, after in restored.rows}
    assert found["incident"][0] == found["incident"][1] >= 1
    assert found["accepted"] == (1, 1)
    assert found["histories broken"] == found["files missing"] == found["files altered"] == (0, 0)
    house.dispose()
    assert count(house) == found["incident"][1]


def test_a_server_that_is_at_work_meanwhile_goes_on_with_what_was_restored(house, tmp_path):
    made, failed, stop = service.backup(url_of(house), tmp_path / "out"), [], threading.Event()

    def keep_asking() -> None:
        while not stop.is_set():
            try:
                count(house)
            except Exception as lost:
                failed.append(lost)

    askers = [threading.Thread(target=keep_asking) for _ in range(4)]
    for each in askers:
        each.start()
    try:
        service.restore(url_of(house), made, replace=True)
    finally:
        stop.set()
        for each in askers:
            each.join()
    assert count(house) == 1
    assert {type(lost).__name__ for lost in failed} <= {"Unavailable"}


def test_a_district_with_grids_and_people_alone_is_not_empty(house, tmp_path):
    made = service.backup(url_of(house), tmp_path / "out")
    target = house.url
    bare = target.set(database=f"{target.database}_bare").render_as_string(hide_password=False)
    with service._administration(target) as admin:
        admin.execute(text(f'CREATE DATABASE "{make_url(bare).database}"'))
    try:
        service.restore(bare, made)  # it has no tables at all
        with service._administration(target) as admin:
            admin.execute(text(f'DROP DATABASE "{make_url(bare).database}" WITH (FORCE)'))
            admin.execute(text(f'CREATE DATABASE "{make_url(bare).database}"'))
        db.migrate(bare)
        engine = db.engine(bare)
        with db.transaction(engine) as session:
            accounts.open_account(session, "wang", "王", "a long password", [Grant(Role.ADMIN, "")])
        engine.dispose()
        with pytest.raises(NotEmpty, match="account: 1, role_grant: 1"):
            service.restore(bare, made)
    finally:
        with service._administration(target) as admin:
            admin.execute(text(f'DROP DATABASE IF EXISTS "{make_url(bare).database}" WITH (FORCE)'))


def test_a_backup_of_an_older_schema_is_counted_first_and_then_brought_up_to_date(
    bare_database, tmp_path, monkeypatch
):
    monkeypatch.setattr(settings(), "home", tmp_path / "home")
    db.migrate(bare_database, "0008")  # as the schema was before comments named people
    house = db.engine(bare_database)
    with db.transaction(house) as session:
        session.execute(text("INSERT INTO phrase (action, category, text) VALUES ('close', '', '已办结')"))
    old = service.backup(url_of(house), tmp_path / "out")
    manifest = service.manifest(old)
    assert manifest.revision == "0008"
    assert manifest.figures == {}  # this gridmgr cannot ask an older schema
    found = service.restore(url_of(house), old, replace=True)
    assert ("revision", "0008", "0008") in found.rows
    house.dispose()
    with db.transaction(house) as session:
        assert db.revision(session) == db.newest_revision() > "0008"
        assert session.scalar(text("SELECT zh FROM phrase")) == "已办结"


def test_a_backup_of_a_newer_schema_is_refused_in_words(house, tmp_path):
    made = service.backup(url_of(house), tmp_path / "out")
    rewrite(made, revision="9999")
    with pytest.raises(TooNew, match="9999"):
        service.restore(url_of(house), made, replace=True)


def rewrite(made: Path, **changes) -> None:
    """Change the manifest of a backup, and its hashes with it."""
    manifest = json.loads((made / "manifest.json").read_text("utf-8")) | changes
    (made / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    listed = (line.split("  ") for line in (made / "SHA256SUMS").read_text("utf-8").splitlines())
    service.seal(
        made,
        {part: sha256 for sha256, part in listed}
        | {"database.dump": service._sha256(made / "database.dump")},
    )


def test_a_database_without_our_tables_has_nothing_to_back_up(server, tmp_path):
    with pytest.raises(NothingThere):
        service.backup(server.render_as_string(hide_password=False), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_the_database_knows_when_it_was_last_backed_up(house, tmp_path):
    with db.transaction(house) as session:
        assert "backup" not in audit.ages(session)
    service.backup(url_of(house), tmp_path / "out")
    with db.transaction(house) as session:
        assert 0 <= audit.ages(session)["backup"] < 3600


# ---- what is not whole ---------------------------------------------------------------------------------


def test_whatever_part_of_a_backup_is_altered_it_is_refused_before_anything_is_touched(house, tmp_path):
    made = service.backup(url_of(house), tmp_path / "out")
    assert len(parts(made)) == 6  # dump, manifest, photo, its small picture, and two lists of hashes
    for part in parts(made):
        altered = tmp_path / "altered"
        shutil.copytree(made, altered)
        with (altered / part).open("r+b") as file:
            first = file.read(1)
            file.seek(0)
            file.write(b"0" if first != b"0" else b"1")
        with pytest.raises((Altered, NoBackup)):
            service.restore(url_of(house), altered, replace=True)
        (altered / part).unlink()
        with pytest.raises((Altered, NoBackup)):
            service.restore(url_of(house), altered, replace=True)
        shutil.rmtree(altered)
    with pytest.raises(NoBackup):
        service.restore(url_of(house), tmp_path, replace=True)
    assert count(house) == 1


def test_the_hashes_are_those_that_sha256sum_checks(house, tmp_path):
    made = service.backup(url_of(house), tmp_path / "out")
    for sums in ("SHA256SUMS.sha256", "SHA256SUMS"):
        subprocess.run(["sha256sum", "--check", "--strict", sums], cwd=made, check=True, capture_output=True)


def test_rows_that_are_not_as_many_as_were_backed_up_are_told(house, tmp_path):
    made = service.backup(url_of(house), tmp_path / "out")
    counts = service.manifest(made).counts
    rewrite(made, counts=counts | {"incident": 7})
    before = databases(url_of(house))
    with pytest.raises(Unlike, match="incident"):
        service.restore(url_of(house), made, replace=True)
    assert databases(url_of(house)) == before
    assert count(house) == 1


def test_a_backup_that_cannot_be_written_leaves_nothing(house, tmp_path, monkeypatch):
    def full(self: Path, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(BackupFailed, match="No space left"):
        service.backup(url_of(house), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_dump_that_does_not_restore_leaves_the_database_as_it_was(house, tmp_path):
    made = service.backup(url_of(house), tmp_path / "out")
    before = databases(url_of(house))
    (made / "database.dump").write_bytes(b"PGDMP no dump")
    rewrite(made)
    with pytest.raises(service.RestoreFailed):
        service.restore(url_of(house), made, replace=True)
    assert databases(url_of(house)) == before
    assert count(house) == 1


# ---- what is broken off --------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["DATABASE", "FILES", "LOOK", "PLACES"])
def test_a_restore_broken_off_at_any_step_leaves_the_database_as_it_was(house, tmp_path, step):
    made = service.backup(url_of(house), tmp_path / "out")
    report(house)
    before = databases(url_of(house))

    def interrupt(at: service.Step, done: int) -> None:
        if at is service.Step[step]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        service.restore(url_of(house), made, replace=True, tell=interrupt)
    assert databases(url_of(house)) == before
    assert count(house) == 2


@pytest.mark.parametrize("step", ["DATABASE", "FILES", "LOOK"])
def test_a_backup_broken_off_leaves_nothing(house, tmp_path, step):
    def interrupt(at: service.Step, done: int) -> None:
        if at is service.Step[step]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        service.backup(url_of(house), tmp_path / "out", tell=interrupt)
    assert list((tmp_path / "out").iterdir()) == []


def test_what_killed_ones_left_is_cleared_away_by_the_next(house, tmp_path):
    url, out = url_of(house), tmp_path / "out"
    stuck = (
        "import sys, time; from pathlib import Path; from gridmgr.backup import service\n"
        "def stop(step, done):\n    print(step, flush=True)\n    if step.name == 'LOOK': time.sleep(600)\n"
        "url, place = sys.argv[1], Path(sys.argv[2])\n"
        "service.{what}\n"
    )
    made = service.backup(url, out)
    before = databases(url)
    environment = os.environ | {"GRIDMGR_HOME": str(settings().home)}
    for what, place in (
        ("backup(url, place, tell=stop)", out),
        ("restore(url, place, replace=True, tell=stop)", made),
    ):
        command = [sys.executable, "-c", stuck.replace("{what}", what), url, str(place)]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as killed:
            until(lambda: "histories" in killed.stdout.readline(), seconds=60)
            if what.startswith("restore"):
                with pytest.raises(RestoreRuns):
                    service.restore(url, made, replace=True)
            killed.send_signal(signal.SIGKILL)
    assert rules.UNFINISHED in {each.name for each in out.iterdir()}
    assert len(databases(url) - before) == 1
    again = service.backup(url, out)
    assert {each.name for each in out.iterdir()} == {made.name, again.name}
    until(lambda: not restoring(url), seconds=60)
    service.restore(url, again, replace=True)
    assert databases(url) == before


def restoring(url: str) -> bool:
    with service._administration(make_url(url)) as admin:
        return admin.exec_driver_sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").scalar() > 0


# ---- folders -------------------------------------------------------------------------------------------


def test_only_the_newest_backups_are_kept_and_nothing_else_is_removed(house, tmp_path):
    out = tmp_path / "out"
    others = [out / name for name in ("gridmgr-20200101-000000", "gridmgr-old", "gridmgr-20200101-000001")]
    for each in others:
        each.mkdir(parents=True)
        (each / "database.dump").write_bytes(b"somebody's")
    (others[2] / "manifest.json").write_text('{"of": "something else"}')
    for minute in range(3):
        with clock.travel(clock.now().replace(minute=minute)):
            last = service.backup(url_of(house), out, keep=2)
    assert all((each / "database.dump").exists() for each in others)
    assert len(list(out.iterdir())) == 5
    assert last.exists()


def test_two_backups_of_the_same_second_are_two(house, tmp_path):
    with clock.travel(clock.now()):
        first, second, third = (service.backup(url_of(house), tmp_path / "out") for _ in range(3))
    assert [second.name, third.name] == [f"{first.name}-2", f"{first.name}-3"]


def test_a_backup_is_closed_to_all_others_whatever_the_umask(house, tmp_path):
    before = os.umask(0)
    try:
        made = service.backup(url_of(house), tmp_path / "out")
        assert os.umask(0) == 0
    finally:
        os.umask(before)
    modes = {path.is_dir(): path.stat().st_mode & 0o777 for path in (made.parent, made, *made.rglob("*"))}
    assert modes == {True: 0o700, False: 0o600}


def test_programs_are_told_all_that_the_address_says_and_nothing_else():
    url = "postgresql+psycopg2://wang:s%40fe@db.example:6432/city?sslmode=verify-full&sslrootcert=/etc/ca.pem"
    around = {"PATH": "/bin", "PGHOST": "elsewhere", "PGSSLMODE": "disable", "PGPASSWORD": "other"}
    address, env = rules.libpq(url, around)
    words = set(address.split())
    assert words >= {"host=db.example", "port=6432", "user=wang", "dbname=city", "sslmode=verify-full"}
    assert "sslrootcert=/etc/ca.pem" in words
    assert "s@fe" not in address
    assert env == {"PATH": "/bin", "PGPASSWORD": "s@fe"}


def test_variables_of_another_server_do_not_lead_a_backup_astray(house, tmp_path, monkeypatch):
    url = url_of(house)
    for name, value in (("PGHOST", "192.0.2.1"), ("PGDATABASE", "nowhere"), ("PGOPTIONS", "-c nonsense=1")):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("PGOPTIONS")  # our own connections would follow it
    made = service.backup(url, tmp_path / "out")
    assert service.manifest(made).counts["incident"] == 1


@pytest.mark.parametrize("database", ["gridmgr", "g" * 63, "区" * 21])
def test_what_stands_aside_is_known_by_its_name(database):
    name = rules.aside(database, "restored", 4711)
    assert len(name.encode()) <= 63
    assert rules.is_aside(database, name)
    assert not rules.is_aside(database, database)
    assert not rules.is_aside(database, f"{database}_restored")
    assert not rules.is_aside("other", name)
