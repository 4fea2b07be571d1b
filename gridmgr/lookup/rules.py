"""What a typed text may mean. Pure: values in, values out."""

import re
import unicodedata

MOST = 100  # characters that are looked for
_POINT = re.compile(r"^\(?\s*(-?\d{1,3}(?:\.\d+)?)\s*[,; ]\s*(-?\d{1,3}(?:\.\d+)?)\s*\)?$")
_PHONE = re.compile(r"^\+?\d[\d\- ]{2,}$")


def tidied(typed: str) -> str:
    """Return a typed text as it is looked for: full-width letters and figures made narrow, nothing unstorable."""
    whole = unicodedata.normalize("NFKC", typed.replace("\0", "")).encode("utf-8", "ignore").decode()
    return " ".join(whole.split())[:MOST]


def point(words: str) -> tuple[float, float] | None:
    """Return the longitude and latitude a text tells, None if it tells none.

    Latitude first is understood where it can mean nothing else.

    >>> point("104.05, 30.69"), point("30.69 104.05"), point("7-2-802")
    ((104.05, 30.69), (104.05, 30.69), None)
    """
    told = _POINT.match(words)
    if not told or "." not in words:  # two whole numbers are more likely those of a house and a door
        return None
    first, second = map(float, told.groups())
    if abs(first) <= 90 < abs(second) <= 180:
        first, second = second, first
    return (first, second) if abs(first) <= 180 and abs(second) <= 90 else None


def phone(words: str) -> str | None:
    """Return the figures of what may be a part of a phone number, None if it cannot be one."""
    return re.sub(r"[^\d+]", "", words) if _PHONE.match(words) else None


def rank(words: str, code: str, name: str, level: int) -> tuple:
    """Return how well a unit fits: its very code, its very name, the beginning of either, then the higher level."""
    exact = code == words or name == words
    begins = code.startswith(words) or name.startswith(words)
    return (not exact, not begins, level, len(name), code)
