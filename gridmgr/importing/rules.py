"""Pure decisions of the import desk: which column is which, which fault stops a load, what a row says."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd

from gis.crs import problem_of, suspects
from gis.datum import known as known_datum
from gis.errors import BadInput, Problem
from gridmgr.importing.model import BadMapping, IncidentPlan, LayerPlan
from gridmgr.incident.model import Adopted, Report
from gridmgr.life.model import Source, State
from gridmgr.life.rules import FINAL, OUT

# Faults a stored map cannot hold; all others are kept in the report of the import and loaded.
BLOCKING = frozenset(
    {
        "empty_geometry",
        "wrong_type",
        "invalid_ring",
        "missing_code",
        "duplicate_code",
        "missing_parent",
        "orphan",
    }
)

# What bureaux call their columns, most telling first; compared in lower case.
COLUMN_NAMES: dict[str, tuple[str, ...]] = {
    "code": ("code", "编码", "代码", "网格编码", "网格编号", "bm", "dm", "geoid", "uniqueid", "id", "编号"),
    "name": ("name", "名称", "网格名称", "mc", "label", "title"),
    "parent": ("parent_code", "parent", "上级编码", "上级代码", "所属编码", "sjbm"),
    "households": ("households", "户数", "hs"),
    "population": ("population", "人口", "人口数", "rks"),
    "land_use": ("land_use", "use", "用途", "用地性质"),
    "address": ("address", "地址", "门牌", "门牌地址", "dz"),
}
LAYER_NAMES: dict[str, tuple[str, ...]] = {
    "street": ("street", "街道", "ward"),
    "community": ("community", "社区", "村"),
    "micro_grid": ("micro_grid", "microgrid", "网格", "grid"),
    "building": ("building", "楼", "房屋", "建筑"),
}
ATTRIBUTES = ("households", "population", "land_use", "address")
DBASE = 10  # a Shapefile's table cuts the names of its columns to so many letters

# What other systems call the columns of an incident, most telling first; compared in lower case.
INCIDENT_COLUMNS: dict[str, tuple[str, ...]] = {
    "source_id": (
        "source_id", "案卷号", "案卷编号", "案件编号", "案件号", "任务号", "工单号", "工单编号", "事件编号",
        "事件号", "受理编号", "编号", "servicerequestid", "requestid", "unique key", "id",
    ),
    "lon": ("lon", "longitude", "经度", "lng", "x坐标", "x"),
    "lat": ("lat", "latitude", "纬度", "y坐标", "y"),
    "reported_at": (
        "reported_at", "上报时间", "受理时间", "来电时间", "创建时间", "登记时间", "发现时间", "发生时间",
        "adddate", "opened", "created_at", "created date", "requested_datetime",
    ),
    "category": (
        "category", "类别编码", "小类代码", "小类编码", "问题编码", "类别", "小类名称", "小类", "问题小类",
        "问题类型", "问题类别", "事项类别", "事项类型", "事件类型", "事件类别", "案件类型", "诉求类型", "类型",
        "servicecode", "service_code", "complaint type", "type",
    ),
    "category_name": (
        "category_name", "类别名称", "小类名称", "servicecodedescription", "service_name",
    ),
    "status": (
        "status", "状态", "案件状态", "案卷状态", "工单状态", "事件状态", "当前状态", "办理状态", "处理状态",
        "处置状态", "serviceorderstatus", "state",
    ),
    "due_at": (
        "due_at", "处置截止时间", "办理截止时间", "应办结时间", "应结案时间", "截止时间", "serviceduedate",
    ),
    "closed_at": (
        "closed_at", "结案时间", "办结时间", "完成时间", "resolutiondate", "closed date", "resolved", "closed",
    ),
    "handler": (
        "handler", "处置部门", "处置单位", "责任单位", "责任部门", "承办单位", "承办部门", "办理单位", "主办单位",
        "organizationacronym", "agency", "department",
    ),
    "address": ("address", "地址", "位置描述", "事发地址", "详细地址", "地点", "事发地点", "位置", "streetaddress"),
    "description": ("description", "问题描述", "事件描述", "诉求内容", "案件描述", "描述", "内容", "details"),
    "reporter_name": ("reporter_name", "上报人", "联系人", "来电人", "诉求人", "反映人", "姓名"),
    "reporter_phone": ("reporter_phone", "联系电话", "来电号码", "联系方式", "手机号", "电话"),
}  # fmt: skip

# What other systems call our states; a status is compared whole, then the parts its punctuation sets apart.
STATUS_WORDS: dict[State, tuple[str, ...]] = {
    State.REPORTED: ("待受理", "待立案", "已上报", "待审核", "new", "submitted", "reported"),
    State.ACCEPTED: (
        "已受理", "已立案", "受理", "立案", "待派遣", "待转办", "待分派", "退回", "已退回", "退单",
        "open", "opened", "accepted", "acknowledged",
    ),
    State.DISPATCHED: (
        "已派遣", "已派单", "已转办", "已分派", "待处置", "待办理", "待处理", "dispatched", "assigned", "referred",
    ),
    State.HANDLING: (
        "处置中", "处理中", "办理中", "在办", "返工", "延期", "in progress", "in-progress", "started", "handling",
    ),
    State.FED_BACK: ("待核查", "核查中", "已处置", "已处理", "已反馈", "待复核", "fed back", "awaiting check"),
    State.VERIFIED: ("已核查", "待结案", "核查通过", "待办结", "verified"),
    State.CLOSED: (
        "已结案", "结案", "已办结", "办结", "已完成", "已完结", "待评价", "closed", "completed", "complete",
        "resolved", "done",
    ),
    State.EVALUATED: ("已评价", "已回访", "已办结(已评价)", "evaluated"),
    State.VOIDED: (
        "不予受理", "不受理", "不予立案", "不立案", "作废", "已作废", "撤销", "已撤销", "void", "voided",
        "cancelled", "canceled", "rejected", "invalid",
    ),
    State.MERGED: (
        "重复", "重复件", "重复工单", "重复案件", "已合并", "合并", "duplicate", "duplicated", "dup", "merged",
    ),
}  # fmt: skip
# When several parts of a status tell of states, the first of these wins; others contradict each other.
OUTWEIGHS = (State.VOIDED, State.MERGED, State.EVALUATED, State.CLOSED)
_STATE_OF = {word: state for state, words in STATUS_WORDS.items() for word in words}

NAME_BYTES = 200  # file systems allow 255 bytes a name
UNACCEPTED = frozenset({State.REPORTED, *OUT})
REQUIRED_COLUMNS = ("source_id", "lon", "lat", "reported_at", "category")
KNOWN_COLUMNS = (
    *REQUIRED_COLUMNS, "category_name", "status", "due_at", "closed_at", "handler", "address", "description",
    "reporter_name", "reporter_phone",
)  # fmt: skip


def safe_name(name: str) -> str:
    """Return a file's name without folders and control characters, short enough for any file system.

    >>> safe_name("/maps/网格.zip"), safe_name(".."), safe_name("a" + chr(0) + "b.csv")
    ('网格.zip', 'upload', 'ab.csv')
    """
    last = PurePath(name.replace("\\", "/")).name
    clean = "".join(letter for letter in last if letter.isprintable()).strip()
    if clean.strip(".") == "":
        return "upload"
    suffix = PurePath(clean).suffix[:16]
    stem = clean.removesuffix(suffix).encode()[: NAME_BYTES - len(suffix.encode())]
    return stem.decode(errors="ignore") + suffix


def guess_columns(columns: Iterable[str], level: str) -> dict[str, str]:
    """Return which of a layer's columns is probably which of ours; only what was found.

    >>> guess_columns(["code", "parent_cod"], "building")
    {'code': 'code', 'parent': 'parent_cod'}
    """
    lower = {column.lower(): column for column in columns}
    found = {}
    for ours, theirs in COLUMN_NAMES.items():
        prefixed = [f"{level}_{name}" for name in theirs] + [f"{level}{name}" for name in theirs]
        cut = [name[:DBASE] for name in theirs if len(name) > DBASE]
        hit = next((lower[name] for name in (*prefixed, *theirs, *cut) if name in lower), None)
        suffixed = [column for name, column in lower.items() if name.endswith(("_id", "_code"))]
        if hit or (ours == "code" and suffixed):
            found[ours] = hit or suffixed[0]
    return found


def guess_incident_columns(columns: Iterable[str]) -> dict[str, str]:
    """Return which column of a table of incidents is probably which of ours; only what was found.

    >>> guess_incident_columns(["问题类型", "责任单位", "创建时间"])
    {'reported_at': '创建时间', 'category': '问题类型', 'handler': '责任单位'}
    """
    lower = {column.lower(): column for column in columns}
    cut = {name[:DBASE]: name for name in KNOWN_COLUMNS if len(name) > DBASE}
    lower |= {cut[name]: column for name, column in lower.items() if name in cut and cut[name] not in lower}
    found = {
        ours: next((lower[name] for name in theirs if name in lower), None)
        for ours, theirs in INCIDENT_COLUMNS.items()
    }
    return {ours: column for ours, column in found.items() if column}


def guess_state(status: str) -> State | None:
    """Return which of our states a foreign status means, None where its words do not tell.

    >>> guess_state("已办结（已评价）"), guess_state("DUPLICATE (CLOSED)"), guess_state("不予受理")
    (<State.EVALUATED: 'evaluated'>, <State.MERGED: 'merged'>, <State.VOIDED: 'voided'>)
    """
    plain = " ".join(status.lower().translate(str.maketrans("（）", "()")).split())
    if plain in _STATE_OF:
        return _STATE_OF[plain]
    parts = re.split(r"\s*[()\[\],;:/、，；：|]\s*|\s+[-–—]+\s+|[-–—](?=\W|[^\x00-\x7f])", plain)
    told = {_STATE_OF[part] for part in parts if part in _STATE_OF}
    if len(told) == 1:
        return told.pop()
    return next((state for state in OUTWEIGHS if state in told), None)


def guess_layer(names: Iterable[str], level: str) -> str | None:
    """Return the layer that is probably this level, by its name."""
    return next((name for name in names for word in LAYER_NAMES[level] if word in name.lower()), None)


def layer_plan(
    level: str, layer: str | None, columns: Iterable[str], chosen: Mapping[str, str | None]
) -> LayerPlan:
    """Return the plan of one layer: what was chosen, completed by what the columns' names tell."""
    guessed = guess_columns(columns, level)
    picked = {ours: chosen.get(ours) or guessed.get(ours) for ours in COLUMN_NAMES}
    attributes = {ours: picked[ours] for ours in ATTRIBUTES if picked[ours]}
    return LayerPlan(level, picked["code"], picked["name"], chosen.get("parent") or None, layer, attributes)


