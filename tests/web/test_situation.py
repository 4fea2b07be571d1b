"""An open map is told what changes: all of it, after an absence too, and nothing of another street."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from small_city import EAST, WEST, City, middle
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from gridmgr import clock, db
from gridmgr.account import service as accounts
from gridmgr.account.model import Role
from gridmgr.account.rules import Actor, Grant
from gridmgr.casebook.queries import Search
from gridmgr.category import queries as matters
from gridmgr.clock import TimeUnit
from gridmgr.errors import Unavailable
from gridmgr.incident import service as incidents
from gridmgr.incident.model import Report
from gridmgr.intake import service as intake
from gridmgr.life.model import Action, Source, State
from gridmgr.reactions import REACTIONS
from gridmgr.situation import queries
from gridmgr.situation.rules import Mark, mark_of
from gridmgr.supervision import service as supervision
from web import situation
from web.situation import Reader, Screen, View

LIMIT = 1000


class Map:
    """What a page does with what it is told: it puts points, takes them away, and loads anew when told to."""

    def __init__(self, city: City, actor: Actor, search: Search, behind: Mark | None = None) -> None:
        self.city, self.search, self.actor = city, search, actor
        self.screen = Screen(actor, actor.username.encode(), View(search, "micro_grid", "none", "zh"), behind)
        self.points, self.heard, self.mark = self.there_are(), [], behind

    def there_are(self) -> dict[int, list]:
        """Return what a page that is loaded now shows."""
        with db.transaction(self.city.engine) as session:
            return {row[0]: list(row) for row in queries.points(session, self.actor, self.search, LIMIT)}

    def hear(self, message: bytes) -> None:
        """Do what a message says."""
        told = dict(line.split(": ", 1) for line in message.decode().splitlines() if line)
        self.heard.append(told["event"])
        self.mark = mark_of(told.get("id", "")) or self.mark
        data = json.loads(told["data"])
        if told["event"] == "change":
            self.points |= {row[0]: row for row in data["put"]}
            self.points = {key: row for key, row in self.points.items() if key not in data["gone"]}
        if told["event"] == "reload":
            self.points = self.there_are()


def tell(reader: Reader, *maps: Map) -> None:
    """Play one round for these maps, as the server does."""
    screens = {each.screen: each for each in maps}
    for screen, message in reader.round(list(screens)):
        screens[screen].hear(message)
    for screen in screens:
        screen.new, screen.greeted, screen.behind = False, True, None


@pytest.fixture(scope="module")
def people(city: City) -> dict[str, Actor]:
    """Return a command centre, and a dispatcher and a leader of each street."""
    posts = [(Role.STREET_DISPATCHER, WEST), (Role.STREET_DISPATCHER, EAST), (Role.STREET_LEADER, WEST)]
    with db.transaction(city.engine, REACTIONS) as session:
        found = {"centre": accounts.queries.actor(session, Role.COMMAND_CENTRE)}
        for role, code in posts:
            name = f"{role}-{code}"
            accounts.open_account(session, name, name, "correct horse battery", [Grant(role, code)])
            found[name] = accounts.queries.actor(session, name)
    return found


@pytest.fixture
def reader(city: City) -> Iterator[Reader]:
    """Return what reads the records for the maps of a process."""
    yield Reader(lambda session, eyes, view: None)


def report(city: City, cell: int, client: Role = Role.COMMAND_CENTRE) -> str:
    """File a report in the middle of a cell; cells 0 to 3 are the west street's."""
    lon, lat = middle(cell)
    body = {"lon": lon, "lat": lat, "datum": "wgs84", "category": "0201"}
    return city.client(client).post("/api/incidents", json=body).json()["number"]


def move(city: City, number: str, action: Action, **payload: object) -> None:
    with db.transaction(city.engine, REACTIONS) as session:
        chief = accounts.queries.actor(session, Role.ADMIN)
        incidents.move(session, chief, number, action, payload)


def numbers(shown: Map) -> set[str]:
    return {row[1] for row in shown.points.values()}


def test_every_map_shows_what_is_there_and_hears_nothing_of_another_street(city: City, people, reader):
    west, east = (people[f"{Role.STREET_DISPATCHER}-{code}"] for code in (WEST, EAST))
    waiting = Search(states=(State.REPORTED,))
    maps = {
        "all": Map(city, people["centre"], Search()),
        "west": Map(city, west, Search()),
        "east": Map(city, east, Search()),
        "waiting": Map(city, people["centre"], waiting),
    }
    tell(reader, *maps.values())
    assert [each.heard for each in maps.values()] == [["hello"]] * 4
    new = report(city, 1)
    tell(reader, *maps.values())
    assert new in numbers(maps["all"]) & numbers(maps["west"]) & numbers(maps["waiting"])
    assert maps["east"].heard == ["hello"]
    move(city, new, Action.ACCEPT)
    tell(reader, *maps.values())
    assert new not in numbers(maps["waiting"])
    assert maps["east"].heard == ["hello"]
    for each in maps.values():
        assert each.points == each.there_are()


