"""Parts of files: what a Range asks for (RFC 9110 §14), of content that is known by a strong ETag."""

import re
from typing import Annotated

from fastapi import Header, Request

from gridmgr.errors import BadInput

_RANGE = re.compile(r"bytes=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.IGNORECASE)
Range = Annotated[
    str | None,
    Header(alias="Range", description="One part of the bytes; several at once are answered whole."),
]


class OutOfRange(BadInput):
    """The file has {size} bytes; the part asked for lies behind its end."""


def asked(request: Request, size: int, tag: str) -> tuple[int, int] | None:
    """Return the part asked for, as (start, end) with the end not in it; None for the whole.

    What is no range of bytes is answered whole, as is one of another version (`If-Range`).

    Raises
    ------
    OutOfRange
    """
    found = _RANGE.fullmatch(request.headers.get("range", ""))
    if not found or found.groups() == ("", "") or request.headers.get("if-range", tag) != tag:
        return None
    first, last = found.groups()
    if not first:  # the last so many bytes
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
    if start >= size:
        raise OutOfRange(size=size)
    return start, end
