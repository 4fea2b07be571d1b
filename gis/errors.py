"""What can be wrong with input, as small classes whose docstring is the message.

The docstring's braces are filled from the keyword arguments, so a message can be translated
first and filled later:

    >>> class MissingColumn(Problem):
    ...     "Layer {layer} has no column {column}."
    >>> str(MissingColumn(layer="street", column="code"))
    'Layer street has no column code.'

The tree:  Problem
             ├─ UndeclaredDatum  UnknownDatum
             ├─ MissingCrs  UnreadableFile  …       (raised where they are declared below)
             └─ everything in gridmgr.errors
"""

import inspect


class Problem(Exception):
    """Something is wrong."""

    def __init__(self, **details):
        self.details = details
        super().__init__(self.template.format(**details))

    @property
    def template(self) -> str:
        """The untranslated message with its braces."""
        return inspect.getdoc(type(self)) or ""


class BadInput(Problem):
    """The input cannot be used."""


class UndeclaredDatum(BadInput):
    """The coordinates come without a datum; declare one of {known}."""


class UnknownDatum(BadInput):
    """The datum {datum} is not known; declare one of {known}."""
