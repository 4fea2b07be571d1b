"""Verbs of flags: look for patterns, review a flag, set the terms. They never commit, and punish nobody."""

from collections.abc import Mapping
from datetime import date, timedelta

from sqlalchemy import func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.rules import Actor, require
from gridmgr.flag import queries, rules
from gridmgr.flag.model import Flag, FlagCase, FlagReview, Verdict
from gridmgr.terms import service as dated


def find(session: Session, days: int | None = None) -> int:
    """Flag the patterns of the last days (as the terms say) that were not flagged before; returns how many.

    It has no effect on anybody's points or rights, and nobody is told but those who may look.
    """
    until = clock.now()
    back = days if days is not None else int(queries.terms(session)["look_days"])
    since = until - timedelta(days=min(max(back, 1), rules.MOST_DAYS))
    flagged = 0
    for each in queries.patterns(session, since, until):
        homes = queries.homes(session, each.cases)
        row = {
            "kind": each.kind, "key": each.key, "code": rules.area(list(homes.values())),
            "account_id": each.account_id, "name": each.name, "begins": each.begins, "ends": each.ends,
            "found_at": until, "evidence": dict(each.evidence),
        }  # fmt: skip
        fresh = upsert(Flag).values(row).on_conflict_do_nothing().returning(Flag.id)
        flag_id = session.scalar(fresh)
        if flag_id is not None:
            session.execute(
                insert(FlagCase),
                [{"flag_id": flag_id, "incident_id": case} for case in sorted(set(each.cases))],
            )
            flagged += 1
    return flagged


def review(session: Session, actor: Actor, flag_id: int, verdict: Verdict, note: str) -> FlagReview:
    """Write down what came of a look at a flag; it may be looked at again, and the last word counts.

    Raises
    ------
    UnknownFlag, NotGranted, OwnFlag, ReviewNote
    """
    require(actor, "flag.review")
    flag = session.get(Flag, flag_id, with_for_update=True)
    if flag is not None:
        rules.check_review(actor, flag, note)
    flag = queries.flag(session, actor, flag_id)
    last = session.scalar(select(func.max(FlagReview.seq)).where(FlagReview.flag_id == flag.id))
    row = FlagReview(
        flag_id=flag.id, seq=(last or 0) + 1, verdict=verdict, note=note.strip(), actor_id=actor.id,
        actor_name=actor.name, at=clock.now(),
    )  # fmt: skip
    session.add(row)
    flag.verdict = verdict
    session.flush()
    return row


def set_terms(
    session: Session, actor: Actor, effective: date, given: Mapping[str, object]
) -> dict[str, float]:
    """Set the terms of flags from a day on; flags found before stay as they are.

    Raises
    ------
    NotGranted, TermOutside, TermUnknown
    """
    require(actor, "flag.manage")
    return dated.put(session, actor, rules.MATTER, rules.TERMS, effective, given)
