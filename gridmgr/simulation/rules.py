"""The days of a fictional district: pure chance from (seed, day, number), so any window plays again alike."""

from bisect import bisect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from math import ceil, sqrt
from random import Random
from typing import Any

import numpy as np

from gridmgr.account.model import Role
from gridmgr.account.rules import Actor, Grant
from gridmgr.clock import WorkingCalendar
from gridmgr.incident.model import Report
from gridmgr.incident.rules import DESK
from gridmgr.life.model import HOLDERS, Action, Source
from gridmgr.simulation.lives import LIFE, WORDS, life
from gridmgr.simulation.model import Act, City, Hotspot

THEMES = {theme["name"]: theme for theme in WORDS["themes"]}

HORIZON = timedelta(days=60)  # what is not done by then is never done
SLICE = timedelta(hours=1)

# Who takes which step, and of which unit of the incident's place; departments work everywhere.
STAFF: dict[Action, tuple[Role, str | None]] = {
    Action.CONFIRM: (Role.GRID_MEMBER, "micro_grid"),
    Action.SETTLE: (Role.GRID_MEMBER, "micro_grid"),
    Action.HAND_UP: (Role.GRID_MEMBER, "micro_grid"),
    Action.ACCEPT: (Role.COMMUNITY_CLERK, "community"),
    Action.VOID: (Role.COMMUNITY_CLERK, "community"),
    Action.MERGE: (Role.COMMUNITY_CLERK, "community"),
    Action.DISPATCH: (Role.STREET_DISPATCHER, "street"),
    Action.ASSIGN_TASK: (Role.STREET_DISPATCHER, "street"),
    Action.EXTEND: (Role.STREET_DISPATCHER, "street"),
    Action.REFUSE: (Role.STREET_DISPATCHER, "street"),
    Action.SEND_BACK: (Role.STREET_DISPATCHER, "street"),
    Action.SUSPEND: (Role.STREET_DISPATCHER, "street"),
    Action.RESUME: (Role.STREET_DISPATCHER, "street"),
    Action.HANDLE: (Role.DEPARTMENT_HANDLER, None),
    Action.ASK: (Role.DEPARTMENT_HANDLER, None),
    Action.FINISH_TASK: (Role.DEPARTMENT_HANDLER, None),
    Action.FEED_BACK: (Role.DEPARTMENT_HANDLER, None),
    Action.VERIFY: (Role.GRID_MEMBER, "micro_grid"),
    Action.REWORK: (Role.GRID_MEMBER, "micro_grid"),
    Action.CLOSE: (Role.STREET_DISPATCHER, "street"),
    Action.EVALUATE: (Role.COMMUNITY_CLERK, "community"),
    Action.REOPEN: (Role.COMMUNITY_CLERK, "community"),
}

# Who takes the steps of the desk once a case is held by a level above the usual one.
HOLDERS_STAFF: dict[str, tuple[Role, str | None]] = {
    "micro_grid": (Role.GRID_MEMBER, "micro_grid"),
    "community": (Role.COMMUNITY_CLERK, "community"),
    "street": (Role.STREET_DISPATCHER, "street"),
    "district": (Role.COMMAND_CENTRE, None),
}


def who(action: Action, held: str) -> tuple[Role, str | None]:
    """Return who takes a step of a case that a level holds, and of which unit of its place."""
    role, level = STAFF[action]
    if action in DESK and level and HOLDERS.index(held) > HOLDERS.index(level):
        return HOLDERS_STAFF[held]
    return role, level


def origin(seed: int) -> str:
    """Return the name under which the simulation of a seed gives its source ids."""
    return f"simulation-{seed}"


def person(place: str) -> str:
    """Return the name of whoever works at a place: always the same one."""
    chance = Random(place)
    return chance.choice(WORDS["people"]["family"]) + chance.choice(WORDS["people"]["given"])


@lru_cache(maxsize=20_000)
def staff(role: Role, code: str, department: str = "") -> Actor:
    """Return whoever fills a role on a unit; a department's people are named with it."""
    name = person(f"{role}/{code}{department}")
    full = f"{name}({department})" if department else name
    return Actor(None, full, (Grant(role, code),), body=department or None)


