"""The API keeps to its own OpenAPI document, whatever a machine thinks of sending."""

import contextlib
import json
from collections.abc import Iterator
from functools import cache

import jsonschema_rs
import pytest
import schemathesis
from fastapi.routing import iter_route_contexts
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from pydantic import TypeAdapter
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from small_city import City

from gridmgr.account.model import Role
from web.api.examples import BYTES
from web.api.headers import COUNTED
from web.api.schema import EXAMPLES, SUMMARIES, document
from web.errors import status_of
from web.main import create_app

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)


EXAMPLES_OF_EACH = 2  # of each way to ask for each operation: over a thousand requests a run
APP = create_app()
SCHEMA = schemathesis.openapi.from_asgi("/api/openapi.json", APP, timeout=60)
OPERATIONS = [each.ok() for each in SCHEMA.get_all_operations()]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["valid", "invalid"])
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_no_request_breaks_the_server_or_its_word(operation: APIOperation, mode: GenerationMode, city: City):
    headers = {"Authorization": f"Bearer {city.tokens[Role.ADMIN]}"}

    @settings(
        max_examples=EXAMPLES_OF_EACH,
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def probe(case: schemathesis.Case) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS)

    with contextlib.suppress(Unsatisfiable):  # nothing can be wrong with a request without parameters
        probe()


DOCUMENT = document(APP)
DESCRIBED = [
    pytest.param(path, operation, id=operation["operationId"])
    for path, operations in DOCUMENT["paths"].items()
    for operation in operations.values()
]


@pytest.mark.parametrize(("path", "operation"), DESCRIBED)
def test_every_operation_is_described_for_whoever_reads_it(path: str, operation: dict):
    assert operation["summary"]
    assert operation["description"].count(".") >= 1
    assert operation["tags"]
    assert "503" in operation["responses"]


def test_no_two_operations_have_one_name():
    ids = [each.id for each in DESCRIBED]
    assert len(ids) == len(set(ids)) > 25


def shown(operation: dict) -> Iterator[tuple[dict, object]]:
    """Yield the schema and the example of an operation's body and of each of its answers."""
    for part in (operation.get("requestBody", {}), *operation["responses"].values()):
        for content in part.get("content", {}).values():
            if content["schema"] != BYTES:
                yield content["schema"], content["example"]


@cache
def judge(schema: str) -> jsonschema_rs.Validator:
    """Return what examples of a schema are held to; most answers of errors share one."""
    return jsonschema_rs.validator_for(json.loads(schema) | {"components": DOCUMENT["components"]})


@pytest.mark.parametrize(("path", "operation"), DESCRIBED)
def test_every_body_and_every_answer_has_an_example_that_keeps_to_its_schema(path: str, operation: dict):
    for schema, example in shown(operation):
        assert not [str(fault) for fault in judge(json.dumps(schema)).iter_errors(example)]


def test_every_example_of_a_body_is_one_the_server_takes():
    taken = 0
    for route in iter_route_contexts(APP.routes):
        operation = DOCUMENT["paths"].get(route.path_format, {}).get(min(route.methods or [""]).lower())
        if operation and "application/json" in operation.get("requestBody", {}).get("content", {}):
            (body,) = route.dependant.body_params
            example = operation["requestBody"]["content"]["application/json"]["example"]
            TypeAdapter(body.field_info.annotation).validate_python(example)
            taken += 1
    assert taken > 4


@pytest.mark.parametrize(("path", "operation"), DESCRIBED)
def test_every_header_is_told_where_it_is_sent(path: str, operation: dict):
    named = {each["name"] for each in operation.get("parameters", ())}
    answers = operation["responses"]
    for code, answer in answers.items():
        carried = set(answer.get("headers", ()))
        assert carried <= set(DOCUMENT["components"]["headers"])
        assert (set(COUNTED) <= carried) == path.startswith("/api/")
        if code[0] == "2":
            assert ("Idempotency-Replayed" in carried) == ("Idempotency-Key" in named)
            assert ("Link" in carried) == ("cursor" in named)
    assert ("If-None-Match" in named) == ("304" in answers)
    assert ("If-Match" in named) == ("412" in answers)
    if path.startswith("/api/"):
        assert "Retry-After" in answers["429"]["headers"]


def test_every_summary_of_an_error_is_one_we_can_give():
    assert set(SUMMARIES) == set(EXAMPLES)
    for code, problem in EXAMPLES.items():
        assert code in (status_of(problem), 400)
