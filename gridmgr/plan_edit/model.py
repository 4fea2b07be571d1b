"""What can be wrong with an edit of a plan."""

from gridmgr.errors import BadInput, Conflict

MOST_REPAIRED = 600  # units: those of a street


class NothingToUndo(Conflict):
    """There is nothing to take back."""


class NothingToRedo(Conflict):
    """There is nothing to do again."""


class NothingChanged(BadInput):
    """This would change nothing."""


class TooManyToRepair(BadInput):
    """{number} units are too many to repair at once; name at most {most} of them."""


class UnknownCommunity(BadInput):
    """There is no community {code} on the ground of this plan."""


class EditUnknown(BadInput):
    """There is no edit {kind}; edits are {known}."""


class EditIncomplete(BadInput):
    """The edit {kind} lacks {what}."""