def posts(city: City) -> list[tuple[Role, str, str]]:
    """Return every post of a district as (role, code, department): who works it is `staff` of it."""
    streets, communities = ({code[:length] for code in city.grids} for length in (9, 12))
    departments = {matter.department for matter in city.matters.values()} - {""}
    return [
        (Role.COMMAND_CENTRE, "", ""),
        *((Role.STREET_LEADER, code, "") for code in sorted(streets)),
        *((Role.STREET_DISPATCHER, code, "") for code in sorted(streets)),
        *((Role.COMMUNITY_CLERK, code, "") for code in sorted(communities)),
        *((Role.GRID_LEADER, code, "") for code in sorted(communities)),
        *((Role.DEPARTMENT_HANDLER, "", name) for name in sorted(departments)),
        *((Role.GRID_MEMBER, code, "") for code in city.grids),
    ]


_LETTERS = {
    Role.COMMAND_CENTRE: "zhzx", Role.STREET_LEADER: "jdfz", Role.STREET_DISPATCHER: "jd", Role.COMMUNITY_CLERK: "sq",
    Role.GRID_LEADER: "wgz", Role.GRID_MEMBER: "wg", Role.DEPARTMENT_HANDLER: "bm",
}  # fmt: skip


def username(role: Role, code: str, department: str) -> str:
    """Return the user name of whoever works at a post."""
    return f"{_LETTERS[role]}{code or department}"


@lru_cache
def desk(source: Source) -> Actor:
    """Return the desk by which reports of a source come in."""
    return Actor(None, WORDS["desks"][source], (Grant(Role.GRID_MEMBER, ""),))


