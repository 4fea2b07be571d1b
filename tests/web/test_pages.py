"""Every word has its Chinese; every page is safe by itself; small decisions of the pages."""

import inspect
import string
from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from typer.main import get_command

from gis.errors import Problem
from gis.findings import KINDS
from gridmgr.account.model import NotGranted, Role
from gridmgr.account.rules import PERMISSIONS
from gridmgr.casebook.queries import Search
from gridmgr.cli import app, explained
from gridmgr.hierarchy.model import LEVELS
from gridmgr.hierarchy.rules import LINEAGE_KINDS
from gridmgr.i18n import CATALOGUES, say, speaking
from gridmgr.importing.model import BatchKind, BatchStatus
from gridmgr.importing.rules import guess_state
from gridmgr.life.model import Action, Source, State
from gridmgr.statistics.rules import COUNTS, RATES, SCORE, SUMS
from gridmgr.tally.queries import DIMENSIONS
from gridmgr.tally.rules import EXCLUSIONS
from web import words
from web.api.search import query
from web.pages.colouring import _range
from web.pages.login import own_path
from web.pages.mapping import as_toml, incident_plan

FLOORS = ("gis", "gridmgr", "web")
ROOT = Path(__file__).parents[2]
METHODS = [
    ("web/**.py", "python"), ("gridmgr/**.py", "python"), ("web/templates/**.html", "jinja2"),
    ("gridmgr/**.html", "jinja2"),
]  # fmt: skip
CODES = (*State, *Action, *Role, *LEVELS, *BatchKind, *BatchStatus, *PERMISSIONS)


def messages() -> set[str]:
    """Return every message people may see: in code and templates, of problems, findings and counts."""
    found = extract_from_dir(str(ROOT), METHODS, keywords={"_": None, "N_": None, "say": None})
    marked = {message for _file, _line, message, *_rest in found if isinstance(message, str)}
    sentences = {sentence for _severity, sentence in KINDS.values()}
    return (
        marked
        | sentences
        | {*COUNTS.values(), *SUMS.values(), *EXCLUSIONS.values()}
        | {inspect.getdoc(each) for each in problems()}
        | {str(code) for code in CODES}
        | {each.help for each in explained(get_command(app))}
    )


def problems() -> Iterator[type[Problem]]:
    """Yield every class of problem of the three floors."""
    for floor in FLOORS:
        for file in (ROOT / floor).rglob("*.py"):
            if file.stem != "__main__":
                import_module(
                    ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
                )
    pending = [Problem]
    while pending:
        each = pending.pop()
        pending += each.__subclasses__()
        if each.__module__.partition(".")[0] in FLOORS:  # tests declare some of their own
            yield each


def fields(message: str) -> list[tuple[str, str]]:
    """Return the braces of a message and how they are written, in any order."""
    return sorted((name, form) for _text, name, form, _turn in string.Formatter().parse(message) if name)


@pytest.fixture(scope="module")
def chinese() -> dict[str, str]:
    """Return the Chinese catalogue."""
    with (CATALOGUES / "zh" / "messages.po").open("rb") as file:
        return {entry.id: entry.string for entry in read_po(file) if entry.id and not entry.fuzzy}


def test_every_message_has_its_chinese(chinese: dict[str, str]) -> None:
    assert sorted(message for message in messages() if not chinese.get(message)) == []


def test_translations_keep_the_braces(chinese: dict[str, str]) -> None:
    braced = {message: text for message, text in chinese.items() if "{" in message}
    assert braced
    assert [message for message, text in braced.items() if fields(message) != fields(text)] == []


def test_a_refusal_names_each_role_in_the_language_of_its_reader() -> None:
    refusal = NotGranted(roles="community_clerk, grid_member", action="account.manage")
    assert say(refusal) == "您的角色（社区坐席、网格员）都无权进行此操作：管理账号。"


@pytest.mark.parametrize(
    ("table", "codes"),
    [
        (words.STATES, State), (words.ACTIONS, Action), (words.DONE, Action), (words.SOURCES, Source),
        (words.ROLES, Role), (words.LEVELS, LEVELS), (words.FINDINGS, KINDS), (words.COUNTS, [*COUNTS, *SUMS]),
        (words.RATES, [*RATES, SCORE]), (words.DIMENSIONS, DIMENSIONS),
        (words.EXCLUSIONS, EXCLUSIONS), (words.BATCH_KINDS, BatchKind), (words.BATCH_STATUS, BatchStatus),
    ],
)  # fmt: skip
def test_every_code_has_a_word(table: dict, codes: object) -> None:
    assert set(table) == {str(code) for code in codes}


