"""One transaction for each request or job: all of it or nothing, and what it set off with it."""

import subprocess
import sys
from dataclasses import dataclass
from inspect import signature

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from little import little_district
from sqlalchemy import create_engine, make_url, text

from gridmgr import db, jobs, worker
from gridmgr.clock import today
from gridmgr.errors import Unavailable
from gridmgr.events import emit
from gridmgr.hierarchy import queries, service
from gridmgr.reactions import REACTIONS
from gridmgr.schema import METADATA, belongs_here
from gridmgr.settings import settings


def test_the_migrations_add_up_to_the_models(engine):
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": belongs_here})
        assert compare_metadata(context, METADATA) == []


def test_many_may_migrate_at_once(server):
    empty = server.set(database="gridmgr_migrated_by_many")
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {empty.database}"))
        try:
            url = empty.render_as_string(hide_password=False)
            ask = [sys.executable, "-c", f"from gridmgr.db import migrate; migrate({url!r})"]
            askers = [subprocess.Popen(ask) for _ in range(3)]
            assert [asker.wait(timeout=60) for asker in askers] == [0, 0, 0]
        finally:
            connection.execute(text(f"DROP DATABASE {empty.database} WITH (FORCE)"))
    admin.dispose()


@dataclass(frozen=True)
class Rang:
    times: int


def test_an_event_is_heard_before_the_commit_and_may_ring_again(own_database):
    heard = []

    def echo(session, event):
        heard.append(event.times)
        if event.times:
            emit(session, Rang(event.times - 1))

    with db.transaction(db.engine(own_database), {Rang: [echo]}) as session:
        emit(session, Rang(2))
        assert heard == []
    assert heard == [2, 1, 0]


def queued(url: str) -> list[str]:
    with db.engine(url).connect() as connection:
        return list(connection.scalars(text("SELECT task_name FROM procrastinate_jobs ORDER BY id")))


def test_a_job_is_queued_with_its_fact_or_not_at_all(own_database, work_off, tmp_path, monkeypatch):
    monkeypatch.setattr(settings(), "home", tmp_path)
    engine = db.engine(own_database)
    with pytest.raises(ZeroDivisionError), db.transaction(engine, REACTIONS) as session:
        service.load(session, little_district(), today())
        session.flush()
        raise ZeroDivisionError
    assert queued(own_database) == []
    with db.transaction(engine, REACTIONS) as session:
        service.load(session, little_district(), today())
    assert sorted(queued(own_database)) == [jobs.FOLLOW_EDITION, jobs.PREPARE_MAPS]
    work_off(own_database)
    with db.transaction(engine) as session:
        assert queries.has_tiles(session, queries.edition_at(session).stamp)


def test_every_job_that_can_be_asked_for_has_a_task():
    asked = {value for name, value in vars(jobs).items() if name.isupper() and isinstance(value, str)}
    assert asked == {name for name in worker.app.tasks if "builtin" not in name}


def test_every_task_that_is_told_the_time_is_called_by_the_clock():
    told = {name for name, task in worker.app.tasks.items() if "timestamp" in signature(task.func).parameters}
    assert told == {name for name, _id in worker.app.periodic_registry.periodic_tasks}
    assert jobs.DISPATCH_WAITING in told


def test_a_database_that_stops_midway_leaves_nothing_and_comes_back_without_a_restart(
    own_database, tmp_path, monkeypatch
):
    monkeypatch.setattr(settings(), "home", tmp_path)
    engine = db.engine(own_database)
    admin = create_engine(make_url(own_database).set(database="postgres"), isolation_level="AUTOCOMMIT")
    with (
        pytest.raises(Unavailable, match="nothing was written"),
        db.transaction(engine, REACTIONS) as session,
    ):
        service.load(session, {"street": little_district()["street"]}, today())
        with admin.connect() as other:
            other.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"),
                {"name": make_url(own_database).database},
            )
        service.load(session, {"community": little_district()["community"]}, today())
    with db.transaction(engine, REACTIONS) as session:
        assert queries.editions(session) == []
        service.load(session, little_district(), today())
    admin.dispose()


def test_texts_of_every_kind_survive_the_fast_copy(own_database):
    odd = 'tab\t line\n return\r back\\slash "quotes" \\N \\. 汉字 𠮷 🏙'
    frame = little_district()["street"].assign(name=odd)
    with db.transaction(db.engine(own_database)) as session:
        service.load(session, {"street": frame}, today())
        assert queries.frame(session, "street")["name"].tolist() == [odd]