def incident_plan(text: str) -> IncidentPlan:
    """Read a mapping of a foreign incident file from TOML.

    Raises
    ------
    BadMapping
        It is no TOML, lacks a part, or names a column, state, source, zone or datum there is not.
    """
    try:
        return checked_plan(tomllib.loads(text))
    except tomllib.TOMLDecodeError as wrong:
        raise BadMapping(field="TOML", reason=str(wrong)) from wrong


def checked_plan(data: Mapping[str, Any]) -> IncidentPlan:
    """Return a mapping of a foreign incident file whose every word is one we know.

    Raises
    ------
    BadMapping
    """
    unknown = set(data) - {f.name for f in fields(IncidentPlan)}
    if unknown:
        raise BadMapping(field=sorted(unknown)[0], reason="unknown")
    for field in ("origin", "datum", "columns"):
        if not data.get(field):
            raise BadMapping(field=field, reason="missing")
    columns = data["columns"]
    for field in REQUIRED_COLUMNS:
        if field not in columns:
            raise BadMapping(field=f"columns.{field}", reason="missing")
    for field in columns:
        if field not in KNOWN_COLUMNS:
            raise BadMapping(field=f"columns.{field}", reason="unknown")
    for foreign, ours in data.get("statuses", {}).items():
        if ours not in set(State):
            raise BadMapping(field=f"statuses.{foreign}", reason=f"{ours} ≠ {', '.join(State)}")
    if data.get("source", "system") not in set(Source):
        raise BadMapping(field="source", reason=f"{data['source']} ≠ {', '.join(Source)}")
    try:
        ZoneInfo(data.get("zone", "UTC"))
        known_datum(data["datum"])
    except (ZoneInfoNotFoundError, ValueError, Problem) as wrong:
        raise BadMapping(field="zone/datum", reason=str(wrong)) from wrong
    return IncidentPlan(**data)


