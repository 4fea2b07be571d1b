"""Who is named in a comment, and how a table of phrases is read."""

import re
from collections.abc import Iterable

from gridmgr.discussion.model import NotAStep
from gridmgr.life.model import Action
from gridmgr.sheet import Column, text

_NAMED = re.compile(r"@([\w.\-]{1,64})")


def named(said: str) -> list[str]:
    """Return the names a comment mentions with an @ before them, each once.

    >>> named("@wang 请看，@陈静 也看")
    ['wang', '陈静']
    """
    return list(dict.fromkeys(_NAMED.findall(said)))


def step(cell: str) -> str:
    """Read the step a phrase is for.

    Raises
    ------
    NotAStep
    """
    if cell.strip() not in set(Action):
        raise NotAStep(step=cell.strip(), known=", ".join(Action))
    return cell.strip()


PHRASES = {
    "action": Column(("步骤", "action"), step),
    "category": Column(("类别编码", "category"), text(32), default=""),
    "text": Column(("用语", "text"), text(500)),
}
"""The columns of a table of phrases."""


def fitting(phrases: Iterable, code: str) -> list:
    """Return the phrases for a category, those made for it first."""
    return sorted((p for p in phrases if code.startswith(p.category)), key=lambda p: (-len(p.category), p.id))