def test_a_map_that_was_away_gets_what_is_there_now(city: City, people, reader):
    search = Search(open=True)
    for who in people.values():
        gone = Map(city, who, search)
        tell(reader, gone)
        kept, closed = report(city, 0), report(city, 5)
        tell(reader, gone)
        before = dict(gone.points)
        move(city, closed, Action.VOID, note="重复")
        move(city, kept, Action.ACCEPT)
        third = report(city, 2)
        back = Map(city, who, search, behind=gone.mark)
        back.points = before
        tell(Reader(lambda *_: None), back)  # another process, which knows nothing of it
        assert "hello" in back.heard and "change" in back.heard
        assert back.points == back.there_are()
        assert ({third, kept} <= numbers(back)) == (who.scope[0] in ("", WEST))


def test_what_is_committed_late_is_not_missed(city: City, people, reader):
    """A lower number of history may be seen after a higher one."""
    shown = Map(city, people["centre"], Search())
    tell(reader, shown)
    with db.transaction(city.engine, REACTIONS) as slow:
        chief = accounts.queries.actor(slow, Role.ADMIN)
        case = next(iter(shown.points.values()))[1]
        incidents.move(slow, chief, case, Action.ACCEPT, {})
        slow.flush()
        quick = [report(city, 3) for _ in range(2)]
        for _ in range(3):
            tell(reader, shown)
        assert set(quick) <= numbers(shown)
        mark = shown.mark
    late = Map(city, people["centre"], Search(), behind=mark)
    late.points = dict(shown.points)
    tell(reader, shown, late)
    assert shown.points == late.points == shown.there_are()


def test_people_who_see_the_same_share_the_work(city: City, people, reader, monkeypatch):
    monkeypatch.setattr(situation, "PACE", 0)
    monkeypatch.setattr(situation, "REST", 0)
    first, second = (Map(city, people["centre"], Search()) for _ in range(2))
    twin = Map(city, replace(people["centre"], id=None, name="another", username="another"), Search())
    other = Map(city, people["centre"], Search(open=True))
    tell(reader, first, second, twin, other)
    assert first.screen.board == second.screen.board == twin.screen.board != other.screen.board
    asked: list[str] = []

    def watch(*told: object) -> None:
        asked.append(told[2])

    def cost(*maps: Map) -> int:
        report(city, 0)
        asked.clear()
        tell(reader, *maps)
        return len(asked)

    event.listen(city.engine, "before_cursor_execute", watch)
    try:
        assert cost(first, other) == cost(first, second, twin, other)
    finally:
        event.remove(city.engine, "before_cursor_execute", watch)


def test_whoever_reported_a_case_elsewhere_sees_it_alone(city: City, people, reader):
    west = Map(city, people[f"{Role.STREET_DISPATCHER}-{WEST}"], Search())
    tell(reader, west)
    assert west.screen.eyes.id is None
    lon, lat = middle(6)
    with db.transaction(city.engine, REACTIONS) as session:
        told = Report(lon, lat, "wgs84", matters.by_code(session, "0201").id, Source.PATROL)
        number = intake.report(session, west.actor, told).number
    tell(reader, west)
    assert west.screen.eyes.id == west.actor.id
    assert number in numbers(west)
    assert west.points == west.there_are()


def test_lateness_comes_by_time_alone_and_supervision_by_its_order(city: City, people, reader, monkeypatch):
    monkeypatch.setattr(situation, "AGE_SECONDS", 0)
    number = report(city, 0)
    move(city, number, Action.ACCEPT)
    shown, late = Map(city, people["centre"], Search()), Map(city, people["centre"], Search(lateness="late"))
    tell(reader, shown, late)

    def point() -> list:
        return next(row for row in shown.points.values() if row[1] == number)

    assert number not in numbers(late)
    with db.transaction(city.engine, REACTIONS) as session:
        chief = accounts.queries.actor(session, Role.COMMAND_CENTRE)
        supervision.issue(session, chief, number, "今日办结", 4, TimeUnit.HOURS)
    tell(reader, shown, late)
    assert point()[9] == queries.SUPERVISED
    with clock.travel(clock.now() + timedelta(days=30)):
        tell(reader, shown, late)
        assert point()[8] == 3
        assert number in numbers(late)
        assert shown.points == shown.there_are()


