"""B1 1+4+98: one command centre, four platforms, 98 grids; every grid's cases reach one of the four."""

from datetime import date

import pytest
from little import layer, square
from sqlalchemy.orm import Session

from gridmgr.account import queries as accounts
from gridmgr.account import service as account_service
from gridmgr.account.rules import SYSTEM, Grant, Role
from gridmgr.category import queries as matters
from gridmgr.category import service as matters_service
from gridmgr.command_room import queries as rooms
from gridmgr.hierarchy import service as hierarchy
from gridmgr.incident.model import Report
from gridmgr.intake import service as intake
from gridmgr.life.model import Source
from gridmgr.module import queries, service
from gridmgr.settings import settings

pytestmark = pytest.mark.db
STREET, COMMUNITIES, EACH = "330104009", 7, 14
PLATFORMS = {"P0101": "综治工作", "P0202": "市场监管", "P0301": "综合执法", "P0401": "便民服务"}


@pytest.fixture
def jiubao(session: Session, tmp_path, monkeypatch) -> Session:
    """A street of seven communities with fourteen grids each, and a matter for each platform."""
    monkeypatch.setattr(settings(), "home", tmp_path)
    communities = [f"{STREET}{n:03}" for n in range(1, COMMUNITIES + 1)]
    grids = [(f"{code}{n:03}", code, column, row) for row, code in enumerate(communities)
             for column, n in enumerate(range(1, EACH + 1))]  # fmt: skip
    levels = {
        "street": layer([(STREET, "九堡街道", None, square(0, 0, EACH, COMMUNITIES))]),
        "community": layer(
            [(code, f"{row}社区", STREET, square(0, row, EACH)) for row, code in enumerate(communities)]
        ),
        "micro_grid": layer([(code, f"网格{code[-6:]}", parent, square(x, y)) for code, parent, x, y in grids]),
        "building": layer(
            [
                (f"{parent}{int(code[-3:]):05}", "楼", code, square(x + 0.4, y + 0.4, 0.2, 0.2))
                for code, parent, x, y in grids
            ]
        ).assign(households=10, address="九堡路"),
    }  # fmt: skip
    hierarchy.load(session, levels, date(2026, 1, 1), "首版")
    rows = [
        {
            "code": code, "kind": "platform", "group_zh": name, "group_en": name, "name_zh": name, "name_en": name,
            "department": name, "severity": 1, "limit_amount": 4.0, "limit_unit": "working_hours",
            "filing_condition": "", "closing_condition": "",
        }
        for code, name in PLATFORMS.items()
    ]  # fmt: skip
    matters_service.publish(session, "四平台", date(2026, 1, 1), rows)
    service.regroup(session, SYSTEM, STREET, "one_and_four", [], lambda codes: ())
    return session


def test_one_centre_sees_what_98_grids_report_sorted_into_four_platforms(jiubao):
    told, codes = [], list(PLATFORMS)
    for n in range(COMMUNITIES * EACH):
        x, y = n % EACH, n // EACH
        place = square(x + 0.1, y + 0.1, 0.01, 0.01).centroid
        category = matters.by_code(jiubao, codes[n % 4]).id
        told.append(Report(place.x, place.y, "wgs84", category, Source.PATROL, description=f"第{n + 1}格"))
    cases = [intake.report(jiubao, SYSTEM, each) for each in told]
    assert len({case.micro_grid_code for case in cases}) == 98
    account_service.open_account(jiubao, "zhihui", "指挥中心", "x" * 12, [Grant(Role.COMMAND_CENTRE, STREET)])
    room = rooms.room(jiubao, accounts.actor(jiubao, "zhihui"), STREET)
    assert {each.module.name_zh: each.pile.open for each in room.lines} == {
        "综合指挥": 0, "综治工作": 25, "市场监管": 25, "综合执法": 24, "便民服务": 24,
    }  # fmt: skip
    assert (room.whole.open, len(queries.own(jiubao, STREET).modules)) == (98, 1 + 4)
