"""The search for cycles is put off, and goes on afterwards unless somebody had stopped it."""

from __future__ import annotations

import gc

import pytest

from celadon.core.cycles import no_cycles_sought


def test_it_is_put_off_and_goes_on() -> None:
    assert gc.isenabled()
    with no_cycles_sought():
        assert not gc.isenabled()
        with no_cycles_sought():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_goes_on_after_a_fault() -> None:
    with pytest.raises(KeyError), no_cycles_sought():
        raise KeyError
    assert gc.isenabled()


def test_who_stopped_it_keeps_it_stopped() -> None:
    gc.disable()
    try:
        with no_cycles_sought():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
