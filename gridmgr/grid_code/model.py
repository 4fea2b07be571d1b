"""What can be wrong with the code of a unit."""

from gridmgr.errors import BadInput


class CodeUnfit(BadInput):
    """The code {code} does not fit: a unit of {parent} has a code such as {example}."""
