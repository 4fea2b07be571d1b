"""Reports over HTTP beside the same rows in pgbench, the verb beside an ORM, and batches.

What pgbench and the ORM write is what a report of ours has left: its case, its history, its clock. They tell
nobody; ours writes the notices too.
"""

import json
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import Engine, make_url, select, text
from sqlalchemy.orm import Session

from benchmarks.city import peopled, room
from benchmarks.processes import running
from benchmarks.table import Row, in_turn
from gridmgr import cluster, db
from gridmgr.account.rules import SYSTEM
from gridmgr.cluster_home import Home
from gridmgr.escalation.model import CaseClock
from gridmgr.incident.model import NUMBERS, Incident, IncidentEvent, Report
from gridmgr.intake import service as intake
from gridmgr.life.model import Source
from gridmgr.reactions import REACTIONS
from gridmgr.responsibility import queries as categories
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
    _same_place(engine, rows["incident"], lon, lat)
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
            rounds.append(
                (_send(addresses, token, "/api/incidents", body, REPORTS), _pgbench(engine, rows, home))
            )
        ours, theirs = (min(each) for each in zip(*rounds, strict=True))
        batch = {"reports": [body] * BATCH}
        batches = _send(addresses, token, "/api/incidents/batch", batch, BATCHES, clients=SERVERS) / BATCH
    return [
        Row(
            f"a report over HTTP, {SERVERS} servers, {CLIENTS} clients (pgbench, the same rows)",
            ours,
            theirs,
            0.12,
        ),
        Row("a report, the verb alone (SQLAlchemy ORM, located by SQL)", verb / ALONE, orm / ALONE, 5),
        Row(f"a report in batches of {BATCH} over HTTP (5,000 a second)", batches, 1 / 5000, 1),
    ]


def _report(engine: Engine, lon: float, lat: float) -> int:
    with db.transaction(engine, REACTIONS) as session:
        category = categories.by_code(session, "B0402").id
        return intake.report(
            session, SYSTEM, Report(lon, lat, "wgs84", category, Source.PATROL, "护栏破损")
        ).id


# ---- peers ---------------------------------------------------------------------------------------------


def _left_by(engine: Engine, incident_id: int) -> dict[str, dict]:
    """Return what a report has left, table by table, as values a program would insert."""
    found = {}
    with Session(engine) as session:
        for model, owner in ((Incident, "id"), (IncidentEvent, "incident_id"), (CaseClock, "incident_id")):
            one = session.scalars(select(model).where(getattr(model, owner) == incident_id)).first()
            columns = [c for c in model.__table__.columns if c.computed is None]
            found[model.__tablename__] = {c.name: getattr(one, c.key) for c in columns}
    del found["case_clock"]["id"], found["incident_event"]["id"]
    return found


def _same_place(engine: Engine, ours: dict, lon: float, lat: float) -> None:
    with engine.connect() as connection:
        theirs = dict(connection.execute(LOCATE, {"lon": lon, "lat": lat}).all())
    if {f"{level}_code": code for level, code in theirs.items()} != {
        f"{level}_code": ours[f"{level}_code"] for level in theirs
    }:
        raise AssertionError(f"{theirs} is not {ours}")


def _by_orm(engine: Engine, rows: dict[str, dict], lon: float, lat: float) -> None:
    with Session(engine) as session, session.begin():
        where = dict(session.execute(LOCATE, {"lon": lon, "lat": lat}).all())
        number = session.scalar(select(NUMBERS.next_value()))
        told = rows["incident"] | {f"{level}_code": code for level, code in where.items()}
        session.add(Incident(**told | {"id": number, "number": f"orm{number}"}))
        session.flush()
        session.add(IncidentEvent(**rows["incident_event"] | {"incident_id": number}))
        session.add(CaseClock(**rows["case_clock"] | {"incident_id": number}))


def _pgbench(engine: Engine, rows: dict[str, dict], home: Path) -> float:
    """Return the seconds pgbench takes to write the same rows, with as many clients."""
    script = home / "report.sql"
    script.write_text(_script(engine, rows), "utf-8")
    address = make_url(engine.url)
    command = [
        Home(home.resolve()).programs() / "pgbench",
        "-n",
        "-M",
        "prepared",
        "-f",
        script,
        "-T",
        str(SECONDS),
        "-c",
        str(CLIENTS),
        "-j",
        "2",
        "-h",
        address.query["host"],
        "-U",
        address.username,
        address.database,
    ]
    ran = subprocess.run(
        list(map(str, command)),
        env={"PGPASSWORD": address.password},
        check=True,
        capture_output=True,
        text=True,
    )
    return 1 / float(ran.stdout.partition("tps = ")[2].split()[0])


def _script(engine: Engine, rows: dict[str, dict]) -> str:
    lines = ["BEGIN;", f"SELECT nextval('{NUMBERS.name}') AS n \\gset"]
    with engine.connect() as connection:
        for table, owner in (
            ("incident", "id"),
            ("incident_event", "incident_id"),
            ("case_clock", "incident_id"),
        ):
            literals = ", ".join(f'quote_nullable("{name}"::text)' for name in rows[table])
            asked = text(f"SELECT {literals} FROM {table} WHERE {owner} = :id LIMIT 1")
            values = dict(
                zip(rows[table], connection.execute(asked, {"id": rows["incident"]["id"]}).one(), strict=True)
            )
            values |= {owner: ":n"} | ({"number": "'b' || :n"} if table == "incident" else {})
            told = ", ".join(value.replace("\n", " ") for value in values.values())
            lines.append(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({told});")
    return "\n".join([*lines, "COMMIT;", ""])


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
