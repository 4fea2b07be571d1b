"""Every route names who may use it, and every role is answered as the permission table says."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from fastapi.testclient import TestClient

from gridmgr.account.model import Role
from gridmgr.account.rules import PERMISSIONS
from web.deps import Allow, Open, permission
from web.main import create_app

# What stands for each part of an address: nothing that exists, so that nothing is changed.
VALUES = {"level": "street", "stamp": "1.0", "number": "0", "code": "0", "batch_id": "1", "token_id": "99999"}


def routes() -> list[RouteContext]:
    """Return every route of the application, pages and programs alike."""
    return [
        each for each in iter_route_contexts(create_app().routes) if isinstance(each.original_route, APIRoute)
    ]


ROUTES = [
    pytest.param(route, method, id=f"{method} {route.path}") for route in routes() for method in route.methods
]


def address(path: str) -> str:
    """Return the path with something in place of each of its parameters."""
    return re.sub(r"{(\w+)(:\w+)?}", lambda part: VALUES.get(part[1], "0"), path)


def allowed(named: Allow) -> set[Role]:
    """Return the roles that a route's permission lets in."""
    return set(PERMISSIONS[named.action]) | set(PERMISSIONS.get(named.otherwise, ()))


def by_turns(roles: set[Role], path: str) -> set[Role]:
    """Return two of these roles, other ones for other paths: what all of them may see takes its time."""
    known = sorted(roles)
    first = sum(path.encode()) % len(known)
    return {known[first], known[(first + len(known) // 2) % len(known)]}


def asked(client: TestClient, method: str, path: str) -> Any:
    """Ask a route; a reading one for real, a writing one without a body."""
    return client.request(method, address(path))


def programs(path: str) -> bool:
    return path.startswith(("/api", "/tiles", "/healthz", "/readyz", "/metrics"))


def test_there_are_routes_to_walk():
    assert len(ROUTES) > 25


@pytest.mark.parametrize(("route", "method"), ROUTES)
def test_every_route_names_a_known_permission_or_says_why_it_is_open(route: RouteContext, method: str):
    named = permission(route.original_route)
    if isinstance(named, Open):
        assert named.why.strip()
    else:
        assert isinstance(named, Allow)
        assert {named.action, named.otherwise} - {None} <= set(PERMISSIONS)


@pytest.mark.parametrize(("route", "method"), ROUTES)
def test_each_role_is_let_in_exactly_where_the_table_says(
    route: RouteContext, method: str, as_role: Callable[..., TestClient]
):
    named = permission(route.original_route)
    if isinstance(named, Open) or route.path == "/logout":
        return
    for role in set(Role) - allowed(named) | by_turns(allowed(named), route.path):
        answer = asked(as_role(role), method, route.path)
        assert answer.status_code < 500, answer.text
        refused = answer.status_code == 403
        assert refused == (role not in allowed(named)), (role, answer.status_code, answer.text)


@pytest.mark.parametrize(("route", "method"), ROUTES)
def test_nobody_is_sent_to_the_login_or_told_to_authenticate(
    route: RouteContext, method: str, as_role: Callable[..., TestClient]
):
    answer = asked(as_role(), method, route.path)
    if isinstance(permission(route.original_route), Open):
        assert answer.status_code != 500
        assert answer.status_code != 403 or (method, route.path) == (
            "POST",
            "/login",
        )  # needs its form's secret
    elif programs(route.path):
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["content-type"] == "application/problem+json"
    else:
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/login")


@pytest.mark.parametrize("path", ["/api/nothing", "/tiles/nothing", "/nothing", "/incidents/1/2/3"])
@pytest.mark.parametrize("role", [None, Role.ADMIN])
def test_what_is_not_there_is_not_found(path: str, role: Role | None, as_role: Callable[..., TestClient]):
    assert as_role(role).get(path).status_code == 404


def test_a_route_that_names_nothing_is_closed_to_everybody(city, as_role: Callable[..., TestClient]):
    app = create_app()
    app.get("/api/forgotten")(lambda: "secret")
    client = TestClient(app, headers=as_role(Role.ADMIN).headers)
    assert client.get("/api/forgotten").status_code == 403
