"""An LRU cache with a budget in bytes: the least recently used entry is dropped first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class ByteCache(Generic[K, V]):
    """Values by key, at most `budget` bytes in all; a larger one is not stored. Thread-safe."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._entries: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._lock = threading.Lock()
        self.bytes = 0

    def get(self, key: K) -> V | None:
        """Return the value and mark it most recently used; None if it is not cached."""
        with self._lock:
            if key not in self._entries:
                return None
            self._entries.move_to_end(key)
            return self._entries[key][0]

    def put(self, key: K, value: V, size: int) -> None:
        """Store a value of `size` bytes and drop the oldest ones beyond the budget."""
        with self._lock:
            self._drop(key)
            if size > self._budget:
                return
            self._entries[key] = (value, size)
            self.bytes += size
            while self.bytes > self._budget:
                _, (_, freed) = self._entries.popitem(last=False)
                self.bytes -= freed

    def drop(self, key: K) -> None:
        """Remove a key, if it is cached."""
        with self._lock:
            self._drop(key)

    def drop_where(self, test: Callable[[K], bool]) -> None:
        """Remove every key for which `test` returns True."""
        with self._lock:
            for key in [key for key in self._entries if test(key)]:
                self._drop(key)

    @property
    def values(self) -> list[V]:
        """All cached values, the least recently used first."""
        with self._lock:
            return [value for value, _ in self._entries.values()]

    def __len__(self) -> int:
        return len(self._entries)

    def _drop(self, key: K) -> None:
        if key in self._entries:
            self.bytes -= self._entries.pop(key)[1]
