"""The method `beams`: beam search."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from ...models.loading import Running
from ...running.command import run
from ...semstat.decoding.beams import search_beams
from ...semstat.models.replay import Reader
from ..continuing import Into, Prompts, Writer, continue_by


def beams(
    *,
    running: Running,
    prompts: Prompts,
    into: Into,
    beams: tuple[int, ...] = (4,),
) -> None:
    """Let a model continue prompts by beam search, as transformers has it.

    Parameters
    ----------
    beams : texts that are kept in mind at a time.
    """

    def search(_uniform_xt: Tensor, beams: int) -> Writer:
        def write(
            reader: Reader, prompt_xt: Tensor, steps: int, advance: Callable[[int], object]
        ) -> Tensor:
            found_xt = search_beams(reader.layered, prompt_xt, steps, beams)
            advance(found_xt.numel())
            return found_xt

        return write

    copies = 2 * max(beams)  # they are put in order anew at each token
    continue_by(running, prompts, into, "beams", search, {"beams": beams}, copies=copies)


if __name__ == "__main__":
    run(beams)
