"""What tokens say, alone and in a row, by a tokenizer's own decoder."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tokenizers import Tokenizer

BROKEN = "\ufffd"
"""What decoders put for bytes that are no character."""

LONGEST = 8
"""Tokens of one character at most: four bytes, and some that are cut off."""

BYTE = re.compile(r"<0x([0-9A-F]{2})>")
"""How vocabularies of SentencePiece name a byte."""


class Pieces:
    """What tokens say.

    A token may be part of a character: then the last one of that character says all of it, and
    those before it nothing. Bytes that are part of no character are written as `\\xe2`.

    Parameters
    ----------
    tokenizer : of the model.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        # A decoder may drop what a text begins with, such as a space.
        self._before: list[int] = tokenizer.encode("a", add_special_tokens=False).ids[-1:]
        self._beginning = tokenizer.decode(self._before, skip_special_tokens=False)
        self._bytes = _bytes_of_letters() if _is_of_bytes(tokenizer) else {}
        self._alone: dict[int, str] = {}

    def label(self, token: int) -> str:
        """What one token says, which is never nothing."""
        said = self._said(token)
        return self._name(token) if BROKEN in said or not said else said

    def row(self, tokens: Sequence[int]) -> list[str]:
        """What each of some tokens that follow each other says."""
        said = [""] * len(tokens)
        at = 0
        while at < len(tokens):
            text, end = self._said(tokens[at]), at + 1
            while BROKEN in text and end < min(at + LONGEST, len(tokens)):
                end += 1
                text = self._decoded(tokens[at:end])
            if BROKEN in text or not text:
                text, end = self._name(tokens[at]), at + 1
            said[end - 1] = text
            at = end
        return said

    def _said(self, token: int) -> str:
        if token not in self._alone:
            self._alone[token] = self._decoded([token])
        return self._alone[token]

    def _decoded(self, tokens: Sequence[int]) -> str:
        text: str = self._tokenizer.decode([*self._before, *tokens], skip_special_tokens=False)
        if text.startswith(self._beginning):
            return text[len(self._beginning) :]
        alone: str = self._tokenizer.decode([*tokens], skip_special_tokens=False)
        return alone

    def _name(self, token: int) -> str:
        """A token that is no text: its bytes, its name, or else its number."""
        name: str | None = self._tokenizer.id_to_token(token)
        if name is None:
            return f"[{token}]"
        if byte := BYTE.fullmatch(name):
            return f"\\x{byte[1].lower()}"
        if self._bytes and all(letter in self._bytes for letter in name):
            return bytes(map(self._bytes.__getitem__, name)).decode("utf-8", "backslashreplace")
        return name.replace(BROKEN, r"\ufffd") or f"[{token}]"


def _is_of_bytes(tokenizer: Tokenizer) -> bool:
    return tokenizer.decoder is not None and b"ByteLevel" in tokenizer.decoder.__getstate__()


def _bytes_of_letters() -> dict[str, int]:
    """The byte that each letter stands for in vocabularies of bytes, as GPT-2's and since."""
    printed = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1)]
    printed += range(ord("®"), ord("ÿ") + 1)
    others = [byte for byte in range(256) if byte not in printed]
    letters = {chr(byte): byte for byte in printed}
    return letters | {chr(256 + at): byte for at, byte in enumerate(others)}
