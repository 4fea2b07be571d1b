"""Alarms of the daily scan: their list, one of them with its days and cases, and who has looked at it."""

from datetime import date
from typing import Annotated

from fastapi import Depends, Path, Query
from pydantic import BaseModel, Field

from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.scan import queries, rules, service
from gridmgr.scan.model import ClusterDeed, Scan
from gridmgr.scan.queries import Alarm, Search
from web.api.schema import problems, router
from web.deps import Allow, Transaction
from web.fields import BigRowId, Day, RowId, Utc, text
from web.paging import Page, Paging, paged

routes = router("alarm")
Viewer = Annotated[Actor, Depends(Allow("scan.view"))]
Looker = Annotated[Actor, Depends(Allow("scan.look"))]
AlarmId = Annotated[RowId, Path(description="Id of the alarm.")]
CASES = 500


class LookOut(BaseModel):
    """Who has looked at an alarm, and what was found."""

    actor: str = Field(examples=["吴建国"])
    at: Utc
    note: str = Field(examples=["雨水井堵塞，已通知市政管理所疏通"])


class AlarmOut(BaseModel):
    """Neighbouring units with more cases than their share and the district's tempo explain."""

    id: int
    day: Day = Field(description="The last day looked at.")
    since: Day = Field(description="The first day of its window.")
    level: str = Field(examples=["micro_grid"])
    matter: str = Field(description="The class of categories in Chinese; empty: all.", examples=["突发事件"])
    matter_en: str = Field(examples=["Emergencies"])
    units: list[str] = Field(description="Codes, the centre first.", examples=[["510106001001001"]])
    rank: int = Field(description="1 is the likeliest of its scan.")
    observed: int
    expected: float = Field(
        description="Cases of its units × cases of its window ÷ all cases.", examples=[1.4]
    )
    llr: float = Field(description="Natural logarithm of the likelihood ratio.", examples=[14.2])
    p: float = Field(description="Rank among the largest ratios of all permutations.", examples=[0.001])
    recurrence_days: float = Field(description="1 ÷ p, with one scan a day.", examples=[1000.0])
    alarm: bool = Field(description="Rare enough to be told; the setting alarm_days says how rare.")
    looks: list[LookOut]


class AlarmPage(Page[AlarmOut]):
    """Alarms, the newest day first, the rarest of a day first."""


class ScanOut(BaseModel):
    """What a scan looked at, and how."""

    day: Day
    first_day: Day
    level: str = Field(examples=["micro_grid"])
    matter: str = Field(description="Empty: all.", examples=["突发事件"])
    units: int
    cases: int
    outside: int = Field(description="Cases in no unit, left out.")
    longest: int = Field(description="Days a window may have.", examples=[7])
    most_units: int = Field(description="Units a zone may have.", examples=[50])
    permutations: int = Field(examples=[999])
    seed: int
    edition: str = Field(description="Stamp of the map.", examples=["1.9f86d081884c"])
    known_at: Utc = Field(description="What was recorded by then was looked at.")


class DayOut(BaseModel):
    """A day of a cluster's units."""

    day: Day
    observed: int
    expected: float = Field(examples=[0.8])


class UnitOut(BaseModel):
    """A unit of a cluster."""

    code: str
    observed: int = Field(description="Cases in the window.")
    cases: int = Field(description="Cases in all days.")


class AlarmDetail(AlarmOut):
    """An alarm with its days, units, cases and method."""

    days: list[DayOut]
    counts: list[UnitOut] = Field(description="Of its units in the caller's area; `units` names them all.")
    numbers: list[str] = Field(
        description=f"Its cases that the caller may see, the newest first, {CASES} at most.",
        examples=[["202601150000042"]],
    )
    scan: ScanOut
    card: list[str] = Field(description="How to read it.", examples=[[rules.CARD[0]]])


class LookIn(BaseModel):
    """What was found."""

    note: text(rules.LONGEST_NOTE, 1) = Field(examples=["雨水井堵塞，已通知市政管理所疏通"])


class ScanList(BaseModel):
    """The scans of a day."""

    scans: list[ScanOut]


@routes.get("/alarms")
def list_alarms(
    session: Transaction,
    actor: Viewer,
    paging: Annotated[Paging[int], Depends(paged("alarms", BigRowId))],
    day: Day | None = None,
    matter: Annotated[text(100) | None, Query(description="A class; empty: scans of all matters.")] = None,
    level: Annotated[text(16), Query(description="micro_grid or community.")] = "",
    unseen: Annotated[bool, Query(description="Only those nobody has looked at.")] = False,
    weak: Annotated[bool, Query(description="Clusters too weak for an alarm, too.")] = False,
) -> AlarmPage:
    """List the alarms of the daily scan in the caller's area."""
    search = Search(day, matter, level or None, unseen, weak)
    found = queries.page(session, actor, search, paging.fetch, paging.after)
    return paging.page(
        AlarmPage, found, lambda each: each.cluster.id, lambda rows: [_out(each) for each in rows]
    )


@routes.get("/alarms/{alarm_id}", responses=problems(404))
def show_alarm(alarm_id: AlarmId, session: Transaction, actor: Viewer) -> AlarmDetail:
    """Show one alarm: its days, units, cases, and how it was found."""
    found = queries.alarm(session, actor, alarm_id)
    days = zip(rules.days(found.scan.first_day), found.cluster.daily, strict=True)
    units = queries.units(session, actor, alarm_id)
    return AlarmDetail(
        **_out(found).model_dump(),
        days=[DayOut(day=day, observed=observed, expected=expected) for day, (observed, expected) in days],
        counts=[UnitOut(code=each.code, observed=each.observed, cases=each.cases) for each in units],
        numbers=[each.number for each in queries.cases_of(session, actor, alarm_id, CASES)],
        scan=_scan(found.scan),
        card=list(rules.CARD),
    )


@routes.post("/alarms/{alarm_id}/looks", status_code=201, responses=problems(404))
def look_at_alarm(alarm_id: AlarmId, told: LookIn, session: Transaction, actor: Looker) -> LookOut:
    """Say that one has looked at an alarm, and what was found; it is written for ever."""
    return _look(service.look(session, actor, alarm_id, told.note))


@routes.get("/scans")
def list_scans(
    session: Transaction, actor: Viewer, day: Day | None = None,
    level: Annotated[text(16), Query(description="micro_grid or community.")] = rules.LEVELS[0],
) -> ScanList:  # fmt: skip
    """List the scans of a day (yesterday): where there is one and no alarm, nothing was found."""
    wanted: date = day or rules.last_day(clock.local(clock.now()))
    return ScanList(scans=[_scan(each) for each in queries.scans(session, wanted, level)])


def _out(each: Alarm) -> AlarmOut:
    cluster, scan = each.cluster, each.scan
    same = {
        name: getattr(cluster, name)
        for name in ("id", "since", "rank", "observed", "expected", "llr", "p", "recurrence_days")
    }
    more = {name: getattr(scan, name) for name in ("day", "level", "matter", "matter_en")}
    looks = [_look(look) for look in each.looks]
    return AlarmOut(**same | more, units=list(each.codes), alarm=each.loud, looks=looks)


def _look(each: ClusterDeed) -> LookOut:
    return LookOut(actor=each.actor_name, at=each.at, note=each.note)


def _scan(each: Scan) -> ScanOut:
    return ScanOut(
        edition=each.stamp,
        **{name: getattr(each, name) for name in ScanOut.model_fields if name != "edition"},
    )
