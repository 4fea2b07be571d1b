"""Numbers that change while a page is open: one connection listens, all open pages of this process hear.

No page holds a thread or a connection of the pool. A page that was heard nothing of, because the database was
away, is told as soon as it is back; a page whose session has ended is told that, and then nothing more.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Collection
from contextlib import aclosing

from fastapi.concurrency import run_in_threadpool

from gridmgr import db
from gridmgr.account import queries as accounts
from gridmgr.errors import Unavailable
from gridmgr.notice import queries as notices
from web import deps

log = logging.getLogger(__name__)
CHANNEL = "notice"  # what the triggers of the table call
EVERYBODY = "all"
CHECK_SECONDS = 15  # so long after its end a session may still be told
RETRY_SECONDS = 2


class Follower:
    """One open page: whose it is, by what it has proved that, and what it has still to be told."""

    def __init__(self, account_id: int, proof: bytes) -> None:
        self.account_id, self.proof = account_id, proof
        self._told: int | None = None
        self._pending: asyncio.Queue[int | None] = asyncio.Queue()

    def hear(self, number: int) -> None:
        """Tell a number, unless it is known."""
        if number != self._told:
            self._told = number
            while not self._pending.empty():  # whoever is slow wants the last one only
                self._pending.get_nowait()
            self._pending.put_nowait(number)

    def end(self) -> None:
        """Tell that the session has ended."""
        self._pending.put_nowait(None)

    async def next(self) -> int | None:
        """Wait for what is told next."""
        return await self._pending.get()


class Live:
    """The open pages of one process, and the one task that listens for them while there are any."""

    def __init__(self) -> None:
        self._followers: set[Follower] = set()
        self._listening: asyncio.Task | None = None
        self._checked = 0.0

    async def follow(self, account_id: int, proof: bytes) -> AsyncIterator[int | None]:
        """Yield how many notices a person has not read, now and whenever it changes; None at the session's end."""
        follower = Follower(account_id, proof)
        self._followers.add(follower)
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen())
        try:
            await self._tell({account_id})
            number = 0
            while number is not None:
                number = await follower.next()
                yield number
        finally:
            self._followers.discard(follower)
            if not self._followers and self._listening:
                self._listening.cancel()
                self._listening = None

    async def _listen(self) -> None:
        while True:
            try:
                async with aclosing(db.listen(deps.engine(), CHANNEL, CHECK_SECONDS)) as moments:
                    async for heard in moments:
                        await self._check()
                        await self._tell(_named(heard))
            except Unavailable:
                pass  # the pages stay open and are told when it is back
            except Exception:
                log.exception("listening for %s", CHANNEL)  # a task that dies is noticed by nobody
            await asyncio.sleep(RETRY_SECONDS)

    async def _tell(self, account_ids: Collection[int] | None) -> None:
        """Count for those of these people who have a page open, or for all of them, and tell it."""
        present = {follower.account_id for follower in self._followers}
        asked = present if account_ids is None else present & set(account_ids)
        if not asked:
            return
        try:
            counts = await run_in_threadpool(_counts, asked)
        except Unavailable:  # whoever listens will count again when it is back
            return
        for follower in self._followers:
            if follower.account_id in counts:
                follower.hear(counts[follower.account_id])

    async def _check(self) -> None:
        """Now and then, let those go whose session or token has ended."""
        if time.monotonic() - self._checked < CHECK_SECONDS:
            return
        self._checked = time.monotonic()
        living = await run_in_threadpool(_living, {follower.proof for follower in self._followers})
        for follower in self._followers:
            if follower.proof not in living:
                follower.end()


def _named(heard: Collection[str]) -> set[int] | None:
    """Return who is called by name; None if it is everybody, as when listening begins or nothing came."""
    if not heard or EVERYBODY in heard:
        return None
    return {int(each) for ids in heard for each in ids.split(",")}


def _counts(account_ids: Collection[int]) -> dict[int, int]:
    with db.transaction(deps.engine()) as session:
        return notices.unread(session, account_ids)


def _living(proofs: Collection[bytes]) -> set[bytes]:
    with db.transaction(deps.engine()) as session:
        return accounts.living(session, proofs)
