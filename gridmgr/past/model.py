"""What can be wrong with a question about the past."""

from gridmgr.errors import BadInput


class NotOfThePast(BadInput):
    """Cases of a past day cannot be narrowed by {field}: their history does not tell it."""
