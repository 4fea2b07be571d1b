"""Maps that change while they are open: one connection listens, and the work is done once for all open screens.

Screens that show the same of the same area share a board: what has changed is asked of the database once for
each board, at most once a second, and told to all of its screens in small pieces. Figures and colours, which
count all cases, rest twenty times as long as they took. A screen that was away says how far it had heard and is
told what it missed; if that is too much, that it shall load anew.
"""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator
from contextlib import aclosing, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import partial

from fastapi.concurrency import run_in_threadpool

from gridmgr import clock, db
from gridmgr.account import queries as accounts
from gridmgr.account.rules import Actor
from gridmgr.casebook.queries import Search
from gridmgr.errors import Unavailable
from gridmgr.situation import queries
from gridmgr.situation.queries import CHANNEL, MOST
from gridmgr.situation.rules import Look, Mark, safe, shared
from web import deps
from web.deps import Transaction

log = logging.getLogger(__name__)
PACE = 1.0  # seconds from one round to the next, at least
TICK = 5.0  # and at most: time alone changes something too
ALIVE_SECONDS = 15  # so often a screen hears that it is still connected, and its session is looked after
PATIENCE, RETRY_SECONDS = 15, 2
REST = 20  # what counts all cases rests so many times as long as it took
PAINT_SECONDS = 10  # and colours at least so long
BUDGET = 1.0  # seconds of a round spent on them
AGE_SECONDS = 30  # so often it is seen who has become late
SLOW = 100  # messages waiting for a screen that hears too slowly
MARGIN = 5000  # rows read again when listening begins: they may have been under way
LOOKS = 600


@dataclass(frozen=True)
class View:
    """What a screen shows: its filters, which units are coloured how, and in which language their legend is."""

    search: Search
    level: str
    colour: str
    language: str


def event(name: str, data: object = None, mark: Mark | None = None) -> bytes:
    """Return a message of a stream; its mark says how far it goes."""
    told = json.dumps(data, ensure_ascii=False, separators=(",", ":"), default=asdict)
    place = f"id: {mark}\n" if mark else ""
    return f"event: {name}\n{place}data: {told}\n\n".encode()


class Screen:
    """One open map: whose it is, by what they have proved that, and what it has still to be told."""

    def __init__(self, actor: Actor, proof: bytes, view: View, behind: Mark | None) -> None:
        self.actor, self.proof, self.view, self.behind = actor, proof, view, behind
        self.new, self.greeted = True, False
        self.eyes = actor  # with whose eyes it sees: its person's, or those of all who see the same
        self._pending: asyncio.Queue[bytes | None] = asyncio.Queue()

    def hear(self, message: bytes | None) -> None:
        """Tell it something; None ends it. What hears too slowly loads anew."""
        if self._pending.qsize() > SLOW:
            while not self._pending.empty():
                self._pending.get_nowait()
            message = event("reload") if message else None
        self._pending.put_nowait(message)

    async def next(self) -> bytes | None:
        """Wait for what is told next."""
        return await self._pending.get()

    @property
    def board(self) -> tuple[Actor, Search]:
        """What it shares with the other screens that show the same cases."""
        return self.eyes, self.view.search

    @property
    def paint(self) -> tuple[Actor, View]:
        """What it shares with those that colour units in the same way as well."""
        return self.eyes, self.view


@dataclass
class Costly:
    """What is counted anew when something has changed, but not too often."""

    stale: bool = False
    rests_until: float = 0.0
    told: bytes = b""

    def due(self, now: float) -> bool:
        """Tell whether it is to be counted now."""
        return self.stale and now >= self.rests_until

    def news(
        self, session: Transaction, name: str, count: Callable[[], object], least: float
    ) -> bytes | None:
        """Count it, and return what is to be told if there is anything new; what fails is tried again later."""
        start, message = time.monotonic(), None
        try:
            with db.apart(session):
                message = event(name, count())
        except Unavailable:  # nothing else would succeed either
            raise
        except Exception:
            log.exception("counting %s", name)
            least = PAINT_SECONDS
        end = time.monotonic()
        self.stale, self.rests_until = not message, end + max(least, REST * (end - start))
        if message in (None, self.told):
            return None
        self.told = message
        return message


Told = Iterator[tuple[Screen, bytes]]
Paint = Callable[[Transaction, Actor, View], object]


