"""The interface's languages, as pages use them; `gridmgr.i18n` holds the one catalogue and its clockwork."""

from gridmgr.i18n import (
    LANGUAGES,
    LOCALES,
    _,
    catalogue,
    day,
    filled,
    language,
    moment,
    month,
    number,
    percent,
    say,
    weekday,
)

__all__ = [
    "LANGUAGES",
    "LOCALES",
    "_",
    "catalogue",
    "day",
    "filled",
    "language",
    "moment",
    "month",
    "number",
    "percent",
    "say",
    "weekday",
]
