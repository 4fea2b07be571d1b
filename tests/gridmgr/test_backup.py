"""Backups made while reports come in, restored elsewhere to the same figures, histories and files."""

import io
import shutil
import threading
from datetime import date
from pathlib import Path

import pytest
from little import CATEGORIES, SOUTH, STEP, WEST, little_district
from PIL import Image
from sqlalchemy import func, make_url, select

from gridmgr import db
from gridmgr.account.rules import SYSTEM
from gridmgr.attachment import service as attachment
from gridmgr.backup import service
from gridmgr.backup.model import Altered, BackupFailed, NoBackup, NotEmpty
from gridmgr.hierarchy import service as hierarchy
from gridmgr.incident import service as incident
from gridmgr.incident.model import Incident, Report
from gridmgr.intake import service as intake
from gridmgr.life.model import Action, Source
from gridmgr.reactions import REACTIONS
from gridmgr.responsibility import queries as categories
from gridmgr.responsibility import rules
from gridmgr.responsibility import service as responsibility
from gridmgr.settings import settings

pytestmark = pytest.mark.db


def photo() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(content, "JPEG")
    return content.getvalue()


@pytest.fixture
def house(own_database, tmp_path, monkeypatch):
    """A district with a case that has a photo; returns the engine on its database."""
    monkeypatch.setattr(settings(), "home", tmp_path / "home")
    engine = db.engine(own_database)
    with db.transaction(engine, REACTIONS) as session:
        hierarchy.load(session, little_district(), date(2026, 1, 1), "首版")
        responsibility.publish(session, "试点", date(2026, 1, 1), rules.parse(CATEGORIES))
        stored = attachment.store(session, SYSTEM, "现场.jpg", photo())
        session.flush()
        case = intake.report(
            session, SYSTEM, told(session, files=({"sha256": stored.sha256, "name": "现场.jpg"},))
        )
        incident.move(session, SYSTEM, case.number, Action.ACCEPT, {"checked": True})
    yield engine
    engine.dispose()


def told(session, **more) -> Report:
    category = categories.by_code(session, "S0102").id
    return Report(WEST + 0.1 * STEP, SOUTH + 0.1 * STEP, "wgs84", category, Source.PATROL, "垃圾", **more)


def url_of(engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def count(engine) -> int:
    with db.transaction(engine) as session:
        return session.scalar(select(func.count()).select_from(Incident))


def test_a_backup_made_under_load_is_restored_with_the_same_figures(house, tmp_path):
    stop = threading.Event()

    def keep_reporting() -> None:
        while not stop.is_set():
            with db.transaction(house, REACTIONS) as session:
                intake.report(session, SYSTEM, told(session))

    reporter = threading.Thread(target=keep_reporting)
    reporter.start()
    try:
        made = service.backup(url_of(house), tmp_path / "out")
    finally:
        stop.set()
        reporter.join()
    with pytest.raises(NotEmpty):
        service.restore(url_of(house), made)
    shutil.rmtree(settings().home / "files")  # the files come back too
    found = {
        name: (before, after)
        for name, before, after in service.restore(url_of(house), made, replace=True).rows
    }
    assert found["incident"][0] == found["incident"][1] >= 1
    assert found["accepted"] == (1, 1)
    assert found["histories broken"] == found["files missing"] == (0, 0)
    house.dispose()
    assert count(house) == found["incident"][1]


def test_an_altered_backup_is_refused_before_anything_is_touched(house, tmp_path):
    made = service.backup(url_of(house), tmp_path / "out")
    with (made / "database.dump").open("r+b") as dump:
        dump.seek(2000)
        dump.write(b"x")
    with pytest.raises(Altered, match=r"database\.dump"):
        service.restore(url_of(house), made, replace=True)
    (photo_path,) = (path for path in (made / "files").rglob("*") if path.is_file() and not path.suffix)
    shutil.copy(photo_path, tmp_path / "kept")
    again = service.backup(url_of(house), tmp_path / "second")
    next(path for path in (again / "files").rglob("*") if path.is_file() and not path.suffix).write_bytes(
        b"x"
    )
    with pytest.raises(Altered, match="files"):
        service.restore(url_of(house), again, replace=True)
    with pytest.raises(NoBackup):
        service.restore(url_of(house), tmp_path, replace=True)
    assert count(house) == 1


def test_only_the_newest_backups_are_kept(house, tmp_path, monkeypatch):
    from gridmgr import clock

    out = tmp_path / "out"
    for minute in range(3):
        with clock.travel(clock.now().replace(minute=minute)):
            service.backup(url_of(house), out, keep=2)
    assert len(list(out.iterdir())) == 2


def test_a_backup_that_cannot_be_written_leaves_nothing(house, tmp_path, monkeypatch):
    def full(self: Path, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(BackupFailed, match="No space left"):
        service.backup(url_of(house), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_dump_that_does_not_restore_leaves_the_database_as_it_was(house, tmp_path):
    made = service.backup(url_of(house), tmp_path / "out")
    target = make_url(url_of(house))
    before = databases(target)
    (made / "database.dump").write_bytes(b"PGDMP no dump")
    manifest = (made / "manifest.json").read_text()
    altered = service._sha256(made / "database.dump")
    sound = service._read.__globals__["json"].loads(manifest)["parts"]["database.dump"]
    (made / "manifest.json").write_text(manifest.replace(sound, altered))
    with pytest.raises(service.RestoreFailed):
        service.restore(url_of(house), made, replace=True)
    assert databases(target) == before
    assert count(house) == 1


def databases(target) -> set[str]:
    with service._administration(target) as admin:
        return set(admin.exec_driver_sql("SELECT datname FROM pg_database").scalars())
