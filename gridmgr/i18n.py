"""The interface's languages: Chinese first, English one click away.

Messages are written in English in code and templates; `locale/zh/messages.po` holds the Chinese.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.dates import format_date, format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent
from babel.support import NullTranslations, Translations

from gis.errors import Problem
from gridmgr import clock

LANGUAGES = {"zh": "中文", "en": "English"}
LOCALES = {"zh": "zh_CN", "en": "en_GB"}
CATALOGUES = Path(__file__).parent / "locale"

language: ContextVar[str] = ContextVar("language", default="zh")


@contextmanager
def speaking(of: str) -> Iterator[None]:
    """Speak this language inside the block: a mail is written in its reader's."""
    token = language.set(of)
    try:
        yield
    finally:
        language.reset(token)


@cache
def catalogue(of: str) -> NullTranslations:
    """Return a language's translations, read from its .po file once; English needs none."""
    path = CATALOGUES / of / "messages.po"
    if not path.exists():
        return NullTranslations()
    compiled = BytesIO()
    with path.open("rb") as source:
        write_mo(compiled, read_po(source, locale=LOCALES[of]))
    compiled.seek(0)
    return Translations(compiled)


def _(message: str, /, **values: object) -> str:
    """Return the message in the language of this request, its braces filled."""
    text = catalogue(language.get()).gettext(message)
    return text.format(**values) if values else text


# Details that hold words of ours; all others hold what people wrote, which is never translated.
WORDS = frozenset({
    "action", "addressee", "answer", "deed", "expected", "field", "kind", "level", "need", "process", "reason",
    "state", "status", "unit",
})  # fmt: skip


def say(problem: Problem) -> str:
    """Return what is wrong, in the language of this request."""
    return filled(problem.template, problem.details)


def filled(template: str, details: Mapping[str, object]) -> str:
    """Return a message filled with details; those of `WORDS`, and problems, are translated like itself."""
    values = {name: _told(name, value) for name, value in details.items()}
    return catalogue(language.get()).gettext(template).format(**values)


def _told(name: str, value: object) -> object:
    if isinstance(value, Problem):
        return say(value)
    if name == "roles":
        return _(", ").join(_(role) for role in str(value).split(", "))
    return _(value) if name in WORDS and isinstance(value, str) and value else value


def day(value: date | datetime | None) -> str:
    """Return a day as people of this language write it."""
    if isinstance(value, datetime):
        value = clock.local(value).date()
    return format_date(value, "medium", locale=LOCALES[language.get()]) if value else "—"


def month(value: date) -> str:
    """Return a month as people of this language call it, without the year."""
    return format_date(value, "LLLL", locale=LOCALES[language.get()])


def weekday(value: date) -> str:
    """Return a day of the week, as short as it can be."""
    return format_date(value, "cccccc", locale=LOCALES[language.get()])


def moment(value: datetime | None) -> str:
    """Return an instant on the district's wall clock, to the minute."""
    return (
        format_datetime(clock.local(value), "yyyy-MM-dd HH:mm", locale=LOCALES[language.get()])
        if value
        else "—"
    )


def number(value: float | None, digits: int = 0) -> str:
    """Return a number with the language's separators."""
    if value is None:
        return "—"
    return format_decimal(
        value, format="#,##0" + ("." + "0" * digits if digits else ""), locale=LOCALES[language.get()]
    )


def percent(value: float | None) -> str:
    """Return a share as a percentage with two digits, as rates are published."""
    return "—" if value is None else format_percent(value, format="0.00 %", locale=LOCALES[language.get()])
