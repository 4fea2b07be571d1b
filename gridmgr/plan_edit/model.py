"""What can be wrong with an edit of a plan."""

from gridmgr.errors import BadInput, Conflict

MOST_REPAIRED = 600  # units: those of a street
MOST_MENDED_M = 100  # metres: what is broader is drawn by hand


class NothingToUndo(Conflict):
    """There is nothing to take back."""


class NothingToRedo(Conflict):
    """There is nothing to do again."""


class NothingChanged(BadInput):
    """This would change nothing."""


class TooManyToRepair(BadInput):
    """{number} units are too many to repair at once; name at most {most} of them."""


class ReachStrange(BadInput):
    """Gaps and overlaps can be closed up to {most} m, not {given}."""


class UnknownCommunity(BadInput):
    """There is no community {code} on the ground of this plan."""


class EditUnknown(BadInput):
    """There is no edit {kind}; edits are {known}."""


class EditIncomplete(BadInput):
    """The edit {kind} lacks {what}."""
