"""Work that another thread does while this one goes on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")


@contextmanager
def in_background(
    work: Callable[[Item], object], waiting: int = 2
) -> Iterator[Callable[[Item], None]]:
    """A function that has `work` done on an item by one thread, item after item, in order.

    It waits only while `waiting` items are undone, so that memory stays bounded. All are done when
    the body ends; if the body raises, the one in work is, and no other.

    Raises
    ------
    What `work` raises, from one of the next `waiting` calls or at the end of the body; nothing is
    done after that.
    """
    undone: deque[Future[object]] = deque()
    failed = False

    def attempt(item: Item) -> None:
        nonlocal failed
        if failed:
            return
        try:
            work(item)
        except BaseException:
            failed = True
            raise

    with ThreadPoolExecutor(1) as thread:

        def put(item: Item) -> None:
            if len(undone) >= waiting:
                undone.popleft().result()
            undone.append(thread.submit(attempt, item))

        try:
            yield put
            while undone:
                undone.popleft().result()
        finally:
            thread.shutdown(cancel_futures=True)
