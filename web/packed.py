"""Large answers in JSON, packed for callers who can unpack them."""

import gzip
import json
from collections.abc import Mapping
from typing import Any

from fastapi import Request, Response

LEAST = 2000  # bytes; packing less saves nothing
LEVEL = 5  # of nine: beyond it, it takes longer and saves little


def packed(request: Request, value: Mapping[str, Any]) -> Response:
    """Return an answer in JSON, by gzip if it is large and the caller takes that."""
    body = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    headers = {"Vary": "Accept-Encoding"}
    if len(body) > LEAST and "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, LEVEL, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(body, media_type="application/json", headers=headers)
