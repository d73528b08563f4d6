"""A page of one file: data, style and script in it, and a policy that allows no others."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

POLICY = (
    "default-src 'none'; script-src {script}; style-src {style}; base-uri 'none'; "
    "form-action 'none'"
)
"""Content-Security-Policy of the page: it may run its own script, and load nothing."""

MARKS = ("@POLICY@", "@STYLE@", "@DATA@", "@SCRIPT@")
"""What stands in a template for the parts of a page."""


def packed(numbers: ArrayLike, kind: str) -> str:
    """Numbers as base64, as a script reads them: little-endian, without a header.

    Parameters
    ----------
    kind : numpy's name of a type, such as "f4".

    >>> packed([1.0, -2.0], "f2")
    'ADwAwA=='
    """
    return base64.b64encode(np.asarray(numbers).astype(f"<{kind}").tobytes()).decode("ascii")


def in_script(data: Any) -> str:
    """JSON that a `<script>` can hold: without a sign that could end it or begin another one.

    >>> in_script({"text": "</script>"})
    '{"text":"\\\\u003c/script>"}'
    """
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def hash_of(text: str) -> str:
    """What a Content-Security-Policy calls a script or a style of this text."""
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def make_page(template: str, style: str, script: str, data: Any) -> str:
    """Put a page together.

    Parameters
    ----------
    template : HTML in which each of `MARKS` stands once.
    style : CSS.
    script : JavaScript.
    data : what the script reads, made JSON.

    Raises
    ------
    ValueError
        If a mark is missing, or what would end the style or the script stands in them.
    """
    if any(template.count(mark) != 1 for mark in MARKS) or "</" in style or "</script" in script:
        raise ValueError(f"the template needs each of {', '.join(MARKS)} once, and no end tags")
    policy = POLICY.format(script=hash_of(script), style=hash_of(style))
    parts = dict(zip(MARKS, (policy, style, in_script(data), script), strict=True))
    return re.sub("|".join(MARKS), lambda mark: parts[mark[0]], template)
