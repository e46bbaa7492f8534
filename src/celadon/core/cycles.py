"""Python's search for cycles of objects, put off while much is made that stays."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_cycles_sought() -> Iterator[None]:
    """No search meanwhile, in the whole process: a syntax tree or a plan is thousands of objects, and looking all others through
    again for each few hundred of them was a fifth of what loading a rulebook took. For work of some hundredths of a second."""
    if not gc.isenabled():
        yield  # somebody else's word stands
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
