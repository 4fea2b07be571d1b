"""The published figures of a city (field.md §5): 受理 1,054, 立案 996, 应结 972, 结案 911, 按期 737, 巡查 953."""

from datetime import UTC, date, datetime, timedelta

import pytest

from gridmgr import clock
from gridmgr.account.rules import SYSTEM, Role
from gridmgr.casebook.queries import Search
from gridmgr.i18n import percent, speaking
from gridmgr.incident.model import Adopted
from gridmgr.intake import service as intake
from gridmgr.life.model import Source
from gridmgr.statistics import queries

pytestmark = pytest.mark.db
BEGIN = datetime(2026, 9, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 9, 30, 10, tzinfo=UTC)
DAY = timedelta(days=1)
# How many cases went which way: their state, when they were due and closed, in days after they were accepted.
WAYS = (
    (737, "closed", 2, 1),  # 按期结案
    (174, "closed", 2, 3),
    (61, "handling", 2, None),  # 应结未结
    (24, "handling", 90, None),  # not due yet
    (58, "voided", None, None),  # 受理 but not 立案
)


def taken_over() -> list[Adopted]:
    words = []
    for number, state, due, closed in WAYS:
        days = {"due_at": due, "closed_at": closed, "accepted_at": 0 if due else None}
        told = {name: (BEGIN + day * DAY).isoformat() for name, day in days.items() if day is not None}
        words += [Adopted({"state": state, "handler": "环卫所"} | told, BEGIN)] * number
    return words


def test_the_published_figures_come_out(district, told, staff):
    words = taken_over()
    accepted = 996
    sources = [Source.PATROL] * 953 + [Source.HOTLINE] * (accepted - 953) + [Source.RESIDENT] * 58
    reports = [told(n % 40 / 10, 0.1, source=each, reported_at=BEGIN) for n, each in enumerate(sources)]
    with clock.travel(NOW):
        intake.report_many(district, SYSTEM, reports, words)
        month = Search(since=date(2026, 9, 1), until=date(2026, 9, 30))
        total = queries.total(district, staff[Role.COMMAND_CENTRE], month)
        (street,) = queries.figures(district, SYSTEM, "street", month)
        grids = queries.figures(district, SYSTEM, "micro_grid", month)
    assert {name: total.counts[name] for name in ("reported", "accepted", "due", "closed", "closed_on_time")} == {
        "reported": 1054, "accepted": 996, "due": 972, "closed": 911, "closed_on_time": 737,
    }  # fmt: skip
    assert (total.counts["overdue"], total.counts["patrolled"]) == (61, 953)
    with speaking("zh"):
        printed = [percent(total.rates[name]) for name in ("closing_rate", "on_time_rate", "patrol_rate")]
    assert printed == ["93.72 %", "75.82 %", "95.68 %"]
    assert street.counts == total.counts
    assert all(sum(each.counts[name] for each in grids) == number for name, number in total.counts.items())
