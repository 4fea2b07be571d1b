"""What a backup holds, and what can be wrong with one. No tables."""

from dataclasses import dataclass
from typing import Any

from gridmgr.errors import BadInput, Conflict, Unavailable


@dataclass(frozen=True)
class Manifest:
    """What a backup says of itself."""

    made_at: str
    revision: str  # of the schema
    parts: dict[str, str]  # file → SHA-256
    counts: dict[str, int]  # rows of the main tables
    figures: dict[str, int]  # of the ninety days before
    since: str
    until: str
    stored_files: int


@dataclass(frozen=True)
class Restored:
    """How a restored database compares with its backup: what was looked at, before and after."""

    rows: tuple[tuple[str, Any, Any], ...]

    @property
    def differs(self) -> list[str]:
        """The names of what is not as it was."""
        return [name for name, before, after in self.rows if before != after]


class BackupFailed(Unavailable):
    """The backup could not be made, and nothing is left of it: {reason}."""


class RestoreFailed(Unavailable):
    """The backup could not be restored; the database is as it was: {reason}."""


class NoBackup(BadInput):
    """{folder} is no backup: it has no manifest that can be read."""


class Altered(BadInput):
    """The part {part} of the backup is missing or is not what was written."""


class NotEmpty(Conflict):
    """The database holds {count} incidents; --replace puts the backup in its place."""


class Unlike(Conflict):
    """What was restored differs from the backup in: {names}."""
