"""Whom a case should go to, and what the system may decide by itself. No session, no time of day."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from string import Formatter
from typing import Any

from gridmgr import clock, i18n
from gridmgr.dispatch.model import (
    CAUSES,
    Basis,
    Candidate,
    Cause,
    DispatchSetting,
    Load,
    Mode,
    Named,
    Presence,
    Reason,
)
from gridmgr.incident.model import Incident

URGENT = 3
OWNING = frozenset({Basis.TEAM, Basis.STATION, Basis.TERRITORY, Basis.LEAD})
LONGEST_TAKE = 24 * 60  # minutes
_RANK = {basis: n for n, basis in enumerate(Basis)}
_OF_BASIS = {
    Basis.TEAM: Cause.TEAM, Basis.STATION: Cause.STATION, Basis.TERRITORY: Cause.TERRITORY, Basis.SIMPLE: Cause.SIMPLE,
    Basis.COOPERATING: Cause.COOPERATING, Basis.MODULE: Cause.MODULE,
}  # fmt: skip


@dataclass(frozen=True)
class Facts:
    """All that is known of a case when it is to be dispatched."""

    named: Sequence[Named]  # by the list, in the order of its words
    presence: Mapping[tuple[str, str | None], Presence]
    load: Mapping[tuple[str, str | None], Load]
    owner: tuple[str | None, str | None] = (None, None)  # who answers for the case already


def candidates(facts: Facts) -> tuple[Candidate, ...]:
    """Return who could get a case, the best first, each with its reasons.

    Rule: the list decides: the street's one team or the station of its lead for the place, its lead, the place's
    own people where it says so, the grid of a simple matter, and those that cooperate. Of those who own it, one
    that nobody works for there comes last. Among equals roster and load decide: whoever is there now, then
    whoever has fewer late and fewer open cases.
    """
    found = {}
    for named in facts.named:
        key = named.body, named.code
        if key not in found or _RANK[named.basis] < _RANK[found[key].basis]:
            found[key] = _candidate(named, facts)
    return tuple(sorted(found.values(), key=_order))


def _candidate(named: Named, facts: Facts) -> Candidate:
    key = named.body, named.code
    presence, load = facts.presence.get(key, Presence()), facts.load.get(key, Load())
    why = _by_list(named)
    if key == facts.owner:
        why.append(Reason(Cause.ANSWERS))
    why += [_there(presence), Reason(Cause.LOAD, {"open": load.open, "late": load.late})]
    return Candidate(named.body, named.code, named.basis, presence, load, tuple(why))


def _order(one: Candidate) -> tuple:
    owning = one.basis in OWNING
    empty = owning and not (one.presence.now or one.presence.next)
    return not owning, empty, _RANK[one.basis], not one.presence.now, one.load.late, one.load.open, one.body


def _by_list(named: Named) -> list[Reason]:
    """Return what makes a body a candidate, and of which item of which list that follows."""
    values = {name: value for name, value in named.item.items() if value}
    item = Reason(Cause.ITEM, values) if values.get("item") else Reason(Cause.TABLE)
    if named.basis is Basis.LEAD:
        return [item]
    own = {name: value for name, value in values.items() if name not in ("edition", "item", "clause")}
    told = Reason(_OF_BASIS[named.basis], own)
    return [told, item] if named.basis in OWNING and item.cause is Cause.ITEM else [told]


def _there(presence: Presence) -> Reason:
    if presence.now and presence.until:
        return Reason(Cause.ON_DUTY, {"n": presence.now, "until": presence.until.isoformat()})
    if presence.now:
        return Reason(Cause.THERE, {"n": presence.now})
    if presence.next:
        return Reason(Cause.NEXT, {"next": presence.next.isoformat()})
    return Reason(Cause.NOBODY)


def automatic(
    setting: DispatchSetting | None, case: Incident, found: Sequence[Candidate], why_not: Sequence[Reason]
) -> tuple[Candidate | None, tuple[Reason, ...]]:
    """Return to whom the system may dispatch a case by itself, or None and why it is left to people.

    Rule: only where an area has it so, for its urgencies, to the one owner by list, the first time; an owner
    that nobody works for there gives way to the next one, and an urgent case waits for no shift.
    """
    if setting is None or setting.mode != Mode.AUTOMATIC:
        return None, ()
    if case.owner is not None:
        return None, (Reason(Cause.WAS_WITH, {"body": case.owner}),)
    if case.severity not in setting.severities:
        return None, (Reason(Cause.SEVERITY, {"severity": case.severity}),)
    named = [one for one in found if one.basis in OWNING]
    owners = [one for one in named if one.presence.now or one.presence.next] or named
    if not owners:
        return None, tuple(why_not) or (Reason(Cause.NO_OWNER),)
    (first, *others) = owners
    if any(one.basis is first.basis for one in others):
        return None, tuple(Reason(Cause.UNKNOWN_BODY, {"body": one.body}) for one in owners)
    if not first.presence.now and (first.presence.next is None or case.severity >= URGENT):
        return None, (_there(first.presence),)
    return first, (Reason(Cause.AUTOMATIC), *first.why)


def said(told: Mapping[str, Any]) -> str:
    """Return a kept reason as words in the language of this request; one of a newer version is at least named."""
    values = {name: value for name, value in told.items() if name != "cause"}
    for name in ("until", "next"):
        if name in values:
            values[name] = _when(str(values[name]))
    template = CAUSES.get(str(told.get("cause")), str(told.get("cause")))
    names = [name for _text, name, _form, _turn in Formatter().parse(template) if name]
    return i18n.filled(template, {name: values.get(name, "—") for name in names})


def _when(text: str) -> str:
    try:
        return f"{clock.local(datetime.fromisoformat(text)):%m-%d %H:%M}"
    except ValueError:  # a page is never unreadable because of one row
        return text


def setting_for(settings: Iterable[DispatchSetting], home: str) -> DispatchSetting | None:
    """Return the setting of the narrowest area around a place; of one area, the last that has begun."""
    around = [each for each in settings if home.startswith(each.code)]
    return max(around, key=lambda each: (len(each.code), each.effective), default=None)
