"""Papers: a template becomes a page in the language of its reader, and that page a PDF with its fonts in it.

What comes from data is always escaped. Nothing is ever fetched: a paper has the pictures it is given, named
as `picture:NAME`, and one that asks for anything else is not made.
"""

import logging
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import ImageFile

from gridmgr import i18n, words
from gridmgr.errors import Problem

if TYPE_CHECKING:
    from weasyprint.urls import URLFetcherResponse

NOUNS = Path(__file__).parent
STYLE = NOUNS.parent / "web" / "static" / "paper.css"
SCHEME = "picture:"

Pictures = Mapping[str, tuple[str, bytes]]
"""By name: the media type and the content."""


class Fetched(Problem):
    """The paper asks for {url}, which it was not given."""


@lru_cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(NOUNS), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    made.filters.update(
        day=i18n.day, moment=i18n.moment, number=i18n.number, percent=i18n.percent,
        word=lambda code, table: words.word(table, code),
    )  # fmt: skip
    made.globals.update(_=i18n._)
    return made


def page(template: str, values: Mapping[str, Any]) -> str:
    """Return a template below this folder, filled, in the language that is spoken."""
    return _environment().get_template(template).render(**values, language=i18n.language.get())


def pdf(markup: str, pictures: Pictures) -> bytes:
    """Return a page as a PDF: its fonts embedded, its pictures those it was given.

    Raises
    ------
    Fetched
        It asks for something else.
    """
    from weasyprint import HTML
    from weasyprint.urls import FatalURLFetchingError, URLFetcherResponse

    # WeasyPrint allows pictures that are cut off, for the whole process; uploads must be whole.
    ImageFile.LOAD_TRUNCATED_IMAGES = False

    for chatty in ("weasyprint.progress", "fontTools"):
        logging.getLogger(chatty).setLevel(logging.WARNING)

    def given(url: str) -> "URLFetcherResponse":
        media, content = (
            pictures.get(url.removeprefix(SCHEME), ("", b"")) if url.startswith(SCHEME) else ("", b"")
        )
        if not media:
            raise FatalURLFetchingError(url)
        return URLFetcherResponse(url, content, {"Content-Type": media})

    try:
        return HTML(string=markup, url_fetcher=given, base_url=None).write_pdf()
    except FatalURLFetchingError as asked:
        raise Fetched(url=str(asked)[:200]) from None
