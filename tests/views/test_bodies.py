"""How much of a request is read: no more than a view takes, also of one that does not say."""

from __future__ import annotations

import io

import pytest
from pyramid.httpexceptions import HTTPRequestEntityTooLarge

from myproject.views.bodies import LimitedInput

BODY = b"one\ntwo\n"


class Endless(io.RawIOBase):
    """A body that never ends, and tells how much of it was read."""

    def __init__(self):
        self.given = 0

    def read(self, size=-1):
        assert size >= 0, "all of it was asked for"
        self.given += size
        return b"x" * size

    def readline(self, size=-1):
        return self.read(size)


@pytest.mark.parametrize("size", [None, -1, 4, 100])
def test_what_is_not_too_large_is_read_as_it_is(size):
    stream = LimitedInput(io.BytesIO(BODY), len(BODY))
    read = stream.read(size) if size is not None else stream.read()
    assert read + stream.read() == BODY


def test_lines():
    assert list(LimitedInput(io.BytesIO(BODY), len(BODY))) == [b"one\n", b"two\n"]
    assert LimitedInput(io.BytesIO(BODY), len(BODY)).readline(2) == b"on"


@pytest.mark.parametrize("read", [LimitedInput.read, LimitedInput.readline, list])
def test_what_never_ends_is_given_up(read):
    endless = Endless()
    with pytest.raises(HTTPRequestEntityTooLarge):
        read(LimitedInput(endless, 1000))
    assert endless.given == 1001
