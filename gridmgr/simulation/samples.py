"""The files of `sample_maps/`: a small fictional district as bureaux would hand it over, faults included."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio

from gis.datum import from_wgs84
from gis.formats import write_layer
from gis.samples import sized
from gis.samples.faults import plant
from gridmgr import clock
from gridmgr.category.model import Category
from gridmgr.category.rules import parse
from gridmgr.clock import WorkingCalendar
from gridmgr.hierarchy.model import LEVELS
from gridmgr.life.model import Action, State
from gridmgr.life.rules import FINAL, target
from gridmgr.simulation import queries, rules
from gridmgr.simulation.model import Act, City, Matter

SAMPLE_MAPS = Path(__file__).resolve().parents[2] / "sample_maps"
PHRASES = SAMPLE_MAPS / "phrases.csv"
HOLIDAYS = SAMPLE_MAPS / "holidays_2026.csv"  # the State Council's arrangement of that year
SEED = 2026
POLICIES = "policies.csv"
REPORTS = 300
FIRST_DAY = date(2026, 9, 1)
AS_OF = timedelta(days=10)  # after the first day: the day the other system wrote its file
WRITTEN = "2026-01-01T00:00:00Z"  # GeoPackages carry the date of their making

# What the other system calls our states.
STATUSES = {
    State.REPORTED: "待受理",
    State.ACCEPTED: "已立案",
    State.DISPATCHED: "待处置",
    State.HANDLING: "处置中",
    State.SUSPENDED: "已挂账",
    State.FED_BACK: "待核查",
    State.VERIFIED: "待结案",
    State.CLOSED: "已办结",
    State.EVALUATED: "已办结(已评价)",
    State.VOIDED: "不予受理",
    State.MERGED: "重复件",
}
COLUMNS = {
    "source_id": "案件编号", "lon": "经度", "lat": "纬度", "reported_at": "上报时间", "due_at": "截止时间",
    "closed_at": "办结时间", "category": "问题类型", "status": "案件状态", "handler": "责任单位",
    "address": "地址", "description": "问题描述", "reporter_name": "上报人", "reporter_phone": "联系电话",
}  # fmt: skip
DATUM = "gcj02"  # the other system's phones show their places on a commercial map


def category_rows() -> list[dict]:
    """Return the rows of the sample table of categories."""
    return list(parse((SAMPLE_MAPS / "categories.csv").read_text("utf-8-sig").splitlines()))


def policy_table() -> bytes:
    """Return the sample table of policies as a file."""
    return (SAMPLE_MAPS / POLICIES).read_bytes()


def write_samples(folder: Path, seed: int = SEED) -> None:
    """Write all files of `sample_maps/` but README, categories and policies; the same seed, the same content."""
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": WRITTEN})
    folder.mkdir(parents=True, exist_ok=True)
    frames = sized("small", seed=seed)
    (folder / "district.gpkg").unlink(missing_ok=True)
    for level in LEVELS:
        write_layer(frames[level], folder / "district.gpkg", layer=level)
    write_layer(frames["building"], folder / "buildings_gbk.zip", encoding="GBK", cpg=False)
    write_layer(plant(frames["micro_grid"]), folder / "faulty_grids.geojson")
    crosswalk(frames).to_csv(folder / "crosswalk.csv", index=False)
    matters = [queries.matter(Category(**row)) for row in category_rows()]
    city = queries.survey(frames["micro_grid"], frames["building"], matters, seed)
    reports(city, seed).to_csv(folder / "reports.csv", index=False)
    (folder / "reports.toml").write_text(mapping(matters), "utf-8")


def crosswalk(frames: dict[str, gpd.GeoDataFrame]) -> pd.DataFrame:
    """Return another office's list: streets by our codes, communities by its own, one it alone knows."""
    streets, communities = frames["street"], frames["community"]
    rows = list(zip(streets["code"], streets["name"] + "办事处", strict=True))
    rows += [(f"CQ{n:04d}", f"{name}居委会") for n, name in enumerate(communities["name"], start=1)]
    return pd.DataFrame([*rows, ("CQ0999", "撤并前的旧社区居委会")], columns=["code", "name"])


def reports(city: City, seed: int) -> pd.DataFrame:
    """Return the first reports of the days from FIRST_DAY as the other system's table, all texts."""
    calendar = clock.working_calendar()
    rows = pd.DataFrame(_rows(city, seed, calendar)).sort_values("reported_at", kind="stable").head(REPORTS)
    lon, lat = from_wgs84(rows["lon"].to_numpy(), rows["lat"].to_numpy(), DATUM)
    rows = rows.assign(lon=[f"{x:.7f}" for x in lon], lat=[f"{y:.7f}" for y in lat])
    return rows[list(COLUMNS)].rename(columns=COLUMNS)


def _rows(city: City, seed: int, calendar: WorkingCalendar) -> Iterator[dict[str, object]]:
    chances = rules.Chances(city)
    for offset in range(AS_OF.days):
        cases: dict[str, list[Act]] = {}
        for act in rules.day_plan(seed, FIRST_DAY + timedelta(days=offset), city, chances, calendar):
            cases.setdefault(act.key, []).append(act)
        for acts in cases.values():
            yield _row(acts, city.matters[acts[0].category], calendar)


def _row(acts: list[Act], matter: Matter, calendar: WorkingCalendar) -> dict[str, object]:
    """Return a case as the other system had it on the day it wrote its file."""
    end = datetime.combine(FIRST_DAY, time.min, calendar.zone) + AS_OF
    state, told = None, {"due_at": "", "closed_at": "", "handler": ""}
    for act in (act for act in acts if act.at < end):
        state = target(state, act.action, act.payload)
        if act.action is Action.ACCEPT:
            told["due_at"] = _local(calendar.due(act.at, matter.amount, matter.unit), calendar)
        if act.action is Action.DISPATCH:
            told["handler"] = matter.department
        if state in FINAL and act.action is not Action.EVALUATE:
            told["closed_at"] = _local(act.at, calendar)
    report = acts[0].report
    return told | {
        "source_id": acts[0].key, "lon": report.lon, "lat": report.lat,
        "reported_at": _local(report.reported_at, calendar), "category": matter.name,
        "status": STATUSES[state], "address": report.address, "description": report.description,
        "reporter_name": report.reporter_name, "reporter_phone": report.reporter_phone,
    }  # fmt: skip


def _local(at: datetime, calendar: WorkingCalendar) -> str:
    return f"{at.astimezone(calendar.zone):%Y/%m/%d %H:%M:%S}"


def mapping(matters: list[Matter]) -> str:
    """Return how the importer is to read the reports: our names for the other system's columns and words."""
    head = f'origin = "another-office"\ndatum = "{DATUM}"\nzone = "Asia/Shanghai"\nsource = "system"\n'
    return head + "".join(
        f"\n[{title}]\n" + "".join(f'{left} = "{right}"\n' for left, right in pairs)
        for title, pairs in (
            ("columns", COLUMNS.items()),
            ("statuses", [(f'"{word}"', state.value) for state, word in STATUSES.items()]),
            ("categories", [(f'"{matter.name}"', matter.code) for matter in matters]),
        )
    )
