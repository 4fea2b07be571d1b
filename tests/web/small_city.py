"""A small city behind the real application: two streets, eight micro-grids, an account of every role."""

from dataclasses import dataclass
from datetime import date

import geopandas as gpd
import shapely
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select

from gridmgr import db
from gridmgr.account import service as accounts
from gridmgr.account.model import Role
from gridmgr.account.rules import SYSTEM, Grant
from gridmgr.category import queries as matters
from gridmgr.category import service as matters_service
from gridmgr.hierarchy import queries as hierarchy_queries
from gridmgr.hierarchy import service as hierarchy_service
from gridmgr.incident.model import Incident, Report
from gridmgr.intake import service as intake
from gridmgr.life.model import Source
from gridmgr.reactions import REACTIONS
from web import deps

PASSWORD = "correct horse battery"
WEST, EAST = "510106001", "510106002"  # the two streets
MEMBER_GRID = WEST + "001001"  # where the grid member of the tests works
OTHER_GRID = EAST + "001001"
SCRIPT = '<script>alert("网格")</script>'
LON, LAT, STEP = 104.0, 30.6, 0.01

CATEGORY = {
    "code": "0201", "kind": "event", "group_zh": "市容", "group_en": "Appearance", "name_zh": "暴露垃圾",
    "name_en": "Exposed rubbish", "department": "环卫所", "severity": 1, "limit_amount": 4.0,
    "limit_unit": "working_hours", "filing_condition": "", "closing_condition": "",
}  # fmt: skip


@dataclass(frozen=True)
class City:
    """What the tests know of the city: its application, its database, tokens by role, a case in each half."""

    app: FastAPI
    engine: Engine
    tokens: dict[Role, str]
    stamp: str
    member_case: str
    other_case: str

    def client(self, role: Role | None = None, language: str = "zh") -> TestClient:
        """Return a client that calls with the token of a role, or as nobody."""
        headers = {"Authorization": f"Bearer {self.tokens[role]}"} if role else {}
        return TestClient(
            self.app, raise_server_exceptions=False, follow_redirects=False, headers=headers,
            cookies={"lang": language},
        )  # fmt: skip

    def browser(self, role: Role) -> tuple[TestClient, str]:
        """Return a client with the session cookie of a role, and its forms' secret."""
        with db.transaction(self.engine) as session:
            secret, login = accounts.log_in(session, role.value, PASSWORD)
            csrf = login.csrf
        client = self.client()
        client.cookies.set(deps.COOKIE, secret)
        return client, csrf


def grids() -> dict[str, gpd.GeoDataFrame]:
    """Return four levels: a row of eight cells, one a micro-grid, two a community, four a street."""
    cells = [shapely.box(LON + n * STEP, LAT, LON + (n + 1) * STEP, LAT + STEP) for n in range(8)]
    codes = [
        f"{street}{community:03}{grid:03}"
        for street in (WEST, EAST)
        for community in (1, 2)
        for grid in (1, 2)
    ]
    fine = gpd.GeoDataFrame({"code": codes, "name": [SCRIPT, *codes[1:]]}, geometry=cells, crs=4326)
    fine["parent_code"] = fine["code"].str[:12]
    levels = {"micro_grid": fine}
    for level, length in (("community", 12), ("street", 9)):
        merged = fine.assign(code=fine["code"].str[:length]).dissolve("code").reset_index()
        merged["name"] = "区" + merged["code"]
        merged["parent_code"] = merged["code"].str[:9] if level == "community" else None
        levels[level] = merged[["code", "name", "parent_code", "geometry"]]
    homes = fine.assign(
        code=[f"{code[:12]}{n:05}" for n, code in enumerate(codes)], parent_code=fine["code"], households=12,
        address=[f"西安路 {n} 号" for n in range(8)], geometry=fine.to_crs(32648).centroid.buffer(20).to_crs(4326),
    )  # fmt: skip
    return levels | {"building": homes}


def middle(cell: int) -> tuple[float, float]:
    """Return the point in the middle of a cell of the row."""
    return LON + (cell + 0.5) * STEP, LAT + STEP / 2


def small_city(url: str) -> None:
    """Fill a database with the city, its accounts and two reports."""
    engine = db.engine(url)
    with db.transaction(engine, REACTIONS) as session:
        matters_service.publish(session, "样表", date(2020, 1, 1), [CATEGORY])
        edition = hierarchy_service.load(session, grids(), date(2020, 1, 1), "样图").edition
        hierarchy_service.draw_tiles(session, edition)
        for role in Role:
            code = MEMBER_GRID if role is Role.GRID_MEMBER else ""
            accounts.open_account(
                session, role.value, f"{role} {SCRIPT}"[:64], PASSWORD, [Grant(role, code)],
                body="环卫所" if role is Role.DEPARTMENT_HANDLER else None,
            )  # fmt: skip
        category = matters.by_code(session, "0201")
        for cell in (0, 4):
            told = Report(*middle(cell), "wgs84", category.id, Source.PATROL, description=f"={SCRIPT}")
            intake.report(session, SYSTEM, told)
    engine.dispose()


def entered(app: FastAPI, engine: Engine) -> City:
    """Return what the tests know of a copy of the city, with new tokens."""
    with db.transaction(engine) as session:
        people = {
            role: accounts.queries.actor_of(accounts.queries.by_username(session, role)) for role in Role
        }
        tokens = {role: accounts.issue_token(session, actor, "tests")[0] for role, actor in people.items()}
        stamp = hierarchy_queries.edition_at(session).stamp
        cases = session.scalars(select(Incident.number).order_by(Incident.id))
        return City(app, engine, tokens, stamp, *cases)
