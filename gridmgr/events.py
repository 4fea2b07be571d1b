"""What one noun tells the others: collected in the transaction, drained before it commits.

An event is a frozen dataclass declared in its noun's model.py. `gridmgr.reactions` says who listens.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

Reactions = Mapping[type, Sequence[Callable[[Session, Any], None]]]


def emit(session: Session, event: object) -> None:
    """Note that `event` happened in this transaction."""
    session.info.setdefault("events", []).append(event)


def drain(session: Session, reactions: Reactions) -> None:
    """Run the reactions to every noted event, and to the events those note in turn."""
    pending: list[object] = session.info.setdefault("events", [])
    while pending:
        event = pending.pop(0)
        for react in reactions.get(type(event), ()):
            react(session, event)
