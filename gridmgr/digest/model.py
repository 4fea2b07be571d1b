"""What a digest is of: a subject and a span of time."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from gridmgr.errors import BadInput, NotFound


class Subject(StrEnum):
    """Whose work is told of."""

    DISTRICT = "district"  # 全区
    STREET = "street"  # 街道
    COMMUNITY = "community"  # 社区
    MODULE = "module"  # 模块
    BODY = "body"  # 部门、站所、专班
    PERSON = "person"  # 岗位上的人


AREAS = (Subject.DISTRICT, Subject.STREET, Subject.COMMUNITY)


class Period(StrEnum):
    """How long it is told of."""

    WEEK = "week"  # 工作周报
    MONTH = "month"  # 工作月报


@dataclass(frozen=True, order=True)
class Span:
    """A week from Monday to Sunday, or a month, on the district's wall clock."""

    first: date
    last: date
    period: Period


@dataclass(frozen=True)
class Target:
    """A subject as it is found: its key, the area its records lie in, and what it is called."""

    subject: Subject
    key: str
    area: str
    name: str


class NoSuchSubject(NotFound):
    """There is nothing to report on by the name of {key}."""


class BadPeriod(BadInput):
    """The period {period} cannot be used; expected a day, such as 2026-09-07, of it."""
