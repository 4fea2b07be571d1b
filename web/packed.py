"""What goes over the wire packed, for callers who can unpack it.

Pages go as they are: they carry the form's secret beside words their address may choose, and the length of the
two packed together would give it away.
"""

import gzip
from collections.abc import Mapping

from fastapi import Request, Response
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES

MAGIC = b"\x1f\x8b"  # how packed content begins
LEAST = 1000  # bytes; packing less saves nothing
LEVEL = 5  # of nine: beyond it, it takes longer and saves little
AS_IT_IS = (
    *DEFAULT_EXCLUDED_CONTENT_TYPES,
    "text/html",
    "application/octet-stream",
    "application/pdf",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
)
"""Kinds of content that are packed already, or must not be."""


def packed(content: bytes) -> bytes:
    """Return content as it is kept for many callers."""
    return gzip.compress(content, LEVEL, mtime=0) if len(content) > LEAST else content


def answer(request: Request, kept: bytes, media_type: str, headers: Mapping[str, str]) -> Response:
    """Answer with content kept by `packed`: as it is kept, or plain to a caller who cannot unpack it."""
    if kept.startswith(MAGIC) and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(kept, headers={**headers, "Content-Encoding": "gzip"}, media_type=media_type)
    plain = gzip.decompress(kept) if kept.startswith(MAGIC) else kept
    return Response(plain, headers=dict(headers), media_type=media_type)
