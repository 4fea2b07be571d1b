"""Reports over HTTP beside their own statements in pgbench, the verb beside an ORM, and batches.

pgbench sends what a report of ours sends to the database, and nothing else: it neither decides nor answers.
The ORM looks up what it needs (matter, policy, calendar, seats, wishes, webhooks) each time, and writes the
rows that a report of ours leaves: case, history, clock, notices.
"""

import json
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import Engine, event, make_url, select, text
from sqlalchemy.orm import Session

from benchmarks.city import peopled, room
from benchmarks.processes import running
from benchmarks.table import Row, in_turn
from gridmgr import cluster, db
from gridmgr.account.model import Account, RoleGrant
from gridmgr.account.rules import SYSTEM
from gridmgr.calendar.model import SpecialDay, WorkedHours
from gridmgr.category import queries as categories
from gridmgr.category.model import Category
from gridmgr.cluster_home import Home
from gridmgr.escalation.model import CaseClock
from gridmgr.incident.model import NUMBERS, Incident, IncidentEvent, Report
from gridmgr.intake import service as intake
from gridmgr.life.model import Source
from gridmgr.notice.model import Notice, NoticeWish, Webhook
from gridmgr.policy.model import Policy, Stage
from gridmgr.reactions import REACTIONS
from gridmgr.settings import settings

SERVERS, CLIENTS = 2, 8
REPORTS, SECONDS = 800, 5  # over HTTP, and of pgbench
ALONE, BATCHES, BATCH = 100, 4, 1000
LOCATE = text("""
    SELECT level, code FROM grid_unit
    WHERE valid_to IS NULL AND ST_Intersects(geom, ST_SetSRID(ST_MakePoint(:lon, :lat), 4326))
""")


def run() -> list[Row]:
    """Report by each way in one database; the places found are compared first."""
    with room() as home:
        before, settings().home = settings().home, home
        try:
            engine = db.engine(cluster.start(home).url())
            return _run(engine, home)
        finally:
            settings().home = before


def _run(engine: Engine, home: Path) -> list[Row]:
    url = engine.url.render_as_string(hide_password=False)
    token, doors = peopled(engine, url, "street")
    lon, lat = doors[0]
    body = {"lon": lon, "lat": lat, "datum": "wgs84", "category": "B0402", "description": "护栏破损"}
    rows = _left_by(engine, _report(engine, lon, lat))
    _same_place(engine, rows[Incident][0], lon, lat)
    script = home / "report.sql"
    script.write_text(_script(engine, rows, lon, lat), "utf-8")
    verb, orm = in_turn(
        [
            lambda: [_report(engine, lon, lat) for _ in range(ALONE)],
            lambda: [_by_orm(engine, rows, lon, lat) for _ in range(ALONE)],
        ],
        rounds=3,
    )
    with running(url, home, servers=SERVERS, workers=0) as servers:
        addresses = [each.address for each in servers]
        _send(addresses, token, "/api/incidents", body, CLIENTS * 4)  # warm
        rounds = []
        for _ in range(2):
            sent = _send(addresses, token, "/api/incidents", body, REPORTS)
            rounds.append((sent, _pgbench(script, engine, home)))
        ours, theirs = (min(each) for each in zip(*rounds, strict=True))
        batch = {"reports": [body] * BATCH}
        batches = _send(addresses, token, "/api/incidents/batch", batch, BATCHES, clients=SERVERS) / BATCH
    return [
        Row(
            f"a report over HTTP, {SERVERS} servers, {CLIENTS} clients (pgbench, its statements)",
            ours,
            theirs,
            0.12,
        ),
        Row("a report, the verb alone (SQLAlchemy ORM, the same rows)", verb / ALONE, orm / ALONE, 5),
        Row(f"a report in batches of {BATCH} over HTTP (5,000 a second)", batches, 1 / 5000, 1),
    ]


def _report(engine: Engine, lon: float, lat: float) -> int:
    with db.transaction(engine, REACTIONS) as session:
        category = categories.by_code(session, "B0402").id
        return intake.report(
            session, SYSTEM, Report(lon, lat, "wgs84", category, Source.PATROL, "护栏破损")
        ).id


# ---- peers ---------------------------------------------------------------------------------------------

LEFT = {Incident: "id", IncidentEvent: "incident_id", CaseClock: "incident_id", Notice: "incident_id"}
"""What a report leaves, in the order it can be written, and the column that says whose it is."""


def _left_by(engine: Engine, incident_id: int) -> dict[type, list[dict]]:
    """Return what a report has left, table by table, as values a program would insert."""
    found = {}
    with Session(engine) as session:
        for model, owner in LEFT.items():
            columns = [
                c
                for c in model.__table__.columns
                if c.computed is None and (c.name == owner or not c.primary_key)
            ]
            rows = session.scalars(select(model).where(getattr(model, owner) == incident_id)).all()
            found[model] = [{c.name: getattr(one, c.key) for c in columns} for one in rows]
    return found