def test_too_much_at_once_is_loaded_anew(city: City, people, reader, monkeypatch):
    shown = Map(city, people["centre"], Search())
    tell(reader, shown)
    monkeypatch.setattr(situation, "MOST", 1)
    new = {report(city, 0), report(city, 1)}
    tell(reader, shown)
    assert "reload" in shown.heard
    assert new <= numbers(shown)


def test_a_page_that_loads_anew_at_once_misses_nothing_until_the_next_round(
    city, people, reader, monkeypatch
):
    shown = Map(city, people["centre"], Search())
    tell(reader, shown)
    report(city, 0)
    with monkeypatch.context() as patch:
        patch.setattr(queries, "written", partial(queries.written, most=0))
        patch.setattr(situation, "MARGIN", 0)
        tell(reader, shown)
    assert "reload" in shown.heard
    new = report(city, 1)
    tell(reader, shown)
    assert new in numbers(shown) and shown.heard.count("reload") == 1


def test_what_cannot_be_counted_keeps_nothing_from_anybody(city, people, monkeypatch):
    monkeypatch.setattr(situation, "PACE", 0)
    monkeypatch.setattr(situation, "REST", 0)
    monkeypatch.setattr(situation, "PAINT_SECONDS", 0)
    failing, whole = [True], queries.figures

    def figures(session: Session, actor: Actor, search: Search) -> queries.Figures:
        if search.open and failing:
            session.execute(text("SELECT 1 / 0"))
        return whole(session, actor, search)

    monkeypatch.setattr(queries, "figures", figures)
    reader = Reader(lambda session, eyes, view: view.level)
    first, second = Map(city, people["centre"], Search(open=True)), Map(city, people["centre"], Search())
    tell(reader, first, second)
    new = report(city, 0)
    tell(reader, first, second)
    assert new in numbers(first) & numbers(second)
    assert first.heard == ["hello", "change", "colours"]
    assert second.heard == ["hello", "change", "figures", "colours"]
    failing.clear()
    tell(reader, first)
    assert first.heard[-1] == "figures"


def test_a_round_that_fails_is_told_by_the_next_one(city, people, monkeypatch):
    monkeypatch.setattr(situation, "PACE", 0)
    monkeypatch.setattr(situation, "REST", 0)
    monkeypatch.setattr(situation, "PAINT_SECONDS", 0)
    gone: list[str] = []

    def paint(session: Session, eyes: Actor, view: View) -> str:
        if gone:
            raise Unavailable
        return view.level

    reader = Reader(paint)
    shown = Map(city, people["centre"], Search())
    tell(reader, shown)
    new = report(city, 0)
    gone.append("the database")
    for _ in range(2):
        with pytest.raises(Unavailable):
            tell(reader, shown)
    gone.clear()
    tell(reader, shown)
    assert new in numbers(shown)
    assert shown.heard == ["hello", "change", "figures", "colours"]


def test_sessions_end_although_nothing_can_be_told(people, monkeypatch):
    monkeypatch.setattr(situation, "_living", lambda screens: {})
    monkeypatch.setattr(situation, "ALIVE_SECONDS", 0)
    monkeypatch.setattr(situation, "PACE", 0)
    monkeypatch.setattr(Reader, "round", lambda *_: 1 / 0)
    view = View(Search(), "micro_grid", "none", "zh")

    async def heard() -> list[bytes]:
        return [each async for each in situation.Situation(None).follow(people["centre"], b"", view, None)]

    told = b"".join(asyncio.run(asyncio.wait_for(heard(), 5)))
    assert b"event: away" in told and b"event: end" in told and b"event: alive" not in told


def test_the_stream_begins_by_saying_how_far_it_goes(city: City):
    lines = city.client(Role.PLANNER).get("/situation/stream?colour=count").text.splitlines()
    assert "event: hello" in lines
    assert city.client().get("/situation/stream").status_code == 303


def test_figures_and_colours_are_told_when_they_have_changed(city: City, people):
    reader = Reader(lambda session, eyes, view: {"level": view.level})
    shown = Map(city, people["centre"], Search())
    tell(reader, shown)
    report(city, 0)
    tell(reader, shown)
    assert shown.heard == ["hello", "change", "figures", "colours"]


def test_a_trigger_calls_once_for_a_transaction(city: City):
    connection = city.engine.raw_connection()
    connection.set_session(autocommit=True)
    connection.cursor().execute("LISTEN situation")
    report(city, 0)
    connection.cursor().execute("SELECT 1")
    assert [each.payload for each in connection.notifies] == [""]
    connection.close()