class MissingValue(BadInput):
    """Row {row}: {column} is empty."""


class BadInstant(BadInput):
    """Row {row}: {column} is {value}, which is no date and time."""


class UnknownStatus(BadInput):
    """Row {row}: the status {value} is in no mapping; add it under [statuses]."""


class ClosedBeforeReported(BadInput):
    """Row {row}: closed at {closed}, before it was reported at {reported}."""


class RepeatedSourceId(BadInput):
    """Row {row}: the id {value} stands already in row {first}."""


@dataclass(frozen=True)
class Entry:
    """One row of a foreign file, understood: the report, and how far the other system had taken it."""

    row: int
    report: Report
    category: str
    category_name: str
    adopted: Adopted


def entries(table: pd.DataFrame, plan: IncidentPlan) -> tuple[list[Entry], list[Problem]]:
    """Return the rows of a table (texts, indexed by row number) that can be used, and what ails others."""
    problems: list[Problem] = []
    found: list[Entry] = []
    column = {ours: table[theirs].str.strip() for ours, theirs in plan.columns.items()}
    lon, lat = (pd.to_numeric(column[name], errors="coerce") for name in ("lon", "lat"))
    doubts = suspects(lon, lat)
    seen: dict[str, int] = {}
    for row in table.index:
        raw = {ours: values[row] for ours, values in column.items()}
        try:
            if raw["source_id"] and raw["source_id"] in seen:
                raise RepeatedSourceId(row=row, value=raw["source_id"], first=seen[raw["source_id"]])
            if doubts[row]:
                raise problem_of(doubts[row], row, lon[row], lat[row])
            _require(row, raw, plan)
            found.append(_entry(row, raw, lon[row], lat[row], plan))
            seen[raw["source_id"]] = row
        except Problem as problem:
            problems.append(problem)
    return found, problems


