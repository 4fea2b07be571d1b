"""Who is named in a comment, and how a table of phrases is read."""

import re
from collections.abc import Collection, Iterable
from itertools import islice

from gridmgr.discussion.model import NotAStep
from gridmgr.life.model import Action
from gridmgr.sheet import Column, text

MOST_NAMED = 50
_NAMED = re.compile(r"(?<![A-Za-z0-9._-])@(?=(.{1,64}))")  # not the @ of an e-mail address


def candidates(said: str) -> set[str]:
    """Return all that may be a name in a comment: whatever begins behind an @, for Chinese puts no space."""
    return {tail[:length] for tail in _tails(said) for length in range(1, len(tail) + 1)}


def named(said: str, known: Collection[str]) -> list[str]:
    """Return which of the known names a comment mentions, each once: behind each @ the longest that fits.

    >>> named("@wang请看，@陈静怡也看，抄送 a@li.cn，@lisa", ["wang", "陈静", "陈静怡", "li"])
    ['wang', '陈静怡']
    """
    fitting = ([name for name in known if _begins(tail, name)] for tail in _tails(said))
    return list(dict.fromkeys(max(names, key=len) for names in fitting if names))


def pieces(said: str, known: Collection[str]) -> list[tuple[str, bool]]:
    """Split a comment into plain text and the known names it mentions, which are marked.

    >>> pieces("请@陈静怡看", ["陈静", "陈静怡"])
    [('请', False), ('@陈静怡', True), ('看', False)]
    """
    found, done = [], 0
    for at in islice(_NAMED.finditer(said), MOST_NAMED):
        names = [name for name in known if _begins(at[1], name)]
        if not names or at.start() < done:
            continue
        end = at.end() + len(max(names, key=len))
        found += [(said[done : at.start()], False), (said[at.start() : end], True)]
        done = end
    return [piece for piece in [*found, (said[done:], False)] if piece[0]]


def _tails(said: str) -> list[str]:
    return _NAMED.findall(said)[:MOST_NAMED]


def _begins(tail: str, name: str) -> bool:
    """Tell whether a text begins with a name; one in Latin letters must end there."""
    follows = tail[len(name) : len(name) + 1]
    goes_on = name[-1:].isascii() and follows.isascii() and (follows.isalnum() or follows in ("_", "-"))
    return tail.startswith(name) and not goes_on


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
    "zh": Column(("用语", "text", "zh"), text(500)),
    "en": Column(("英文", "en"), text(500), default=""),
}
"""The columns of a table of phrases."""


def fitting(phrases: Iterable, code: str) -> list:
    """Return the phrases for a category, those made for it first."""
    return sorted((p for p in phrases if code.startswith(p.category)), key=lambda p: (-len(p.category), p.id))
