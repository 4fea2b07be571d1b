"""What a consultation comes to, who answers for whom, forms and kinds. No session, no time of day."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import takewhile
from typing import Any, Protocol

from gridmgr.account.model import Role
from gridmgr.account.rules import Actor, Grant, can
from gridmgr.clock import TimeUnit
from gridmgr.consultation.model import (
    LONGEST,
    LONGEST_WHAT,
    Consultation,
    ConsultationKind,
    Deed,
    FieldMissing,
    FieldUnknown,
    FieldUnreadable,
    FieldWrong,
    KindNamedTwice,
    NotTheAsker,
    OwnSubject,
    ReasonNeeded,
    Said,
    SaidAtLength,
    Silence,
    Sphere,
    Standing,
    VetoUnasked,
    Who,
)
from gridmgr.errors import Problem
from gridmgr.sheet import Column, Row, SheetError, day, number, one_of, text
from gridmgr.words import N_

DEEDS = {Said.AGREE: Deed.AGREE, Said.OBJECT: Deed.OBJECT, Said.VETO: Deed.VETO}
OVERSEERS = frozenset({Role.COMMAND_CENTRE, Role.ADMIN})  # they see what is closed, and may withdraw it
ANSWERERS: dict[Who, frozenset[Role]] = {
    Who.STREET: frozenset({Role.STREET_LEADER}),
    Who.COMMUNITY: frozenset({Role.COMMUNITY_CLERK}),
    Who.RESIDENTS: frozenset({Role.COMMUNITY_CLERK}),
    Who.BODY: frozenset({Role.DEPARTMENT_HANDLER, Role.COMMAND_CENTRE}),
}
OWN = {"plan": "/plans/{}"}  # subjects whose own noun asks about them, and their pages
PAGES = OWN | {"consultation": "/consultations/{}", "incident": "/incidents/{}"}
BOUNDARY = ConsultationKind(
    code="boundary", sphere=Sphere.BOUNDARY, name_zh="网格方案", name_en="Boundary plan",
    asks=[Who.STREET, Who.COMMUNITY], vetoes=[Who.STREET, Who.COMMUNITY], amount=5.0, unit=TimeUnit.WORKING_DAYS,
    remind=0.6, silence=Silence.LAPSE, closed=False, form=[], active=True,
)  # fmt: skip
"""The kind the product itself stands on, as it is until a table of kinds says otherwise."""


class Voice(Protocol):
    """What the outcome looks at of somebody who was asked."""

    said: str | None


def outcome(voices: Iterable[Voice], silence: str, late: bool) -> Standing | None:
    """Return what a consultation comes to; None as long as somebody is awaited.

    Rule: field.md C6, 一票否决: one veto stops it, whatever the others say.

    >>> from types import SimpleNamespace as voice
    >>> outcome([voice(said="agree"), voice(said="veto"), voice(said=None)], "wait", late=False)
    <Standing.STOPPED: 'stopped'>
    """
    said = [each.said for each in voices]
    if Said.VETO in said:
        return Standing.STOPPED
    if None in said and (not late or silence == Silence.WAIT):
        return None
    if None in said and silence == Silence.LAPSE:
        return Standing.LAPSED
    return Standing.HEARD if Said.OBJECT in said else Standing.AGREED


def sits(grant: Grant, who: str, code: str) -> bool:
    """Tell whether a grant makes somebody the voice of a unit that is asked."""
    return grant.role in ANSWERERS[Who(who)] and code.startswith(grant.code)


def speaks(actor: Actor, who: str, code: str, name: str) -> bool:
    """Tell whether somebody may answer for a party; the administrator may for all, under their own name."""
    if Role.ADMIN in {grant.role for grant in actor.grants if code.startswith(grant.code)}:
        return True
    if who == Who.BODY:
        roles = {grant.role for grant in actor.grants}
        return name in actor.bodies and bool(roles & ANSWERERS[Who.BODY])
    return any(sits(grant, who, code) for grant in actor.grants)


def goes_on(actor: Actor, found: Consultation) -> Problem | None:
    """Return why somebody may not withdraw a consultation or reply in it; None if it is allowed."""
    if (reason := can(actor, "consultation.ask", found.code).reason) is not None:
        return reason
    roles = {grant.role for grant in actor.grants if found.code.startswith(grant.code)}
    mine = actor.id is not None and actor.id == found.asker_id
    if mine or roles & OVERSEERS or (found.body and found.body in actor.bodies):
        return None
    return NotTheAsker(name=found.body or found.asker_name)


def beginning(codes: Collection[str]) -> str:
    """Return what codes begin with in common.

    >>> beginning(["510106001001", "510106001002"]), beginning([])
    ('51010600100', '')
    """
    pairs = zip(min(codes, default=""), max(codes, default=""), strict=False)
    return "".join(first for first, _last in takewhile(lambda pair: pair[0] == pair[1], pairs))


def page_of(subject_ref: str) -> str | None:
    """Return the page of a subject; None if it has none here.

    >>> page_of("plan:12"), page_of("river:9"), page_of("")
    ('/plans/12', None, None)
    """
    kind, _, name = subject_ref.partition(":")
    return PAGES[kind].format(name) if kind in PAGES and re.fullmatch(r"[\w-]+", name, re.ASCII) else None


def check_subject(subject_ref: str) -> str:
    """Return what somebody asks about by hand; subjects that another noun keeps are asked about there.

    Raises
    ------
    OwnSubject
    """
    subject_ref = subject_ref.strip()
    if subject_ref.partition(":")[0] in OWN:
        raise OwnSubject(subject=subject_ref)
    return subject_ref


def check_said(said: Said | Deed, note: str) -> str:
    """Return the reason as it is kept; whoever objects, stops, declines or withdraws gives one.

    Raises
    ------
    ReasonNeeded
    """
    note = note.strip()
    if len(note) > LONGEST or (said not in (Said.AGREE, Deed.ADOPT) and not note):
        raise ReasonNeeded(most=LONGEST)
    return note


# ---- forms: who fills in a field, its type, its name ----------------------------------------------------

PARTS = {
    "asker": "asker", "asked": "asked", "residents": "residents", "提出方": "asker", "答复方": "asked",
    "居民": "residents",
}  # fmt: skip
EXPECTED = {
    "text": N_("a line of text"), "number": N_("a number from 0"), "day": N_("a day such as 2026-02-15"),
    "choice": N_("one of the choices"), "yes": N_("yes or no"),
}  # fmt: skip
TYPES = {each: each for each in EXPECTED} | {
    "文本": "text", "数字": "number", "日期": "day", "选项": "choice", "是否": "yes",
}  # fmt: skip
_FIELD = re.compile(
    r"(\w+)\.([A-Za-z0-9_]{1,40})(!?):([^:(]+)(?:\(([^)]*)\))?:([^|:]{1,60})(?:\|([^|]{1,80}))?"
)
_TRUTHS = {"yes": True, "true": True, "on": True, "是": True, "no": False, "false": False, "否": False}


def field_of(told: str) -> dict[str, Any]:
    """Read one field of a form: asker.project!:text:项目名称|Project.

    Raises
    ------
    FieldUnreadable
    """
    match = _FIELD.fullmatch(told.strip())
    if not match or match[1] not in PARTS or match[4].strip() not in TYPES:
        raise FieldUnreadable(field=told.strip()[:60])
    kind, choices = TYPES[match[4].strip()], [each for each in (match[5] or "").split("/") if each]
    if (kind == "choice") != bool(choices):
        raise FieldUnreadable(field=told.strip()[:60])
    return {
        "of": PARTS[match[1]], "name": match[2], "type": kind, "required": bool(match[3]), "choices": choices,
        "zh": match[6].strip(), "en": (match[7] or match[6]).strip(),
    }  # fmt: skip


def form_of(cell: str) -> list[dict[str, Any]]:
    """Read the fields of a form, one behind the other.

    Raises
    ------
    FieldUnreadable
    """
    found = [field_of(part) for part in re.split(r"[;；\n]+", cell) if part.strip()]
    if len({(each["of"], each["name"]) for each in found}) < len(found):
        raise FieldUnreadable(field=cell[:60])
    return found


def form_told(form: Iterable[Mapping[str, Any]]) -> str:
    """Return a form as it is written in a table.

    >>> form_told(form_of("asker.start:day:开工日期|Start；居民.voters!:数字:人数"))
    'asker.start:day:开工日期|Start；residents.voters!:number:人数|人数'
    """
    return "；".join(
        f"{each['of']}.{each['name']}{'!' if each['required'] else ''}:{each['type']}"
        f"{_listed(each['choices'])}:{each['zh']}|{each['en']}"
        for each in form
    )  # fmt: skip


def _listed(choices: list[str]) -> str:
    return f"({'/'.join(choices)})" if choices else ""


def part_of(who: str) -> str:
    """Return which part of a form somebody who is asked fills in."""
    return "residents" if who == Who.RESIDENTS else "asked"


def fields(form: Iterable[Mapping[str, Any]], part: str) -> list[Mapping[str, Any]]:
    """Return the fields that one part fills in."""
    return [each for each in form if each["of"] == part]


def told(
    form: Iterable[Mapping[str, Any]], part: str, values: Mapping[str, Any], language: str
) -> list[tuple]:
    """Return what was filled into a part, as (field's name in that language, value)."""
    return [(each[language], values[each["name"]]) for each in fields(form, part) if each["name"] in values]


def filled(form: Iterable[Mapping[str, Any]], part: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was filled into one part of a form, every value as its field wants it.

    Raises
    ------
    FieldMissing, FieldWrong, FieldUnknown
    """
    known = {each["name"]: each for each in fields(form, part)}
    for name in given:
        if name not in known:
            raise FieldUnknown(label=str(name)[:40])
    found = {}
    for name, each in known.items():
        value = given.get(name)
        if value is None or str(value).strip() == "":
            if each["required"]:
                raise FieldMissing(label=each["zh"])
            continue
        found[name] = _fitting(each, value)
    return found


def _fitting(field: Mapping[str, Any], value: Any) -> Any:
    told = str(value).strip()
    try:
        return _READ[field["type"]](field, told)
    except (ValueError, KeyError, Problem):
        expected = EXPECTED[field["type"]]
        raise FieldWrong(label=field["zh"], value=told[:40], expected=expected) from None


def _line(_field: Mapping[str, Any], told: str) -> str:
    if len(told) > LONGEST or "\0" in told:
        raise ValueError
    return told


def _number(_field: Mapping[str, Any], told: str) -> float | int:
    value = number(0, 1e9)(told)
    return int(value) if value == int(value) else value


def _chosen(field: Mapping[str, Any], told: str) -> str:
    if told not in field["choices"]:
        raise ValueError
    return told


_READ = {
    "text": _line,
    "choice": _chosen,
    "number": _number,
    "day": lambda _field, told: day(told).isoformat(),
    "yes": lambda _field, told: _TRUTHS[told.casefold()],
}


def check_length(told: str, most: int = LONGEST_WHAT) -> str:
    """Return a text as it is kept.

    Raises
    ------
    SaidAtLength
    """
    told = told.strip().replace("\r\n", "\n")
    if len(told) > most:
        raise SaidAtLength(most=most)
    return told


# ---- a table of kinds -------------------------------------------------------------------------------------

_SPHERES = {each.value: each for each in Sphere} | {
    "规划编制": Sphere.PLAN, "项目验收": Sphere.ACCEPTANCE, "重大决策": Sphere.DECISION,
    "任免": Sphere.APPOINTMENT, "网格方案": Sphere.BOUNDARY,
}  # fmt: skip
_WHO = {each.value: each for each in Who} | {
    "街道": Who.STREET, "社区": Who.COMMUNITY, "居民": Who.RESIDENTS, "部门": Who.BODY,
}  # fmt: skip
_SILENCES = {each.value: each for each in Silence} | {
    "视为同意": Silence.AGREE, "继续等待": Silence.WAIT, "重新征求": Silence.LAPSE,
}  # fmt: skip
_UNITS = {each.value: each for each in TimeUnit} | {
    "工作时": TimeUnit.WORKING_HOURS, "工作日": TimeUnit.WORKING_DAYS, "小时": TimeUnit.HOURS,
}  # fmt: skip
_YES_NO = {"yes": True, "no": False, "是": True, "否": False}


def _parties(cell: str) -> list[Who]:
    read = one_of(_WHO)
    return list(dict.fromkeys(read(part) for part in re.split(r"[;；,，、\s]+", cell) if part))


KINDS = {
    "code": Column(("编码", "code"), text(40)),
    "sphere": Column(("领域", "sphere"), one_of(_SPHERES)),
    "name_zh": Column(("名称", "name_zh"), text(100)),
    "name_en": Column(("英文名称", "name_en"), text(100), default=""),
    "asks": Column(("征求对象", "asks"), _parties),
    "vetoes": Column(("可否决", "vetoes"), _parties, default=[]),
    "amount": Column(("答复时限", "amount"), number(0.25, 1000), default=5.0),
    "unit": Column(("时限单位", "unit"), one_of(_UNITS), default=TimeUnit.WORKING_DAYS),
    "remind": Column(("催办比例", "remind"), number(0.1, 1), default=0.6),
    "silence": Column(("逾期未答复", "silence"), one_of(_SILENCES), default=Silence.WAIT),
    "closed": Column(("仅相关方可见", "closed"), one_of(_YES_NO), default=False),
    "form": Column(("表单", "form"), form_of, default=[]),
}
"""The columns of a table of kinds of consultations."""
TERMS = (*(name for name in KINDS if name != "code"), "active")


def faults(rows: Iterable[Row]) -> Iterator[SheetError]:
    """Yield what only other cells show to be wrong."""
    seen: set[str] = set()
    for row in rows:
        if row["code"] in seen:
            yield row.error("code", KindNamedTwice())
        seen.add(row["code"])
        for who in row["vetoes"]:
            if who not in row["asks"]:
                yield row.error("vetoes", VetoUnasked(who=who.value))


def cell(kind: ConsultationKind, name: str) -> Any:
    """Return a term of a kind as it is written in a table."""
    value = getattr(kind, name)
    if name == "form":
        return form_told(value)
    if isinstance(value, list):
        return "；".join(value)
    return {True: "是", False: "否"}[value] if isinstance(value, bool) else value


def same_terms(one: ConsultationKind, other: ConsultationKind) -> bool:
    """Tell whether two kinds are asked about in the same way."""
    return all(getattr(one, name) == getattr(other, name) for name in TERMS)
