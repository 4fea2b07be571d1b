"""What can be wrong with the code of a unit."""

from gridmgr.errors import BadInput, Conflict


class CodeUnfit(BadInput):
    """The code {code} does not fit: a unit of {parent} has a code such as {example}."""


class CodesUsedUp(Conflict):
    """All codes of {community} are used up; a code that was retired is never used again."""