def _same_place(engine: Engine, ours: dict, lon: float, lat: float) -> None:
    with engine.connect() as connection:
        theirs = dict(connection.execute(LOCATE, {"lon": lon, "lat": lat}).all())
    if {f"{level}_code": code for level, code in theirs.items()} != {
        f"{level}_code": ours[f"{level}_code"] for level in theirs
    }:
        raise AssertionError(f"{theirs} is not {ours}")


def _by_orm(engine: Engine, rows: dict[type, list[dict]], lon: float, lat: float) -> None:
    with Session(engine) as session, session.begin():
        where = dict(session.execute(LOCATE, {"lon": lon, "lat": lat}).all())
        session.scalars(select(Category).where(Category.code == "B0402")).first()
        session.scalars(select(Policy).where(Policy.stage == Stage.ACCEPT)).all()
        session.scalars(select(WorkedHours)).all()
        session.scalars(select(SpecialDay)).all()
        around = {code[:n] for code in where.values() for n in range(len(code) + 1)}
        seated = select(RoleGrant.account_id).join(Account).where(Account.active, RoleGrant.code.in_(around))
        people = set(session.scalars(seated))
        session.scalars(select(NoticeWish).where(NoticeWish.account_id.in_(people))).all()
        session.scalars(select(Webhook).where(Webhook.active)).all()
        number = session.scalar(select(NUMBERS.next_value()))
        for model, owner in LEFT.items():
            own = {owner: number} | ({"number": f"orm{number}"} if model is Incident else {})
            session.add_all(model(**row | own) for row in rows[model])
            session.flush()  # what follows points to it


def _pgbench(script: Path, engine: Engine, home: Path) -> float:
    """Return the seconds pgbench takes for a report's statements, with as many clients."""
    address = make_url(engine.url)
    command = (
        f"{Home(home.resolve()).programs() / 'pgbench'} -n -M prepared -f {script} -T {SECONDS} -c {CLIENTS} "
        f"-j 2 -h {address.query['host']} -U {address.username} {address.database}"
    )
    ran = subprocess.run(
        command.split(), env={"PGPASSWORD": address.password}, check=True, capture_output=True, text=True
    )
    return 1 / float(ran.stdout.partition("tps = ")[2].split()[0])


def _script(engine: Engine, rows: dict[type, list[dict]], lon: float, lat: float) -> str:
    """Return a transaction with all that a report sends: what it reads, and its rows as plain INSERTs."""
    lines = [f"SELECT nextval('{NUMBERS.name}') AS n \\gset"]
    lines += [f"{sent};" for sent in _sent(engine, lon, lat) if "nextval" not in sent]
    with engine.connect() as connection:
        for model, owner in LEFT.items():
            names = list(rows[model][0])
            literals = ", ".join(f'quote_nullable("{name}"::text)' for name in names)
            asked = text(f"SELECT {literals} FROM {model.__tablename__} WHERE {owner} = :id")
            for one in connection.execute(asked, {"id": rows[Incident][0]["id"]}):
                told = dict(zip(names, one, strict=True)) | {owner: ":n"}
                told |= {"number": "'b' || :n"} if model is Incident else {}
                values = ", ".join(value.replace("\n", " ") for value in told.values())
                lines.append(f"INSERT INTO {model.__tablename__} ({', '.join(told)}) VALUES ({values});")
    return "\n".join(["BEGIN;", *lines, "COMMIT;", ""])


def _sent(engine: Engine, lon: float, lat: float) -> list[str]:
    """Return the statements a report sends, but for the rows it copies."""
    found: list[str] = []

    def note(_connection, cursor, statement, parameters, *_more) -> None:
        found.append(" ".join(cursor.mogrify(statement, parameters).decode().split()))

    event.listen(engine, "before_cursor_execute", note)
    _report(engine, lon, lat)
    event.remove(engine, "before_cursor_execute", note)
    return found


# ---- over HTTP -----------------------------------------------------------------------------------------


def _send(
    addresses: list[str], token: str, path: str, body: dict, times: int, clients: int = CLIENTS
) -> float:
    """Send a body so many times over kept connections; returns the seconds for each."""
    content, left = json.dumps(body).encode(), iter(range(times))
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def client(n: int) -> None:
        connection = HTTPConnection(urlsplit(addresses[n % len(addresses)]).netloc, timeout=60)
        for _ in left:
            connection.request("POST", path, content, headers)
            answer = connection.getresponse()
            told = answer.read()
            if answer.status >= 300:
                raise ConnectionError(f"{answer.status} {told[:300]!r}")

    start = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(client, range(clients)))
    return (time.perf_counter() - start) / times