@dataclass
class Reader:
    """How far the records have been read, and what all boards show; one thread at a time works with it."""

    paint: Paint
    since: Mark | None = None  # what is behind it is read again each time: some of it was perhaps under way
    looks: list[Look] = field(default_factory=list)
    known: tuple[set[int], set[int]] = (frozenset(), frozenset())  # rows behind `since` that were told
    ages: list[datetime] = field(default_factory=list)
    aged: float = 0.0
    figures: dict = field(default_factory=dict)
    paints: dict = field(default_factory=dict)

    def round(self, screens: list[Screen]) -> list[tuple[Screen, bytes]]:
        """Return what each screen is to be told now; a round that fails leaves it all to the next one."""
        before = self.since, self.looks, self.known, self.ages, self.aged
        try:
            with db.transaction(deps.engine()) as session:
                return self._news(session, screens)
        except Exception:
            self.since, self.looks, self.known, self.ages, self.aged = before
            for each in (*self.figures.values(), *self.paints.values()):
                each.stale, each.told = True, b""  # nobody has heard it
            raise

    def _news(self, session: Transaction, screens: list[Screen]) -> list[tuple[Screen, bytes]]:
        fresh = self._fresh(session)
        self._share(session, screens, fresh)
        boards = _grouped(screens, lambda screen: screen.board)
        self._keep(boards, screens)
        told = [*self._changes(session, boards, fresh)]
        told += self._figures(session, boards)
        told += self._paints(session, screens)
        return told

    def patience(self) -> float:
        """Return how many seconds the next round may wait if nothing happens meanwhile."""
        waiting = [each.rests_until for each in (*self.figures.values(), *self.paints.values()) if each.stale]
        return min(TICK, max(0.0, min(waiting) - time.monotonic())) if waiting else TICK

    def _fresh(self, session: Transaction) -> set[int] | None:
        """Return the cases something was written of, or that have become late, since the last round; None: too many."""
        look = queries.look(session)
        if self.since is None:
            self._begin(session, look)
            return self._aged(session)
        found = queries.written(session, self.since)
        if found is None:  # all that is written from now on is told to those who have loaded anew
            self._begin(session, look)
            return None
        fresh = {
            case
            for rows, known in zip(found, self.known, strict=True)
            for row, case in rows.items()
            if row not in known
        }
        self.since = max(self.since, safe(self.looks, look) or self.since)
        self.looks = [*self.looks[-LOOKS:], look]
        self.known = tuple(
            {row for row in rows if row > last}
            for rows, last in zip(_rows(found), (self.since.steps, self.since.deeds), strict=True)
        )
        fresh |= self._aged(session)
        return fresh if len(fresh) <= MOST else None

    def _begin(self, session: Transaction, look: Look) -> None:
        """Begin to read at a look: nothing that is there is told, but all that was perhaps under way."""
        around = Mark(max(0, look.mark.steps - MARGIN), max(0, look.mark.deeds - MARGIN))
        self.since, self.looks = safe([], look) or around, [look]
        self.known = _rows(queries.written(session, self.since, most=2 * MARGIN))

    def _aged(self, session: Transaction) -> set[int]:
        if self.ages and time.monotonic() - self.aged < AGE_SECONDS:
            return set()
        before, self.ages = self.ages, queries.horizons(session, clock.now())
        self.aged = time.monotonic()
        return queries.passed(session, before, self.ages) if before else set()

    def _share(self, session: Transaction, screens: Iterable[Screen], fresh: set[int] | None) -> None:
        """Let people who see the same see it together; whoever sees something for themselves alone, alone."""
        new = [screen for screen in screens if screen.new]
        alone = queries.of_their_own(session, {screen.actor for screen in new})
        for screen in new:
            screen.eyes = screen.actor if screen.actor.id in alone else shared(screen.actor)
        rest = [screen for screen in screens if not screen.new and screen.eyes.id is None]
        alone = queries.of_their_own(session, {screen.actor for screen in rest}, fresh)
        for screen in rest:
            if screen.actor.id in alone:
                screen.eyes = screen.actor

    def _changes(self, session: Transaction, boards: dict, fresh: set[int] | None) -> Told:
        missed: dict[Mark | None, set[int] | None] = {None: fresh}
        for key, screens in boards.items():
            messages: dict[Mark | None, bytes | None] = {}
            for screen in screens:
                if screen.behind not in missed:
                    missed[screen.behind] = queries.changed(session, screen.behind)
                if screen.behind not in messages:
                    messages[screen.behind] = self._change(session, *key, missed[screen.behind])
                if messages[screen.behind] or screen.behind:
                    self._stale(key, anew=screen.behind is not None)
                if messages[screen.behind]:
                    yield screen, messages[screen.behind]
                if not screen.greeted:
                    yield screen, event("hello", None, self.since)

    def _change(
        self, session: Transaction, eyes: Actor, search: Search, ids: set[int] | None
    ) -> bytes | None:
        if ids is None:
            return event("reload", None, self.since)
        found = queries.changes(session, eyes, search, ids) if ids else None
        return event("change", found, self.since) if found and (found.put or found.gone) else None

    def _stale(self, key: tuple[Actor, Search], anew: bool = False) -> None:
        """Note that figures and colours of a board are to be counted again, and told even if they are the same."""
        counted = [self.figures[key]]
        counted += [each for (eyes, view), each in self.paints.items() if (eyes, view.search) == key]
        for each in counted:
            each.stale = True
            each.told = b"" if anew else each.told

    def _keep(self, boards: dict, screens: Iterable[Screen]) -> None:
        """Note what is looked at, and let go of what nobody looks at any more."""
        self.figures = {key: self.figures.get(key) or Costly() for key in boards}
        self.paints = {screen.paint: self.paints.get(screen.paint) or Costly() for screen in screens}

    def _figures(self, session: Transaction, boards: dict) -> Told:
        for key in _due(self.figures):
            count = partial(queries.figures, session, *key)
            if message := self.figures[key].news(session, "figures", count, PACE):
                yield from ((screen, message) for screen in boards[key])

    def _paints(self, session: Transaction, screens: Iterable[Screen]) -> Told:
        alike = _grouped(screens, lambda screen: screen.paint)
        for key in _due(self.paints):
            count = partial(self.paint, session, *key)
            if message := self.paints[key].news(session, "colours", count, PAINT_SECONDS):
                yield from ((screen, message) for screen in alike[key])


