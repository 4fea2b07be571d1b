"""What a backup holds, and what can be wrong with one. No tables."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gridmgr.errors import BadInput, Conflict, Unavailable
from gridmgr.words import N_


@dataclass(frozen=True)
class Manifest:
    """What a backup says of itself."""

    made_at: str
    revision: str  # of the schema
    since: str  # the ninety days of the figures
    until: str
    counts: dict[str, int]  # rows of every table
    figures: dict[str, int]  # numbers people know, and faults there were; none, of an older schema


@dataclass(frozen=True)
class Restored:
    """How a restored database compares with its backup: what was looked at, before and after."""

    rows: tuple[tuple[str, Any, Any], ...]

    @property
    def differs(self) -> list[str]:
        """The names of what is not as it was."""
        return [name for name, before, after in self.rows if before != after]


class Step(StrEnum):
    """What is being done, for whoever waits."""

    CHECK = N_("comparing the backup with its hashes")
    DATABASE = N_("the database")
    FILES = N_("the files")
    LOOK = N_("counting, and walking the histories")
    PLACES = N_("changing places")


Tell = Callable[[Step, int], None]
"""Is told the step, and how many files are done."""


class BackupFailed(Unavailable):
    """The backup could not be made, and nothing is left of it: {reason}."""


class RestoreFailed(Unavailable):
    """The backup could not be restored; the database is as it was: {reason}."""


class NothingThere(Conflict):
    """The database has no tables of gridmgr; there is nothing to back up."""


class NoBackup(BadInput):
    """{folder} is no backup: it has no manifest that can be read."""


class Altered(BadInput):
    """The part {part} of the backup is missing or is not what was written."""


class TooNew(Conflict):
    """The backup has schema {revision}, this gridmgr knows up to {known}; restore it with a newer gridmgr."""


class NotEmpty(Conflict):
    """The database is not empty ({held}); --replace puts the backup in its place."""


class RestoreRuns(Conflict):
    """Another restore to this database is under way."""


class Unlike(Conflict):
    """What was restored differs from the backup in: {names}."""
