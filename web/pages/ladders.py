"""The next table of limits and ladders, written on pages: its policies, one policy with its course, publishing it."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from gis.errors import Problem
from gridmgr import clock, i18n
from gridmgr.account.rules import Actor
from gridmgr.category import queries as matters
from gridmgr.escalation import queries
from gridmgr.escalation.queries import HELD_BY, Course
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.policy import queries as policies
from gridmgr.policy import rules, service
from gridmgr.policy.model import SHARE, Policy, rungs
from gridmgr.policy.queries import Draft
from gridmgr.policy.rules import Cells, DraftRead
from web.deps import Allow, Transaction
from web.errors import status_of
from web.fields import text
from web.pages.plans import Given
from web.pages.policies import instant, known_unit, limit, lost
from web.render import is_fragment, render

router = APIRouter(include_in_schema=False)
Admin = Annotated[Actor, Depends(Allow("policy.manage"))]
Number = Annotated[int, Path(ge=0, le=rules.MOST_POLICIES)]
Version = Annotated[int, Form(ge=0, le=2**31 - 2)]
LENGTHS = ("every", "answer")  # columns typed as a number and its unit
TRY = ("category", "code", "since")


@router.get("/policies/draft", response_class=HTMLResponse)
def draft(
    request: Request, session: Transaction, actor: Admin, category: Annotated[text(32), Query()] = "",
    severity: Annotated[text(1), Query()] = "", code: Annotated[text(32), Query()] = "",
    since: Annotated[text(25), Query()] = "",
) -> HTMLResponse:  # fmt: skip
    """Show the draft, what it would change, and the course of a case by it if one is asked for."""
    given = {"category": category, "severity": severity, "code": code, "since": since}
    return _draft(request, session, given=given)


def _draft(
    request: Request, session: Session, *, given: Mapping[str, str] | None = None, problem: Problem | None = None
) -> HTMLResponse:  # fmt: skip
    found = policies.draft(session)
    told = queries.read_draft(session, found.cells, clock.today())
    given = given or dict.fromkeys(("category", "severity", "code", "since"), "")
    courses: list[Course] = []
    try:
        if given["category"]:
            courses = _courses(session, told, given, HELD_BY)
    except Problem as wrong:
        problem = wrong
    before = map(rules.plain, policies.in_force(session))
    values = {
        "draft": found, "checked": told, "rungs": rungs, "limit": limit, "given": given, "courses": courses,
        "lost": lost(courses), "categories": matters.in_force(session), "now": clock.local(clock.now()),
        "shown": [_shown(session, n, each, told) for n, each in enumerate(found.cells)],
        "changes": [] if told.faults else rules.differences(before, told.read.policies),
        "problem": i18n.say(problem) if problem else "",
    }  # fmt: skip
    return render(request, "policy_draft.html", values, status_of(problem) if problem else HTTPStatus.OK)


def _shown(session: Session, number: int, cells: Cells, told: DraftRead) -> dict[str, Any]:
    """Return a policy of the draft as it is listed: its cells, and how many of them are wrong."""
    return {"cells": cells, "faults": sum(place[0] == number for place in told.faults)}


def _courses(session: Session, told: DraftRead, given: Mapping[str, str], holder: str) -> list[Course]:
    at = instant(given["since"]) if given["since"] else clock.now()
    category = matters.by_code(session, given["category"], clock.local(at).date())
    known_unit(session, given["code"])
    severity = int(given["severity"]) if given["severity"] in ("1", "2", "3") else category.severity
    among = [Policy(**each) for each in told.read.policies]
    return queries.courses(session, category, severity, given["code"], at, among, holder)


# ---- one policy ------------------------------------------------------------------------------------


@router.get("/policies/draft/{number}", response_class=HTMLResponse)
def edit(request: Request, session: Transaction, actor: Admin, number: Number) -> HTMLResponse:
    """Show the form of one policy; the number behind the last is a new one."""
    found = policies.draft(session)
    if number < len(found.cells):
        cells = found.cells[number]
    else:
        number, cells = len(found.cells), dict.fromkeys(rules.HEAD, "") | {"stage": "handle", "rungs": [{}]}
    return _form(request, session, actor, number, cells, found, {"version": str(found.version)})


@router.post("/policies/draft/{number}", response_class=HTMLResponse)
def change(request: Request, session: Transaction, actor: Admin, number: Number, given: Given) -> Response:
    """Say how the policy would do as it is typed, give or take a rung, or save it into the draft."""
    found, cells, op = policies.draft(session), _typed(given), given.get("op", "")
    number = min(number, len(found.cells))
    if op != "save":
        return _form(request, session, actor, number, _without(cells, op), found, given)
    try:
        version = int(given["version"]) if given.get("version", "").isdecimal() else 0
        service.save_draft(
            session, actor, [*found.cells[:number], cells, *found.cells[number + 1 :]], version
        )
    except Problem as problem:
        return _form(request, session, actor, number, cells, found, given, problem)
    return RedirectResponse(f"/policies/draft#policy-{number}", 303)


def _typed(given: Mapping[str, str]) -> Cells:
    """Return the policy a form gives: `share` of its third rung is named r2-share."""
    found: list[dict[str, str]] = []
    for n in range(rules.MOST_RUNGS + 1):
        if f"r{n}-share" in given:
            rung = {name: given.get(f"r{n}-{name}", "").strip() for name in rules.RUNG}
            rung["share"] = _percent(rung["share"])
            for name in LENGTHS:
                rung[name] = _length(rung[name], given.get(f"r{n}-{name}_unit", ""))
            found.append(rung)
    (cells,) = rules.clean_cells([{name: given.get(name, "") for name in rules.HEAD} | {"rungs": found}])
    return cells


def _percent(value: str) -> str:
    return f"{value}%" if value and not value.endswith(("%", "％")) else value


def _length(amount: str, unit: str) -> str:
    return "" if not amount else f"{amount}%" if unit == SHARE else f"{amount} {unit}".strip()


def _without(cells: Cells, op: str) -> Cells:
    """Return the policy with a rung added, dropped or moved, as a button says."""
    verb, _, place = op.partition(":")
    steps, n = (
        list(cells["rungs"]),
        int(place) if place.isdecimal() and len(place) < 4 else len(cells["rungs"]),
    )
    if verb == "add" and len(steps) < rules.MOST_RUNGS:
        steps.append(dict.fromkeys(rules.RUNG, ""))
    elif verb == "drop":
        del steps[n : n + 1]
    elif verb in ("up", "down") and n < len(steps):
        steps.insert(max(n + (-1 if verb == "up" else 1), 0), steps.pop(n))
    return cells | {"rungs": steps}


def _form(
    request: Request, session: Session, actor: Actor, number: int, cells: Cells, found: Draft,
    given: Mapping[str, str], problem: Problem | None = None,
) -> HTMLResponse:  # fmt: skip
    told = queries.read_draft(
        session, [*found.cells[:number], cells, *found.cells[number + 1 :]], clock.today()
    )
    areas = hierarchy.areas(session, actor)
    tried = _tried(session, cells, given, areas)
    courses, wrong = [], ""
    try:
        if tried["category"]:
            every = _courses(session, told, tried, cells["holder"] or HELD_BY)
            courses = [each for each in every if _stage(each.key) == cells["stage"]]
    except Problem as unknown:
        wrong = i18n.say(unknown)
    values = {
        "number": number, "cells": cells | {"rungs": [_parts(each) for each in cells["rungs"]]},
        "version": given.get("version", "0"), "tried": tried, "courses": courses, "lost": lost(courses),
        "wrong": wrong, "areas": areas, "limit": limit, "categories": matters.in_force(session),
        "faults": {place[1:]: fault for place, fault in told.faults.items() if place[0] == number},
        "head": rules.HEAD, "columns": rules.RUNG, "most": rules.MOST_RUNGS, "fresh": number == len(found.cells),
        "problem": i18n.say(problem) if problem else "", "oob": False,
    }  # fmt: skip
    template, status = "policy_edit.html", status_of(problem) if problem else HTTPStatus.OK
    if is_fragment(request):
        template = "fragments/policy_form.html" if given.get("op") else "fragments/policy_look.html"
        values["oob"] = not given.get("op")
    return render(request, template, values, status)


def _stage(key: str) -> str:
    return key if key in rules.STAGES else "further"


def _parts(rung: Mapping[str, str]) -> dict[str, str]:
    """Return the cells of a rung as its form has them: shares in per cent, a length and its unit apart."""
    cells = dict.fromkeys(rules.RUNG, "") | dict(rung)
    for name in LENGTHS:
        amount, _, unit = cells[name].partition(" ")
        cells[name], cells[f"{name}_unit"] = (amount[:-1], SHARE) if amount.endswith("%") else (amount, unit)
    return cells | {"share": cells["share"].removesuffix("%")}


def _tried(
    session: Session, cells: Cells, given: Mapping[str, str], areas: list[tuple[str, str]]
) -> dict[str, str]:  # fmt: skip
    """Return for which case the course is shown: as was asked, else the first that the policy is for."""
    tried = {name: given.get(f"try_{name}", "").strip() for name in TRY}
    fitting = [each.code for each in matters.in_force(session) if each.code.startswith(cells["category"])]
    if not tried["category"].startswith(cells["category"]) or not tried["category"]:
        tried["category"] = next(iter(fitting), "")
    if "try_code" not in given:
        tried["code"] = next((code for code, _ in areas), "")
    tried["since"] = tried["since"] or clock.local(clock.now()).strftime("%Y-%m-%dT%H:%M")
    return tried | {"severity": cells["severity"]}


# ---- the whole draft -------------------------------------------------------------------------------


@router.post("/policies/draft", response_class=HTMLResponse)
def act(
    request: Request, session: Transaction, actor: Admin, op: Annotated[text(20), Form()], version: Version,
    title: Annotated[text(100), Form()] = "", effective: Annotated[text(10), Form()] = "",
) -> Response:  # fmt: skip
    """Remove, copy or move a policy, discard the draft, or publish it."""
    try:
        if op == "publish":
            day = instant(effective).date() if effective else clock.today()
            told = queries.read_draft(session, policies.draft(session).cells, day)
            service.publish_draft(session, title.strip() or i18n.day(day), day, version, told)
            return RedirectResponse(f"/policies?at={day}", 303)
        if op == "discard":
            service.discard_draft(session, version)
        else:
            service.save_draft(session, actor, _rearranged(policies.draft(session).cells, op), version)
    except Problem as problem:
        return _draft(request, session, problem=problem)
    return RedirectResponse("/policies/draft", 303)


def _rearranged(cells: list[Cells], op: str) -> list[Cells]:
    verb, _, place = op.partition(":")
    found = list(cells)
    if not place.isdecimal() or len(place) > 4 or int(place) >= len(found):
        return found
    n = int(place)
    if verb == "remove":
        del found[n]
    elif verb == "copy":
        found.insert(n + 1, found[n])
    elif verb in ("up", "down"):
        found.insert(max(n + (-1 if verb == "up" else 1), 0), found.pop(n))
    return found