def _rows(found: tuple[dict[int, int], ...] | None) -> tuple[set[int], ...]:
    return tuple(map(set, found or ({}, {})))


def _grouped(screens: Iterable[Screen], by: Callable[[Screen], tuple]) -> dict[tuple, list[Screen]]:
    groups: dict[tuple, list[Screen]] = {}
    for screen in screens:
        groups.setdefault(by(screen), []).append(screen)
    return groups


def _due(counted: dict[tuple, Costly]) -> Iterator[tuple]:
    """Yield what is to be counted now, the longest waiting first, as long as a round may take."""
    end = time.monotonic() + BUDGET
    for key, each in sorted(counted.items(), key=lambda item: item[1].rests_until):
        if each.due(now := time.monotonic()) and now < end:
            yield key


class Situation:
    """The open maps of one process, and the two tasks that hear and tell while there are any."""

    def __init__(self, paint: Paint) -> None:
        self._paint, self._screens = paint, set()
        self._reader = Reader(paint)
        self._tasks: list[asyncio.Task] = []
        self._wake = asyncio.Event()
        self._alive, self._away = 0.0, False

    async def follow(
        self, actor: Actor, proof: bytes, view: View, behind: Mark | None
    ) -> AsyncIterator[bytes]:
        """Yield what a screen is to be told, now and whenever something changes, until its session ends."""
        screen = Screen(actor, proof, view, behind)
        if not self._tasks:
            self._reader, self._alive, self._away = Reader(self._paint), time.monotonic(), False
            self._tasks = [asyncio.create_task(each()) for each in (self._listen, self._tell)]
        elif behind is None and self._reader.since:  # all that is written from now on it will be told
            screen.greeted = True
            screen.hear(event("hello", None, self._reader.since))
        self._screens.add(screen)
        self._wake.set()
        try:
            while message := await screen.next():
                yield message
        finally:
            self._screens.discard(screen)
            if not self._screens:
                for task in self._tasks:
                    task.cancel()
                self._tasks = []

    async def _listen(self) -> None:
        while True:
            try:
                async with aclosing(db.listen(deps.engine(), CHANNEL, PATIENCE)) as moments:
                    async for heard in moments:
                        if heard:
                            self._wake.set()
            except Unavailable:
                pass  # whoever tells notices it too, and the screens say so
            except Exception:
                log.exception("listening for %s", CHANNEL)  # a task that dies is noticed by nobody
            await asyncio.sleep(RETRY_SECONDS)
            self._wake.set()  # something may have been missed

    async def _tell(self) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._reader.patience())
            self._wake.clear()
            start = time.monotonic()
            for work in (self._round, self._look_after):
                try:
                    await work()
                except Exception as failed:
                    if not isinstance(failed, Unavailable):
                        log.exception("telling the situation")
                    if not self._away:
                        self._everybody(event("away"))
                    self._away = True
            await asyncio.sleep(max(0.0, PACE - (time.monotonic() - start)))

    async def _round(self) -> None:
        screens = list(self._screens)
        told = await run_in_threadpool(self._reader.round, screens)
        if self._away:
            self._everybody(event("hello", None, self._reader.since))
        self._away = False
        self._deliver(screens, told)

    def _deliver(self, screens: list[Screen], told: list[tuple[Screen, bytes]]) -> None:
        for screen, message in told:
            screen.hear(message)
        for screen in screens:
            screen.new, screen.greeted, screen.behind = False, True, None

    def _everybody(self, message: bytes) -> None:
        for screen in self._screens:
            screen.hear(message)

    async def _look_after(self) -> None:
        """Now and then, say that all is well; let go whose session has ended, and let those come anew who changed."""
        if time.monotonic() - self._alive < ALIVE_SECONDS:
            return
        self._alive = time.monotonic()
        screens = list(self._screens)
        living = await run_in_threadpool(_living, screens)
        for screen in screens:
            if screen.proof not in living:
                screen.hear(event("end"))
                screen.hear(None)
            elif shared(living[screen.proof]) != shared(screen.actor):  # other roles, another area
                screen.hear(event("again"))
                screen.hear(None)
            elif not self._away:
                screen.hear(event("alive", None, self._reader.since))


def _living(screens: Collection[Screen]) -> dict[bytes, Actor]:
    """Return by what they have proved themselves, of those who still may look, who they are now."""
    with db.transaction(deps.engine()) as session:
        living = accounts.living(session, {screen.proof for screen in screens})
        people = accounts.actors(session, {screen.actor.id for screen in screens if screen.proof in living})
        return {screen.proof: people[screen.actor.id] for screen in screens if screen.proof in living}
