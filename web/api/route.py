"""What every route of the API does beside its work: it answers a request once, and spares known answers."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute

from web import etags, once


class Route(APIRoute):
    """A route of the API.

    The handler runs inside the request's transaction, which FastAPI closes after it: what is written
    here is committed with the work or not at all.
    """

    def __init__(
        self, path: str, endpoint: Callable, *, methods: Any = None, dependencies: Any = None, **more
    ):
        if once.takes_key(endpoint, methods or {"GET"}):
            dependencies = [*(dependencies or ()), Depends(once.once)]
        super().__init__(path, endpoint, methods=methods, dependencies=dependencies, **more)

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:
        """Return the handler that does the work, inside the one that answers once."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            async with once.queue(request):
                try:
                    response = await handle(request)
                except once.Replay as replay:
                    return replay.response()
                if once.claimed(request):
                    await run_in_threadpool(once.keep, request, response)
            return etags.spared(request, response)

        return answer
