"""Desks, lists and searches over a million cases, each beside the plain way to the same answer.

The cases of two played days are copied over two years; a fiftieth of them is open, as in a real district.
"""

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from benchmarks.city import room
from benchmarks.table import Row, in_turn
from gridmgr import clock, cluster, db
from gridmgr.account import queries as accounts
from gridmgr.account.rules import Actor
from gridmgr.casebook import queries as casebook
from gridmgr.casebook.queries import Search
from gridmgr.desk import queries as desk
from gridmgr.incident.model import Incident
from gridmgr.incident.queries import visible
from gridmgr.life.rules import FINAL
from gridmgr.reactions import REACTIONS
from gridmgr.settings import settings
from gridmgr.simulation import service as simulation

PAGE = 50
RARE, COMMON = "鹦鹉", "垃圾"
OPEN_SHARE = 50  # one case of so many is open
MADE = (
    "id",
    "number",
    "source_id",
    "words",
    "description",
    "reported_at",
    "accepted_at",
    "due_at",
    "closed_at",
)
COPY = """
    INSERT INTO incident ({kept}, id, number, source_id, words, description,
                          reported_at, accepted_at, due_at, closed_at)
    SELECT {kept}, fresh, lpad(CAST(fresh AS text), 15, '0'), 'copy-' || fresh,
           replace(words, number, lpad(CAST(fresh AS text), 15, '0')) || told, description || told,
           reported_at - back, accepted_at - back, due_at - back, closed_at - back
    FROM (SELECT *, row_number() OVER (ORDER BY id) AS row FROM incident
          WHERE (state = ANY(:final)) = :ended) AS one,
         generate_series(1, :copies) n,
         LATERAL (SELECT CASE WHEN :ended THEN (n * 7919 + row * 104729) % 730 ELSE (n + row) % 20 END
                         * interval '1 day' AS back,
                         (n * 100000 + row) * 2 + CAST(:ended AS int) AS fresh,
                         CASE WHEN n % 97 = 0 AND row % 37 = 0 THEN '，鹦鹉' ELSE '' END AS told) AS made
    ORDER BY reported_at - back  -- as they would have come: a month of cases lies together
"""


def run(cases: int = 1_000_000) -> list[Row]:
    """Fill a database with so many cases, compare the answers, and return the ratios."""
    with room() as home:
        before, settings().home = settings().home, home
        try:
            url = cluster.start(home).url()
            db.migrate(url)
            engine = db.engine(url)
            _fill(engine, cases)
            with db.transaction(engine) as session:
                return _rows(session)
        finally:
            settings().home = before


def _fill(engine: Engine, cases: int) -> None:
    until = clock.now()
    since = until - timedelta(days=2)
    with db.transaction(engine, REACTIONS) as session:
        simulation.build(session, "district", simulation.SEED, (until - timedelta(days=800)).date())
    simulation.play(engine, REACTIONS, since, until)
    kept = ", ".join(each.name for each in Incident.__table__.columns if each.name not in MADE)
    with db.transaction(engine) as session:
        for ended, share in ((True, 1 - 1 / OPEN_SHARE), (False, 1 / OPEN_SHARE)):
            there = session.scalar(select(func.count()).where(Incident.state.in_(FINAL) == ended))
            values = {"final": list(FINAL), "ended": ended, "copies": round(cases * share / there)}
            session.execute(text(COPY.format(kept=kept)), values)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE incident"))


def _rows(session: Session) -> list[Row]:
    command, clerk = (accounts.actor(session, name) for name in ("command", "clerk"))
    number = session.scalar(select(func.count()).select_from(Incident))
    rows = [
        _row(
            f"a whole desk counted, of {number:,}: {name} (a count for each list)",
            1,
            *_counts(session, actor),
        )
        for name, actor in (("command centre", command), ("community", clerk))
    ]
    rows.append(
        _row("all lists of that desk, their first pages (each sorted whole)", 1, *_pages(session, command))
    )
    rows.append(_row("a page in the middle (OFFSET)", 10, *_middle(session, command, number // 2)))
    for word, target in ((RARE, 10), (COMMON, 1)):
        rows.append(
            _row(f"search for {word}, page and count (ILIKE)", target, *_search(session, command, word))
        )
    return rows


def _row(work: str, target: float, ours: Callable[[], object], peer: Callable[[], object]) -> Row:
    assert ours() == peer(), work
    return Row(work, *in_turn([ours, peer], rounds=3), target)


def _counts(session: Session, actor: Actor) -> tuple[Callable, Callable]:
    def one_by_one() -> list[int]:
        return [
            session.scalar(select(func.count()).select_from(casebook.matching(session, actor, pile.search).subquery()))
            for pile in desk.piles(session, actor, top=0)
        ]  # fmt: skip

    return lambda: [pile.count for pile in desk.piles(session, actor, top=0)], one_by_one


def _pages(session: Session, actor: Actor) -> tuple[Callable, Callable]:
    searches = [pile.search for pile in desk.piles(session, actor, top=0)]

    def ours() -> list[list[int]]:
        return [[case.id for case in casebook.page(session, actor, each, PAGE)] for each in searches]

    def sorted_here() -> list[list[int]]:
        found = []
        for each in searches:
            sort = casebook.SORTS[each.sort]
            asked = casebook.matching(session, actor, each).with_only_columns(sort.column, Incident.id)
            rows = sorted(map(tuple, session.execute(asked)), reverse=sort.down)
            found.append([case_id for _, case_id in rows[:PAGE]])
        return found

    return ours, sorted_here


def _middle(session: Session, actor: Actor, behind: int) -> tuple[Callable, Callable]:
    search = Search()
    ordered = visible(actor).order_by(Incident.reported_at.desc(), Incident.id.desc())
    before = session.scalars(ordered.offset(behind - 1).limit(1)).one()
    place = casebook.place(search, before)

    def by_place() -> list[int]:
        return [case.id for case in casebook.page(session, actor, search, PAGE, place)]

    return by_place, lambda: [case.id for case in session.scalars(ordered.offset(behind).limit(PAGE))]


def _search(session: Session, actor: Actor, word: str) -> tuple[Callable, Callable]:
    search = Search(words=word)
    plain = visible(actor).where(Incident.words.ilike(f"%{word}%"))
    ordered = plain.order_by(Incident.reported_at.desc(), Incident.id.desc()).limit(PAGE)

    def ours() -> tuple[list[int], int]:
        page = [case.id for case in casebook.page(session, actor, search, PAGE)]
        return page, sum(casebook.count_by_state(session, actor, search).values())

    def by_pattern() -> tuple[list[int], int]:
        number = session.scalar(select(func.count()).select_from(plain.subquery()))
        return [case.id for case in session.scalars(ordered)], number

    return ours, by_pattern
