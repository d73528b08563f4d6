"""Threads of a CPU that compute side by side, each by itself.

torch would share each operation among all of them, and have them wait for each other after it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache

import torch


@cache
def thread_pool(threads: int, each: int = 1) -> ThreadPoolExecutor:
    """Threads, kept for the next call; torch shares each operation of one among `each` of them."""
    return ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(each,))
