"""Verbs of the simulation: build the district, play a window of its days, keep it alive.

`play` and `live` are the edge of their own work: they open one transaction for each simulated hour.
"""

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache, partial
from itertools import groupby
from threading import Event

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from gis.samples import sized
from gridmgr import clock, db, sheet
from gridmgr.account import queries as accounts
from gridmgr.account import service as account_service
from gridmgr.account.rules import SYSTEM, Grant, Role
from gridmgr.attachment import queries as attachment
from gridmgr.attachment import service as attachment_service
from gridmgr.calendar import queries as calendars
from gridmgr.calendar import service as calendar_service
from gridmgr.calendar.rules import DAYS
from gridmgr.category import queries as matters
from gridmgr.category import service as matters_service
from gridmgr.discussion import rules as rules_of_talk
from gridmgr.discussion import service as discussion
from gridmgr.duty import queries as duty
from gridmgr.duty import service as organisation_service
from gridmgr.duty.rules import SHIFTS
from gridmgr.escalation import queries as escalation_queries
from gridmgr.escalation import service as escalation
from gridmgr.events import Reactions
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy import service as hierarchy_service
from gridmgr.hierarchy.service import Loaded
from gridmgr.incident import service as incident
from gridmgr.incident.model import Move
from gridmgr.intake import service as intake
from gridmgr.life.model import Action
from gridmgr.policy import service as policies
from gridmgr.simulation import photos, queries, rules, walking
from gridmgr.simulation.lives import PHOTOGRAPHED
from gridmgr.simulation.model import ACCOUNTS, Act, City, Played
from gridmgr.simulation.samples import HOLIDAYS, PHRASES, POLICIES, SEED, category_rows, policy_table

BREATH_SECONDS = 15.0
PAST_WEEKS = 4  # of rosters, before the fortnight that is brought
HANDFUL = 200  # clocks one worker serves in one transaction: small, so that several find something to do

Progress = Callable[[float], None]


def build(
    session: Session, size: str | float, seed: int, effective: date, tell: Callable[[str], None] | None = None
) -> Loaded | None:
    """Draw a district and load it with its categories and demonstration accounts; None if there is one.

    Raises
    ------
    UnknownScale
        There is no such size.
    """
    if hierarchy.editions(session):
        return None
    tell = tell or (lambda step: None)
    tell("draw")
    frames = sized(size, seed=seed)
    frames["building"] = frames["building"].rename(columns={"use": "land_use"})
    tell("load")
    loaded = hierarchy_service.load(session, frames, effective, title="simulation")
    tell("categories")
    matters_service.publish(session, "gridmgr", effective, category_rows())
    notice = sheet.read(HOLIDAYS.read_bytes(), HOLIDAYS.name, DAYS)
    calendar_service.import_days(session, notice)
    discussion.import_phrases(session, sheet.read(PHRASES.read_bytes(), PHRASES.name, rules_of_talk.PHRASES))
    tell("accounts")
    city = queries.city(session, seed)
    open_accounts(session, city, effective)
    open_staff(session, city)
    tell("policies")
    read = escalation_queries.read_policies(session, policy_table(), POLICIES, effective)
    policies.publish(session, "gridmgr", effective, read)
    return loaded


def open_accounts(session: Session, city: City, at: date) -> None:
    """Open one demonstration account for each role, around the first hotspot, unless there is one."""
    grid = city.hotspots[0].grids[0]
    codes = {"": "", "micro_grid": grid}
    unit = hierarchy.unit(session, SYSTEM, grid, at)
    for above in hierarchy.path_to(session, unit, at):
        codes[above.level] = above.code
    for demo in ACCOUNTS:
        if accounts.by_username(session, demo.username) is None:
            grants = [Grant(demo.role, codes[demo.level])]
            account_service.open_account(
                session, demo.username, demo.name, demo.password, grants, body=demo.body, demo=True
            )


def open_staff(session: Session, city: City) -> int:
    """Open an account for every post that has none: whoever works there is told things; returns how many.

    Nobody can log in with one of them: their password is a secret that nobody has seen.
    """
    filled = queries.staff(session)
    posts = [post for post in rules.posts(city) if post not in filled]
    account_service.open_many(
        session,
        [
            (rules.username(*post), actor.name, actor.body, actor.grants)
            for post, actor in ((post, rules.staff(*post)) for post in posts)
        ],
    )
    return len(posts)


