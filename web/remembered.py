"""A bounded memory inside one process: what was used longest ago goes first, and so does what is too old."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")


class Remembered(Generic[T]):
    """Values by key, of a bounded total weight; safe to use from many threads."""

    def __init__(
        self, limit: int, weight: Callable[[T], int] = lambda value: 1, seconds: float = float("inf")
    ):
        self._limit, self._weight, self._seconds = limit, weight, seconds
        self._held: OrderedDict[Hashable, tuple[float, T]] = OrderedDict()
        self._total, self._lock = 0, Lock()

    def get(self, key: Hashable) -> T | None:
        """Return the value of a key, or None if it is not held, or no longer."""
        with self._lock:
            since, value = self._held.get(key, (0.0, None))
            if value is None:
                return None
            if monotonic() - since > self._seconds:
                self._drop(key)
                return None
            self._held.move_to_end(key)
            return value

    def put(self, key: Hashable, value: T) -> None:
        """Hold a value; others go until all fit."""
        with self._lock:
            if key in self._held:
                self._drop(key)
            self._held[key] = (monotonic(), value)
            self._total += self._weight(value)
            while self._total > self._limit:
                self._drop(next(iter(self._held)))

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._held.clear()
            self._total = 0

    def _drop(self, key: Hashable) -> None:
        self._total -= self._weight(self._held.pop(key)[1])
