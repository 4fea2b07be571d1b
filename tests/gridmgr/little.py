"""The little district that the tests of the nouns share, and its two categories."""

import geopandas as gpd
from shapely import box

WEST, SOUTH, STEP = 104.0, 30.0, 0.01
STREET = "510106001"
CATEGORIES = (
    "code,kind,group_zh,group_en,name_zh,name_en,department,severity,limit_amount,limit_unit,"
    "filing_condition,closing_condition",
    "S0102,event,市容环境,City appearance,暴露垃圾,Exposed rubbish,环卫所,1,4,working_hours,垃圾堆积,清理干净",
    "S0503,event,突发事件,Emergencies,燃气管道破裂,Gas leak,燃气公司,3,2,hours,燃气泄漏,险情排除",
)


def square(column: float, row: float, width: float = 1, height: float = 1):
    """A rectangle on the little district's raster."""
    return box(
        *(
            round(WEST + x * STEP, 9) if n % 2 == 0 else round(SOUTH + x * STEP, 9)
            for n, x in enumerate((column, row, column + width, row + height))
        )
    )


def layer(rows: list[tuple]) -> gpd.GeoDataFrame:
    """A level from (code, name, parent, shape)."""
    codes, names, parents, shapes = zip(*rows, strict=True)
    return gpd.GeoDataFrame(
        {"code": codes, "name": names, "parent_code": parents}, geometry=list(shapes), crs=4326
    )


def little_district() -> dict[str, gpd.GeoDataFrame]:
    """One street, two communities side by side, each cut into a western and an eastern micro-grid."""
    communities = [f"{STREET}001", f"{STREET}002"]
    grids = [(f"{communities[n // 2]}00{n % 2 + 1}", communities[n // 2], n) for n in range(4)]
    return {
        "street": layer([(STREET, "荷花池街道", None, square(0, 0, 4))]),
        "community": layer(
            [
                (code, f"{name}社区", STREET, square(2 * n, 0, 2))
                for n, (code, name) in enumerate(zip(communities, "甲乙", strict=True))
            ]
        ),
        "micro_grid": layer([(code, f"第{n + 1}微网格", parent, square(n, 0)) for code, parent, n in grids]),
        "building": layer(
            [
                (f"{parent}0000{n % 2 + 1}", f"荷花路{n + 1}号", code, square(n + 0.4, 0.4, 0.2, 0.2))
                for code, parent, n in grids
            ]
        ).assign(households=[10, 20, 30, 40], address=[f"荷花路{n + 1}号" for n in range(4)]),
    }