def open_rosters(session: Session, monday: date) -> int:
    """Bring a fortnight's roster for the desks of the demonstration street; returns how many turns, 0 if one is there.

    Its nights have nobody, as in a real office: what is not urgent waits until the morning. The weeks before are
    brought as well, so that a month's patrol hours are known.
    """
    shown = accounts.by_username(session, "dispatcher")
    begins, ends = clock.midnight(monday), clock.midnight(monday, 14)
    if shown is None or duty.listing(session, SYSTEM, begins, ends, "", 1):
        return 0
    seated = (Role.STREET_DISPATCHER, Role.COMMUNITY_CLERK, Role.GRID_MEMBER)
    seats: dict[tuple[str, str], list[str]] = {}
    for account in accounts.listing(session):
        for grant in account.grants:
            if account.active and grant.role in seated and grant.code.startswith(shown.grants[0].code):
                seats.setdefault((grant.role, grant.code), []).append(account.username)
    weeks = [
        f"{first}~{first + timedelta(days=6)}"
        for first in (monday + timedelta(weeks=n) for n in range(-PAST_WEEKS, 2))
    ]
    rows = [
        f"{username},{role},{code},{week},08:00-18:00,{'substitute' if n else 'main'}"
        for (role, code), usernames in seats.items()
        for n, username in enumerate(usernames)
        for week in weeks
    ]
    table = "\n".join(["username,role,area,date,hours,part", *rows])
    told = sheet.read(table.encode(), "duty.csv", SHIFTS)
    return len(organisation_service.import_shifts(session, SYSTEM, told, lambda codes: ()).turns)


def play(
    engine: Engine,
    reactions: Reactions,
    since: datetime,
    until: datetime,
    seed: int = SEED,
    progress: Progress | None = None,
    workers: int = 1,
    climb: Callable[[datetime], None] | None = None,
) -> Played:
    """Play all acts of [since, until) through the verbs of incidents, on a clock that travels along.

    After each hour, so many workers climb side by side what is due; or `climb` lets others do it.

    What is there already, or no longer fits because somebody has moved the case by hand, is passed over:
    a window can be played again after it was broken off. `progress` hears the share that is done.
    """
    climb = climb or partial(_sweep, engine, reactions, workers)
    return _play(engine, reactions, _stage(engine, seed), since, until, progress, climb)


def live(
    engine: Engine,
    reactions: Reactions,
    stop: Event,
    seed: int = SEED,
    progress: Progress | None = None,
) -> None:
    """Keep the district alive until `stop` is set: catch up since the last report, then go with the time."""
    stage = _stage(engine, seed)
    since = stage.last or clock.now()
    stage = replace(stage, first=stage.first or since)
    while not stop.is_set():
        until = clock.now()
        with db.transaction(engine, reactions) as session:
            walking.walk(session)
        _play(engine, reactions, stage, since, until, progress, partial(_sweep, engine, reactions, 1))
        since = until
        stop.wait(BREATH_SECONDS)


@dataclass(frozen=True)
class _Stage:
    """What all windows of one simulation share: its plan of any day, and how far it has been played."""

    origin: str
    plan: Callable[[date], list[Act]]
    first: datetime | None
    last: datetime | None


def _stage(engine: Engine, seed: int) -> _Stage:
    origin = rules.origin(seed)
    with db.transaction(engine) as session:
        calendar = calendars.calendar_for(session)
        city = queries.city(session, seed)
        first, last = queries.played(session, origin)
    chances = rules.Chances(city)
    plan = lru_cache(maxsize=rules.HORIZON.days + 3)(
        lambda day: rules.day_plan(seed, day, city, chances, calendar)
    )
    return _Stage(origin, plan, first, last)


def _play(
    engine: Engine,
    reactions: Reactions,
    stage: _Stage,
    since: datetime,
    until: datetime,
    progress: Progress | None,
    climb: Callable[[datetime], None],
) -> Played:
    played, whole = Played(), (until - since).total_seconds()
    begun = max(min(stage.first or since, since), since - rules.HORIZON)
    with db.transaction(engine) as session:
        people = queries.staff(session)
    for end, acts in rules.timeline(stage.plan, begun, since, until, clock.zone()):
        with clock.travel(end), db.transaction(engine, reactions) as session:
            played += play_acts(session, stage.origin, acts, people)
        climb(end)
        if progress:
            progress((end - since).total_seconds() / whole)
    return played


