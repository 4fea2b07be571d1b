"""Maps that the tests of coverages share: blocks drawn in metres, and two real cities as levels."""

import geopandas as gpd
import shapely

METRE = 1e-5  # degrees, nearly a metre
EASTING = 0.965  # metres that it is towards the east at 30° north
SQUARE = EASTING * 1.1085

CAMBRIDGE = (("street", "tract", 0), ("community", "blockgroup", 11), ("micro_grid", "block", 12))


def place(*corners: float) -> shapely.Polygon:
    """A block given in metres west, south, east and north of a corner near Chengdu."""
    west, south, east, north = (value * METRE for value in corners)
    return shapely.box(104 + west, 30 + south, 104 + east, 30 + north)


def level(*units, crs: int | None = 4326) -> gpd.GeoDataFrame:
    """A level of (code, parent_code, geometry)."""
    codes, parents, shapes = zip(*units, strict=True) if units else ((), (), ())
    return gpd.GeoDataFrame({"code": codes, "parent_code": parents}, geometry=list(shapes), crs=crs)


def cambridge(folder, twin: str) -> dict[str, gpd.GeoDataFrame]:
    """Tracts, block groups and blocks, "raw" or as the city itself repaired them, "clean"."""
    ending = "2020adj" if twin == "clean" else "2020"
    levels = {}
    for name, layer, digits in CAMBRIDGE:
        frame = gpd.read_file(folder / "cambridge" / "nested.gpkg", layer=f"{twin}_{layer}_{ending}")
        parent = frame["GEOID20"].str[:digits] if digits else None
        levels[name] = frame.assign(code=frame["GEOID20"], parent_code=parent)
    return levels


def washington(folder, wards: int, grids: int) -> dict[str, gpd.GeoDataFrame]:
    """Wards, commissions, districts and landmarks of the editions of two years."""
    file = folder / "washington" / "grids.gpkg"
    layers = (f"ward_{wards}", f"anc_{grids}", f"smd_{grids}", "building_landmark")
    ward, anc, smd, landmark = (gpd.read_file(file, layer=name) for name in layers)
    return {
        "street": ward.assign(code=ward["WARD_ID"]),
        "community": anc.assign(code=anc["ANC_ID"], parent_code=anc["ANC_ID"].str[:1]),
        "micro_grid": smd.assign(code=smd["SMD_ID"], parent_code=smd["ANC_ID"]),
        "building": landmark.assign(code=landmark["UNIQUEID"]),
    }
