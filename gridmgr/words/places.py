"""Words of the map: how long ago somebody was somewhere."""

from datetime import timedelta

from gridmgr.i18n import _


def ago(length: timedelta) -> str:
    """Return how long ago something was, in the largest unit that fits."""
    minutes = int(length.total_seconds()) // 60
    if minutes < 1:
        return _("just now")
    if minutes < 60:
        return _("1 minute ago") if minutes == 1 else _("{n} minutes ago", n=minutes)
    hours = minutes // 60
    return _("1 hour ago") if hours == 1 else _("{n} hours ago", n=hours)