def _sweep(engine: Engine, reactions: Reactions, workers: int, at: datetime) -> None:
    """Climb what is due at an instant, as so many workers on as many machines would."""

    def climb(_worker: int) -> None:
        served = HANDFUL
        while served:
            with clock.travel(at), db.transaction(engine, reactions) as session:
                served = escalation.sweep(session, HANDFUL)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(climb, range(workers)))


def play_acts(session: Session, origin: str, acts: Sequence[Act], people: queries.People) -> Played:
    """Play acts in order of time in one transaction: the reports first, then the steps that still fit."""
    reports = [act for act in acts if act.action is Action.REPORT]
    steps = [act for act in acts if act.action is not Action.REPORT]
    known = queries.cases(session, origin, [act.key for act in reports])
    fresh = [act for act in reports if act.key not in known]
    _file(session, fresh)
    moves = _moves(session, origin, steps, people)
    refused = sum(problem is not None for problem in incident.move_many(session, moves))
    taken = len(moves) - refused
    return Played(len(fresh), taken, len(acts) - len(fresh) - taken)


def _file(session: Session, reports: Sequence[Act]) -> None:
    """File reports, source by source, at the desk each comes in by."""
    if not reports:
        return
    ids = {category.code: category.id for category in matters.in_force(session)}
    by_source = sorted(reports, key=lambda act: act.report.source)
    for source, told in groupby(by_source, key=lambda act: act.report.source):
        filed = [replace(act.report, category_id=ids[act.category]) for act in told]
        intake.report_many(session, rules.desk(source), filed)


@lru_cache
def _drawn(seed: int) -> list[bytes]:
    return [photos.photo(seed, number) for number in range(photos.NUMBER)]


def _photos(session: Session, origin: str) -> list[dict[str, str]]:
    """Return the photos of this simulation as steps name them, stored if they are not yet."""
    drawn = _drawn(int(origin.rpartition("-")[2]))
    hashes = [hashlib.sha256(content).hexdigest() for content in drawn]
    if len(attachment.known(session, hashes)) < len(drawn):
        for content in drawn:
            attachment_service.store(session, SYSTEM, "现场.jpg", content)
    return [{"sha256": each, "name": "现场.jpg"} for each in hashes]


def _post(act: Act, case: queries.CaseAt) -> tuple[Role, str, str]:
    """Return who takes a step: what a department was planned to do is for whoever the case was dispatched to."""
    role, level = rules.who(act.action, case.level)
    if role is not Role.DEPARTMENT_HANDLER:
        return role, case.codes[level], ""
    if act.action is Action.FINISH_TASK:
        return role, "", act.department
    if case.handler_code:
        on_site = case.handler_code == case.codes["micro_grid"]
        return (Role.GRID_MEMBER if on_site else Role.COMMUNITY_CLERK), case.handler_code, ""
    return role, "", case.handler or act.department


def _moves(session: Session, origin: str, steps: Sequence[Act], people: queries.People) -> list[Move]:
    """Return the steps as moves of whoever they fall to; one that history has passed is left out."""
    keys = {act.key for act in steps} | {act.payload["into"] for act in steps if "into" in act.payload}
    cases = queries.cases(session, origin, keys) if keys else {}
    shown = _photos(session, origin) if any(act.action in PHOTOGRAPHED for act in steps) else []
    moves = []
    for act in steps:
        case = cases.get(act.key)
        if case is None or act.at <= case.last_at or act.payload.get("into", act.key) not in cases:
            continue
        post = _post(act, case)
        actor = people.get(post) or rules.staff(*post)
        payload = dict(act.payload)
        if "into" in payload:
            payload["into"] = cases[payload["into"]].number
        if act.action in PHOTOGRAPHED:
            payload["files"] = [shown[int(act.key[-5:]) % len(shown)]]
        moves.append(Move(actor, case.number, act.action, payload, act.at))
    return moves
