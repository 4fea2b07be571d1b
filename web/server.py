"""How the server speaks HTTP: what is no HTTP at all is answered as every other mistake is, and hung up on."""

import json

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from web.i18n import _

MEDIA = b"application/problem+json"


class Protocol(H11Protocol):
    """uvicorn's own HTTP/1.1, whose complaint about a malformed request is a problem like all others."""

    def shutdown(self) -> None:
        """Hang up when the server stops: an answer without an end now, any other one when it is finished."""
        if self.cycle and self.cycle.scope.get("state", {}).get("endless"):
            self.transport.close()
        else:
            super().shutdown()

    def send_400_response(self, msg: str) -> None:
        """Say that this is no HTTP, and close: what follows on the connection cannot be trusted."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True  # whoever still works on it is told that nobody listens
            self.cycle.message_event.set()
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):  # an answer is under way: only hang up
            self.transport.close()
            return
        title, detail = _("Bad Request"), _("This is no HTTP request; the connection is closed.")
        told = {"type": "about:blank#NoHttp", "title": title, "status": 400, "detail": detail}
        body = json.dumps(told, ensure_ascii=False).encode()
        headers = [
            (b"content-type", MEDIA), (b"content-length", str(len(body)).encode()), (b"connection", b"close"),
            (b"x-content-type-options", b"nosniff"),
        ]  # fmt: skip
        answer = h11.Response(status_code=400, headers=headers, reason=b"Bad Request")
        for event in (answer, h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event))
        self.transport.close()
