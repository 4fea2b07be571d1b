"""An example of every body and answer, put together from what the parts of its schema say of themselves."""

from collections.abc import Mapping
from typing import Any

FORMATS = {"date": "2026-01-15", "date-time": "2026-01-15T01:30:00Z"}
BYTES = {"type": "string", "format": "binary"}  # no example would say anything
FILE = "@网格.zip"
OUTLINE = [[[[104.05, 30.7], [104.06, 30.7], [104.06, 30.71], [104.05, 30.7]]]]
TABLE = "编号,状态,来源,事项类别\r\n202601150000042,已立案,巡查上报,0201\r\n"
# What a field of this name holds, wherever it says nothing of itself.
USUAL: dict[str, Any] = {
    "accepted_at": "2026-01-15T01:42:00Z", "actions": ["dispatch"], "actor": "王芳", "address": "西安中路 12 号",
    "area_m2": 48210.5, "area_share": 0.62, "asked": None, "building_code": None, "closed_at": None,
    "closing_condition": "垃圾已清除", "code": "510106001001001", "community": "510106001001",
    "community_code": "510106001001", "confirmed": None, "count": 17, "datum": "gcj02",
    "declared_lat": 30.6988, "declared_lon": 104.0556, "department": "环卫所", "description": "人行道上堆放垃圾",
    "detail": None, "distance_m": 0.0, "due_at": "2026-01-15T06:00:00Z", "edition": "2.9f86d081884c",
    "error": None, "filing_condition": "面积超过一平方米", "finished_at": None,
    "geometry": {"type": "MultiPolygon", "coordinates": OUTLINE}, "group_en": "Appearance", "group_zh": "市容环境",
    "handler": "环卫所", "handler_code": None, "owner": "环卫所", "owner_code": None,
    "household_share": 0.58, "households": 412, "land_use": "居住",
    "lat": 30.7012, "lon": 104.0531, "micro_grid": "510106001001001", "micro_grid_code": "510106001001001",
    "name": "西安路社区", "name_en": "Exposed rubbish", "name_zh": "暴露垃圾",
    "names": {"510106001001": "西安路社区"}, "new_code": "510106001001004", "old_code": "510106001001003",
    "origin": None, "p": 0.021, "population": 1180, "q": 0.046, "refused": 0, "reporter_name": "王芳",
    "reporter_phone": "", "satisfaction": None, "seq": 2, "sha256": "9f86d081884c7d659a2feaa0c55ad015" * 2,
    "size": 1048576, "source_id": None, "state": "accepted", "street": "510106001", "street_code": "510106001",
    "suspended_at": None, "valid_to": None, "z": 2.31,
}  # fmt: skip


def show(operation: dict[str, Any], parts: Mapping[str, Any]) -> None:
    """Write an example of its body and of each answer into an operation; `parts` are the schemas referred to."""
    bodies = operation.get("requestBody", {}).get("content", {})
    answers = [
        content
        for code, answer in operation["responses"].items()
        if code[0] == "2"
        for content in answer.get("content", {}).values()
    ]
    for content, whole in [*((body, False) for body in bodies.values()), *((each, True) for each in answers)]:
        if (
            "example" not in content
            and "examples" not in content
            and content.get("schema") not in (None, BYTES)
        ):
            content["example"] = example(content["schema"], parts, whole)


def example(schema: Mapping[str, Any], parts: Mapping[str, Any], whole: bool) -> Any:
    """Return a value of a schema; with `whole`, of an object also what may be absent."""
    if "$ref" in schema and not schema.get("examples"):
        return example(parts[schema["$ref"].rpartition("/")[2]], parts, whole)
    if schema.get("examples"):
        return schema["examples"][0]
    for name in ("example", "const"):
        if name in schema:
            return schema[name]
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("default") is not None:
        return schema["default"]
    choices = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if choices:
        return example(choices[0], parts, whole)
    return _plain(schema, parts, whole)


def _plain(schema: Mapping[str, Any], parts: Mapping[str, Any], whole: bool) -> Any:
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return _object(schema, parts, whole)
    if kind == "array":
        if "prefixItems" in schema:
            return [example(each, parts, whole) for each in schema["prefixItems"]]
        return [example(schema["items"], parts, whole)] if schema.get("items") else []
    if kind == "string":
        return FILE if "contentMediaType" in schema else FORMATS.get(schema.get("format", ""), "…")
    least = schema.get("minimum", 0)
    return {"integer": least, "number": float(least), "boolean": True}.get(kind)


def _object(schema: Mapping[str, Any], parts: Mapping[str, Any], whole: bool) -> dict[str, Any]:
    needed = schema.get("required", ())
    return {
        name: USUAL[name] if _silent(name, each) else example(each, parts, whole)
        for name, each in schema.get("properties", {}).items()
        if whole or name in needed or each.get("examples")
    }


def _silent(name: str, schema: Mapping[str, Any]) -> bool:
    """Tell whether a field says nothing of itself, but has a name we know; parts speak for themselves."""
    told = schema.get("examples") or "const" in schema
    return name in USUAL and not told and not ("$ref" in str(schema) and isinstance(USUAL[name], str))
