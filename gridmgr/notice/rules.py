"""How much each kind of notice matters, by which ways it goes, what it says, and how a fact is signed."""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from string import Formatter
from typing import Any
from urllib.parse import urlsplit

from gridmgr import i18n, words
from gridmgr.notice.model import BadAddress, BadPhone, BadQuiet, BadUrl, Kind, Quiet, Way, Webhook
from gridmgr.words.plans import STEPS


@dataclass(frozen=True)
class Usual:
    """How a kind goes as long as nobody wishes otherwise.

    `outward` is false for what would tell of a broken way out by that very way: it stays inside.
    """

    important: bool = False
    email: bool = False
    outward: bool = True


KINDS: dict[Kind, Usual] = {
    Kind.REPORTED: Usual(),
    Kind.ASSIGNED: Usual(email=True),
    Kind.HANDED: Usual(),
    Kind.REWORK: Usual(email=True),
    Kind.ASKED: Usual(email=True),
    Kind.ANSWERED: Usual(),
    Kind.MENTIONED: Usual(email=True),
    Kind.TASK: Usual(email=True),
    Kind.REMIND: Usual(),
    Kind.TOLD: Usual(important=True, email=True),
    Kind.LADDER_CALLED: Usual(important=True, email=True),
    Kind.TAKEN_OVER: Usual(important=True, email=True),
    Kind.RETIMED: Usual(),
    Kind.SUPERVISED: Usual(important=True, email=True),
    Kind.ORDER_ANSWERED: Usual(),
    Kind.ORDER_RETURNED: Usual(important=True, email=True),
    Kind.ORDER_LATE: Usual(important=True, email=True),
    Kind.PIECE_CUT: Usual(),
    Kind.PIECE_HANDED: Usual(important=True, email=True),
    Kind.PIECE_REPORTED: Usual(),
    Kind.PIECE_GIVEN_BACK: Usual(),
    Kind.PIECE_RETURNED: Usual(email=True),
    Kind.PIECE_ENDED: Usual(),
    Kind.PIECE_UNCLAIMED: Usual(important=True, email=True),
    Kind.FORCE_JOINED: Usual(email=True),
    Kind.FORCE_ENDED: Usual(important=True, email=True),
    Kind.WHISTLE_ASKED: Usual(important=True, email=True),
    Kind.WHISTLE_REFUSED: Usual(),
    Kind.WHISTLED: Usual(important=True, email=True),
    Kind.WHISTLE_ANSWERED: Usual(),
    Kind.REPORTED_IN: Usual(),
    Kind.WHISTLE_MISSED: Usual(important=True, email=True),
    Kind.WHISTLE_OVER: Usual(),
    Kind.WHISTLE_RATED: Usual(),
    Kind.CHECK: Usual(email=True),
    Kind.OPINION_ASKED: Usual(important=True, email=True),
    Kind.OPINION_GIVEN: Usual(),
    Kind.OPINION_OBJECTS: Usual(important=True, email=True),
    Kind.OPINION_SILENT: Usual(email=True),
    Kind.OVERRULED: Usual(important=True, email=True),
    Kind.APPROVAL_DECIDED: Usual(),
    Kind.CONSULTED: Usual(important=True, email=True),
    Kind.CONSULT_SAID: Usual(),
    Kind.CONSULT_AGAINST: Usual(important=True, email=True),
    Kind.CONSULT_REMIND: Usual(important=True, email=True),
    Kind.CONSULT_LATE: Usual(important=True, email=True),
    Kind.CONSULT_REPLIED: Usual(email=True),
    Kind.CONSULT_ENDED: Usual(email=True),
    Kind.PLAN_STEP: Usual(email=True),
    Kind.SEAT_MOVED: Usual(important=True, email=True),
    Kind.ADMISSION: Usual(email=True),
    Kind.SCAN_ALARM: Usual(important=True, email=True),
    Kind.BULLETIN: Usual(),
    Kind.REOPENED: Usual(email=True),
    Kind.CLOSED: Usual(),
    Kind.UNSERVED: Usual(important=True, email=True),
    Kind.DEAD_LETTER: Usual(important=True, outward=False),
    Kind.TEST: Usual(outward=False),
}
WISHABLE = tuple(kind for kind in Kind if kind is not Kind.TEST)
PERSONAL = (Way.INBOX, Way.EMAIL, Way.SMS)  # the ways a person chooses from
SENT = (Way.EMAIL, Way.SMS)  # those of them that leave the house

# A failed delivery is tried again after 30 s, 90 s, 4.5 min, 13.5 min, 40 min, 2 h and then every 6 h, each
# give or take a quarter; the tenth failure, about a day after the first, is the last.
ATTEMPTS = 10
FIRST_PAUSE, PAUSE_GROWTH, LONGEST_PAUSE = 30, 3, 6 * 3600  # seconds
LONGEST_SILENCE = 300  # an outlet that does not answer is asked again at least this often (seconds)
LEASE = timedelta(minutes=5)  # a worker that dies while sending frees its delivery after this time

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,186}[A-Za-z0-9])?")


def silence(failures: int) -> timedelta:
    """Return how long an outlet is left alone that has not answered so many times in a row."""
    return timedelta(seconds=min(LONGEST_SILENCE, FIRST_PAUSE * PAUSE_GROWTH ** (min(failures, 9) - 1)))