def hotspots(seed: int, grids: Sequence[str], centres: np.ndarray, pull: np.ndarray) -> tuple[Hotspot, ...]:
    """Plant themes on clusters of neighbouring micro-grids, apart from each other, where people live."""
    chance = Random(f"{seed}/hotspots")
    number = min(ceil(len(grids) / 150), 6 * ceil(len(grids) / 6008))
    size = min(max(len(grids) // 20, 3), 7)
    lived_in = np.flatnonzero(pull >= np.median(pull)).tolist()
    planted: list[Hotspot] = []
    taken = np.zeros(len(grids), bool)
    for middle in chance.sample(lived_in, len(lived_in)):
        if len(planted) == number:
            break
        near = np.argsort(((centres - centres[middle]) ** 2).sum(axis=1), kind="stable")
        if taken[near[: 3 * size]].any():
            continue
        taken[near[:size]] = True
        theme = list(THEMES)[len(planted) % len(THEMES)]
        planted.append(Hotspot(theme, tuple(grids[k] for k in near[:size])))
    return tuple(planted)


class Chances:
    """What a day's draws are made from: where, and by theme what and when, as running sums."""

    def __init__(self, city: City) -> None:
        number = {code: k for k, code in enumerate(city.grids)}
        mean = float(city.pull.mean())
        self.places = [(k, None) for k in range(len(city.grids))]
        weights = city.pull.tolist()
        for spot in city.hotspots:
            self.places += [(number[code], spot.theme) for code in spot.grids]
            weights += [mean * THEMES[spot.theme]["intensity"]] * len(spot.grids)
        self.weights = list(accumulate(weights))
        given = WORDS["weights"]
        self.what = {None: {code: given.get(code, given["other"]) for code in city.matters}}
        self.what |= {name: theme["weights"] for name, theme in THEMES.items()}
        hours = {None: "ordinary"} | {name: theme["hours"] for name, theme in THEMES.items()}
        self.when = {name: list(accumulate(WORDS["hours"][kind])) for name, kind in hours.items()}

    def place(self, chance: Random) -> tuple[int, str | None]:
        """Draw a micro-grid and the theme that brings the case there, None for none."""
        return self.places[bisect(self.weights, chance.random() * self.weights[-1])]

    def matter(self, chance: Random, theme: str | None) -> str:
        """Draw a category's code."""
        return _one_of(chance, self.what[theme])

    def instant(self, chance: Random, theme: str | None, midnight: datetime) -> datetime:
        """Draw an instant of the day that begins at `midnight`."""
        hour = bisect(self.when[theme], chance.random() * self.when[theme][-1])
        return (midnight + timedelta(hours=hour, seconds=chance.randrange(3600))).astimezone(UTC)


def _one_of(chance: Random, weights: Mapping[str, float]) -> str:
    return chance.choices(list(weights), list(weights.values()))[0]


def day_plan(seed: int, day: date, city: City, chances: Chances, calendar: WorkingCalendar) -> list[Act]:
    """Return all that comes of one local day's reports, in order of time; steps may lie days later."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=calendar.zone)
    told: list[Act] = []  # reports that others may repeat
    lives: list[Act] = []
    for number in range(_arrivals(Random(f"{seed}/{day}"), day, city)):
        chance = Random(f"{seed}/{day}/{number}")
        key = f"{day:%Y%m%d}-{number:05d}"
        if told and chance.random() < LIFE["merge"]:
            lives += _twin(chance, key, chance.choice(told))
            continue
        report = _report(chance, seed, key, city, chances, midnight)
        steps = life(chance, report, city.matters, calendar)
        if all(step.action is not Action.VOID for step in steps):
            told.append(report)
        lives += [report, *steps]
    end = midnight.astimezone(UTC) + HORIZON
    return sorted((act for act in lives if act.at < end), key=lambda act: (act.at, act.key))


def _arrivals(chance: Random, day: date, city: City) -> int:
    mean = city.a_day * WORDS["arrivals"]["weekday"][day.weekday()]
    return max(0, round(chance.gauss(mean, sqrt(mean))))


def _report(chance: Random, seed: int, key: str, city: City, chances: Chances, midnight: datetime) -> Act:
    grid, theme = chances.place(chance)
    matter = city.matters[chances.matter(chance, theme)]
    at = chances.instant(chance, theme, midnight)
    (lon, lat), address, place = somewhere(chance, city, grid, matter.indoors)
    phrases = WORDS["phrases"].get(matter.code) or ["{place}" + matter.filing]
    source = Source(_one_of(chance, WORDS["sources"]))
    who, phone = somebody(chance, source, city.grids[grid])
    report = Report(
        lon, lat, "wgs84", 0, source, description=chance.choice(phrases).format(place=place), address=address,
        severity=matter.severity, origin=origin(seed), source_id=key, reporter_name=who, reporter_phone=phone,
        reported_at=at,
    )  # fmt: skip
    return Act(at, key, Action.REPORT, {}, matter.code, matter.department, report)


def somewhere(chance: Random, city: City, grid: int, indoors: bool) -> tuple[Any, str, str]:
    """Draw a building of a micro-grid, or the street before it; its address, and how people call the place."""
    first, last = city.first_door[grid : grid + 2]
    if first == last:
        return city.middles[grid].tolist(), city.names[grid], city.names[grid]
    door = chance.randrange(first, last)
    address = city.addresses[door]
    if indoors:
        return city.doors[door].tolist(), address, address
    return city.fronts[door].tolist(), address, address + chance.choice(WORDS["notes"]["beside"])


def somebody(chance: Random, source: Source, grid: str) -> tuple[str, str]:
    """Draw who reports from a source: the name, and the phone of one of the public."""
    if source is Source.PATROL:
        return person(f"{Role.GRID_MEMBER}/{grid}"), ""
    if source not in (Source.RESIDENT, Source.HOTLINE):
        return "", ""
    people = WORDS["people"]
    phone = f"1{chance.choice('3578')}{chance.randrange(10)}****{chance.randrange(10000):04d}"
    return chance.choice(people["family"]) + chance.choice(people["address"]), phone


def _twin(chance: Random, key: str, first: Act) -> list[Act]:
    """Return a second report of the same matter by somebody else, and its merging into the first."""
    source = chance.choice([Source.RESIDENT, Source.HOTLINE])
    who, phone = somebody(chance, source, "")
    at = first.at + timedelta(minutes=chance.randrange(5, 240))
    report = replace(
        first.report, source=source, source_id=key, reporter_name=who, reporter_phone=phone, reported_at=at
    )
    merged = at + timedelta(minutes=chance.randrange(5, 60))
    payload = {"into": first.key, "note": WORDS["notes"]["merge"]}
    return [replace(first, at=at, key=key, report=report), Act(merged, key, Action.MERGE, payload)]


def timeline(
    plan: Callable[[date], list[Act]], begun: datetime, since: datetime, until: datetime, zone: Any
) -> Iterator[tuple[datetime, list[Act]]]:
    """Yield the acts of [since, until) in order, an hour at a time, each with the end of its hour.

    Reports before the day of `begun` are not looked at: nobody has filed them.
    """
    waiting: dict[datetime, list[Act]] = {}
    day, last = begun.astimezone(zone).date(), until.astimezone(zone).date()
    while day <= last:
        for act in plan(day):
            if since <= act.at < until:
                waiting.setdefault(_hour(act.at), []).append(act)
        day += timedelta(days=1)
        full = datetime(day.year, day.month, day.day, tzinfo=zone)
        for hour in sorted(hour for hour in waiting if hour < full):
            acts = waiting.pop(hour)
            yield min(hour + SLICE, until), sorted(acts, key=lambda act: (act.at, act.key))


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)
