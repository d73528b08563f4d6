"""Threads of a CPU that compute side by side, each by itself.

torch would share each operation among all of them, and have them wait for each other after it.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

import torch
from torch import Tensor

Result = TypeVar("Result")


@cache
def thread_pool(threads: int, each: int = 1) -> ThreadPoolExecutor:
    """Threads, kept for the next call; torch shares each operation of one among `each` of them."""
    return ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(each,))


def side_by_side(function: Callable[..., Result], *tensors: Tensor, dim: int = 0) -> list[Result]:
    """The function of shares of some tensors; on a CPU threads take one each.

    Parameters
    ----------
    tensors : of one length along `dim`, by which they are shared out.

    Returns
    -------
    what each share came to, in order; on a GPU there is one.
    """
    threads = 1 if tensors[0].is_cuda else torch.get_num_threads()
    shares = min(threads, tensors[0].shape[dim])
    if shares == 1:
        return [function(*tensors)]
    pool = thread_pool(shares, threads // shares)
    return list(pool.map(function, *(tensor.tensor_split(shares, dim) for tensor in tensors)))