def usual_way(kind: Kind, way: Way) -> bool:
    """Tell whether a kind goes by a way as long as the person wishes nothing."""
    usual = KINDS[kind]
    return {Way.INBOX: True, Way.EMAIL: usual.email, Way.SMS: usual.important and usual.outward}[way]


def wanted(kind: Kind, way: Way, wishes: Mapping[tuple[str, str], bool], important: bool = False) -> bool:
    """Tell whether a notice goes by a way: what is important is always in the inbox."""
    if way is Way.INBOX and important:
        return True
    if way is not Way.INBOX and not KINDS[kind].outward:
        return False
    return wishes.get((kind, way), usual_way(kind, way))


def choices(wishes: Mapping[tuple[str, str], bool]) -> dict[tuple[Kind, Way], bool]:
    """Return for every kind and personal way whether it is wanted, as things stand."""
    return {
        (kind, way): wanted(kind, way, wishes, KINDS[kind].important) for kind in WISHABLE for way in PERSONAL
    }


def fixed(kind: Kind, way: Way) -> bool:
    """Tell whether nobody may choose: important ones stay in the inbox, inner ones never leave it."""
    return KINDS[kind].important if way is Way.INBOX else not KINDS[kind].outward


def sentence(kind: str, details: Mapping[str, Any]) -> str:
    """Return what a notice says in the language of this request; what it does not know is a dash."""
    template = words.NOTICES.get(kind, kind)  # one of a newer version is at least named
    names = [name for _text, name, _form, _turn in Formatter().parse(template) if name]
    known = {name: value for name, value in details.items() if value not in (None, "")}
    known |= {"category": known.get(f"category_{i18n.language.get()}") or known.get("category_zh")}
    for name, shown in _SHOWN.items():
        if name in known:
            known[name] = shown(known[name])
    return i18n.filled(template, {name: known.get(name) or "—" for name in names})


def _due(value: object) -> str:
    try:
        return i18n.moment(datetime.fromisoformat(str(value)))
    except ValueError:  # an inbox is never unreadable because of one row
        return str(value)


def _share(value: object) -> str:
    return f"{value:.0%}" if isinstance(value, int | float) else str(value)


def _step(value: object) -> str:
    return words.word(STEPS, str(value))


_SHOWN = {"due": _due, "share": _share, "step": _step}


def check_address(address: str) -> str:
    """Return an e-mail address as it is stored.

    Raises
    ------
    BadAddress
    """
    address = address.strip()
    if not _ADDRESS.fullmatch(address) or ".." in address:
        raise BadAddress(address=address)
    return address


def check_phone(phone: str) -> str:
    """Return the number of a mobile phone as it is stored: digits, with a plus before those of other countries.

    Raises
    ------
    BadPhone
    """
    plain = re.sub(r"[\s()-]", "", unicodedata.normalize("NFKC", phone))
    plain = re.sub(r"^(\+86|0086)(?=1\d{10}$)", "", plain)
    if not re.fullmatch(r"1[3-9]\d{9}|\+(?!86)[1-9]\d{6,14}", plain, re.ASCII):
        raise BadPhone(phone=phone[:40])
    return plain


def check_quiet(begins: str, ends: str, days: Iterable[int]) -> Quiet:
    """Return quiet hours from times of the day such as 22:00 and 07:00.

    Raises
    ------
    BadQuiet
    """
    found = [re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", each.strip(), re.ASCII) for each in (begins, ends)]
    kept = frozenset(day for day in days if 0 <= day <= 6)
    if not all(found) or not kept:
        raise BadQuiet
    first, last = (int(each[1]) * 60 + int(each[2]) for each in found)
    if first == last:
        raise BadQuiet
    return Quiet(first, last, kept)


def quiet_until(quiet: Quiet | None, local: datetime) -> datetime | None:
    """Return when the quiet ends that holds at an instant of the wall clock; None if it is not quiet."""
    for day in (local.date(), local.date() - timedelta(days=1)) if quiet else ():
        if day.weekday() in quiet.days:
            midnight = datetime.combine(day, time.min, local.tzinfo)
            end = midnight + timedelta(days=quiet.ends <= quiet.begins, minutes=quiet.ends)
            if midnight + timedelta(minutes=quiet.begins) <= local < end:
                return end
    return None


def concerns(hook: Webhook, home: str, body: str | None) -> bool:
    """Tell whether a subscriber hears of a case at a place that a body works on."""
    return home.startswith(hook.area) and hook.body in ("", body)


def check_url(url: str) -> str:
    """Return the address of a webhook as it is stored; an intranet's are welcome.

    Raises
    ------
    BadUrl
        Neither http nor https, no host, or a name and password in it, which every log would show.
    """
    url = url.strip()
    try:
        parts = urlsplit(url)
        whole = parts.hostname and parts.port != 0
    except ValueError:
        raise BadUrl(url=url, expected="http://… / https://…") from None
    if parts.username is not None or parts.password is not None:
        raise BadUrl(url=f"{parts.scheme}://…", expected=f"{parts.scheme}://{parts.hostname}")
    if parts.scheme not in ("http", "https") or not whole or len(url) > 500 or not _plain(url):
        raise BadUrl(url=url[:100], expected="http://… / https://…")
    return url


def _plain(url: str) -> bool:
    return url.isascii() and url.isprintable() and " " not in url


def signature(secret: str, body: bytes, at: int) -> str:
    """Return the header that proves a body to be ours: HMAC-SHA-256 over its time, a dot, and the body."""
    digest = hmac.new(secret.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"
