"""Frames as GeoJSON, written feature by feature, so that a whole level need not stand in memory twice."""

import json
from collections.abc import Iterator
from datetime import date

import geopandas as gpd
import shapely
from fastapi.responses import StreamingResponse

MEDIA = "application/geo+json"
PORTION = 500


def collection(frame: gpd.GeoDataFrame, name: str, id: str | None = None) -> StreamingResponse:
    """Answer with a frame (EPSG:4326) as a FeatureCollection of that file name."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(_pieces(frame, id), media_type=MEDIA, headers=headers)


def _pieces(frame: gpd.GeoDataFrame, id: str | None) -> Iterator[str]:
    yield '{"type":"FeatureCollection","features":['
    for start in range(0, len(frame), PORTION):
        part = frame.iloc[start : start + PORTION]
        yield ("," if start else "") + ",".join(_features(part, id))
    yield "]}"


def _features(part: gpd.GeoDataFrame, id: str | None) -> Iterator[str]:
    plain = part.drop(columns=part.geometry.name).astype(object)
    rows = plain.where(plain.notna(), None).to_dict("records")
    for row, shape in zip(rows, shapely.to_geojson(part.geometry.to_numpy()), strict=True):
        head = f'"id":{json.dumps(row[id], ensure_ascii=False)},' if id else ""
        properties = json.dumps(row, ensure_ascii=False, default=_plain, separators=(",", ":"))
        yield f'{{"type":"Feature",{head}"geometry":{shape or "null"},"properties":{properties}}}'


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value.item()