def _require(row: int, raw: Mapping[str, str], plan: IncidentPlan) -> None:
    for ours in REQUIRED_COLUMNS:
        if not raw[ours]:
            raise MissingValue(row=row, column=plan.columns[ours])


def _entry(row: int, raw: Mapping[str, str], lon: float, lat: float, plan: IncidentPlan) -> Entry:
    reported, due, closed = (
        _instant(row, raw, ours, plan) for ours in ("reported_at", "due_at", "closed_at")
    )
    if closed and closed < reported:
        raise ClosedBeforeReported(row=row, closed=closed, reported=reported)
    status = raw.get("status", "")
    if status not in plan.statuses and "status" in plan.columns:
        raise UnknownStatus(row=row, value=status or "∅")
    state = State(plan.statuses.get(status, State.REPORTED))
    adopted = {
        "state": state, "status": status, "handler": raw.get("handler") or None,
        "due_at": due.isoformat() if due else None,
        "closed_at": closed.isoformat() if closed and state in FINAL else None,
        "accepted_at": None if state in UNACCEPTED else reported.isoformat(),
    }  # fmt: skip
    report = Report(
        float(lon), float(lat), plan.datum, 0, Source(plan.source),
        description=raw.get("description", ""), address=raw.get("address", "")[:300], origin=plan.origin,
        source_id=raw["source_id"], reporter_name=raw.get("reporter_name", "")[:64],
        reporter_phone=raw.get("reporter_phone", "")[:32], reported_at=reported,
    )  # fmt: skip
    category = plan.categories.get(raw["category"], raw["category"])
    name = raw.get("category_name") or raw["category"]
    return Entry(row, report, category, name, Adopted(adopted, closed or reported))


def _instant(row: int, raw: Mapping[str, str], ours: str, plan: IncidentPlan) -> datetime | None:
    text = raw.get(ours, "")
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text.replace("/", "-"))
        return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(plan.zone))).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInstant(row=row, column=plan.columns[ours], value=text[:40]) from None


def with_category(report: Report, category_id: int) -> Report:
    """Return the report filed under a category."""
    return replace(report, category_id=category_id)
