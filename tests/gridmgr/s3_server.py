"""A small S3 server for tests: objects in memory, over real HTTP, every signature (SigV4) checked."""

import hashlib
import hmac
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from xml.sax.saxutils import escape

KEY, SECRET, REGION, BUCKET = "gridmgr", "a secret nobody may read", "cn-test-1", "evidence"
SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<scope>[^,]+), ?"
    r"SignedHeaders=(?P<headers>[^,]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)
PAGE = 3  # objects of one listing: a client must ask again


class Bucket(ThreadingHTTPServer):
    """One bucket; it can be told to be full, or to hang."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Answering)
        self.objects: dict[str, tuple[bytes, datetime]] = {}
        self.refused: list[str] = []
        self.full = False
        self.going = threading.Event()
        self.going.set()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Bucket

    def log_message(self, *words: object) -> None:
        """Say nothing on standard error."""

    def do_PUT(self) -> None:
        body, key = self._admitted()
        if key is None:
            return
        if self.server.full:
            return self._answer(507, _error("InsufficientStorage"))
        self.server.objects[key] = (body, datetime.now(UTC))
        self._answer(200, headers={"ETag": _etag(body)})

    def do_GET(self) -> None:
        _, key = self._admitted()
        if key == "":
            return self._answer(200, self._listing())
        if key is not None:
            self._show(key)

    do_HEAD = do_GET

    def do_DELETE(self) -> None:
        _, key = self._admitted()
        if key is not None:
            self.server.objects.pop(key, None)
            self._answer(204)

    def _admitted(self) -> tuple[bytes, str | None]:
        """Read the request and check who sends it; without a key, it has been answered."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.going.wait()
        bucket, _, key = unquote(urlsplit(self.path).path)[1:].partition("/")
        if fault := self._fault(body):
            self.server.refused.append(fault)
            self._answer(403, _error(fault))
        elif bucket != BUCKET:
            self._answer(404, _error("NoSuchBucket"))
        else:
            return body, key
        return body, None

    def _fault(self, body: bytes) -> str | None:
        signed = SIGNED.fullmatch(self.headers.get("Authorization", ""))
        if not signed or signed["key"] != KEY:
            return "InvalidAccessKeyId"
        if self.headers["x-amz-content-sha256"] != hashlib.sha256(body).hexdigest():
            return "XAmzContentSHA256Mismatch"
        parts = urlsplit(self.path)
        query = sorted(parse_qsl(parts.query, keep_blank_values=True))
        names = signed["headers"].split(";")
        asked = "\n".join([
            self.command, parts.path, "&".join(f"{quote(k, '')}={quote(v, '')}" for k, v in query),
            *(f"{name}:{' '.join(self.headers[name].split())}" for name in names), "",
            signed["headers"], self.headers["x-amz-content-sha256"],
        ])  # fmt: skip
        digest = hashlib.sha256(asked.encode()).hexdigest()
        said = "\n".join(["AWS4-HMAC-SHA256", self.headers["x-amz-date"], signed["scope"], digest])
        key = f"AWS4{SECRET}".encode()
        for part in signed["scope"].split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        expected = hmac.digest(key, said.encode(), "sha256").hex()
        fits = signed["scope"].split("/")[1:] == [REGION, "s3", "aws4_request"]
        return (
            None if fits and hmac.compare_digest(expected, signed["signature"]) else "SignatureDoesNotMatch"
        )

    def _show(self, key: str) -> None:
        if key not in self.server.objects:
            return self._answer(404, _error("NoSuchKey"))
        body, at = self.server.objects[key]
        headers = {"ETag": _etag(body), "Last-Modified": format_datetime(at, usegmt=True)}
        if part := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            start, end = int(part[1]), min(int(part[2] or len(body)), len(body) - 1)
            headers["Content-Range"] = f"bytes {start}-{end}/{len(body)}"
            return self._answer(206, body[start : end + 1], headers)
        self._answer(200, body, headers)

    def _listing(self) -> bytes:
        asked = dict(parse_qsl(urlsplit(self.path).query))
        begin, after = asked.get("prefix", ""), asked.get("continuation-token", "")
        keys = sorted(key for key in self.server.objects if key.startswith(begin) and key > after)
        rows = "".join(_row(key, *self.server.objects[key]) for key in keys[:PAGE])
        rest = keys[PAGE:]
        more = f"<NextContinuationToken>{escape(keys[PAGE - 1])}</NextContinuationToken>" if rest else ""
        told = f"<IsTruncated>{'true' if rest else 'false'}</IsTruncated>"
        return f"<ListBucketResult>{rows}{told}{more}</ListBucketResult>".encode()

    def _answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _row(key: str, body: bytes, at: datetime) -> str:
    return (
        f"<Contents><Key>{escape(key)}</Key><LastModified>{at:%Y-%m-%dT%H:%M:%S.000Z}</LastModified>"
        f"<ETag>{escape(_etag(body))}</ETag><Size>{len(body)}</Size></Contents>"
    )


def _etag(body: bytes) -> str:
    return f'"{hashlib.md5(body).hexdigest()}"'


def _error(code: str) -> bytes:
    return f"<Error><Code>{code}</Code></Error>".encode()


@contextmanager
def bucket() -> Iterator[Bucket]:
    """Run a bucket until the block ends."""
    with Bucket() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.going.set()
        server.shutdown()