def test_every_fate_of_a_unit_has_a_word() -> None:
    assert set(words.LINEAGE) >= set(LINEAGE_KINDS)


@pytest.mark.parametrize(
    "path", ["//evil.example/", "/\\evil.example", "https://evil.example", "javascript:1", ""]
)
def test_login_leads_to_no_other_site(path: str) -> None:
    assert own_path(path) == "/"
    assert own_path("/incidents?open=true") == "/incidents?open=true"


def test_filters_make_the_address_they_are_read_from() -> None:
    assert query(Search()) == ""
    assert query(Search(states=(State.CLOSED, State.VOIDED), words="井盖")) == (
        "?states=closed&states=voided&words=%E4%BA%95%E7%9B%96"
    )
    assert query(Search(open=False, overdue=True)) == "?overdue=true&open=false"


def test_templates_hold_no_inline_handlers_and_no_scripts_without_nonce() -> None:
    for template in (ROOT / "web" / "templates").rglob("*.html"):
        text = template.read_text("utf-8")
        assert " onclick" not in text
        assert " hx-on" not in text
        for part in text.split("<script")[1:]:
            assert "nonce=" in part.partition(">")[0] or "application/json" in part.partition(">")[0], (
                template
            )


def test_lateness_is_told_in_the_two_largest_units() -> None:
    assert words.span(timedelta(minutes=7)) == "7 分钟"
    assert words.span(timedelta(hours=5, minutes=7)) == "5 小时 7 分"
    assert words.span(timedelta(days=2, hours=3, minutes=59)) == "2 天 3 小时"
    assert words.span(timedelta(days=12, hours=3)) == "12 天"


def test_what_a_clock_has_left_is_told_in_its_own_unit_not_in_days_of_24_hours() -> None:
    half_a_day, a_day, lunch = timedelta(hours=12), timedelta(days=1), timedelta(minutes=45)
    assert words.counted(half_a_day, "working_days") == "0.5 个工作日"
    assert words.counted(timedelta(hours=31), "working_hours") == "31 个工作时"
    assert words.counted(lunch, "working_hours") == "45 分钟工作时间"
    assert words.counted(a_day, "hours") == "1 天 0 小时"
    with speaking("en"):
        assert (words.limit(1, "working_days"), words.counted(a_day, "working_days")) == (
            "1 working day",
        ) * 2
        assert words.limit(0.5, "hours") == "0.5 hours"


def test_ranges_of_counts_name_a_single_number_once() -> None:
    assert (_range(3, 3), _range(1, 4)) == ("3 件", "1—4 件")


@pytest.mark.parametrize(
    ("foreign", "ours"),
    [("CLOSED - INCOMPLETE", "closed"), ("DUPLICATE (CLOSED)", "merged"), ("VOIDED", "voided"),
     ("In Progress", "handling"), ("已结案", "closed"), ("不受理", "voided"),
     ("不予受理", "voided"), ("待结案", "verified"), ("待处置", "dispatched"), ("已办结(已评价)", "evaluated"),
     ("Not closed", None), ("未受理", None), ("", None)],
)  # fmt: skip
def test_foreign_statuses_are_guessed_by_their_words(foreign: str, ours: str | None) -> None:
    assert guess_state(foreign) == ours


def test_the_form_of_incidents_makes_the_same_plan_as_its_toml() -> None:
    columns = {
        "source_id": "编号",
        "lon": "经度",
        "lat": "纬度",
        "reported_at": "时间",
        "category": '类别 "甲"',
        "status": "状态",
    }
    general = {"origin": "12345", "datum": "gcj02", "zone": "Asia/Shanghai", "source": "hotline"}
    given = general | columns | {"status.已办结": "closed"}
    plan = incident_plan(given)
    assert plan.columns == columns
    assert plan.statuses == {"已办结": "closed"}
    assert incident_plan({"by": "toml", "toml": as_toml(general, columns, {"已办结": "closed"}, {})}) == plan
