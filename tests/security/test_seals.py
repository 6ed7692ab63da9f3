"""Seals: nobody but the site can make one, and it says what it said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from myproject.security.seals import Seal, close, read, seal_key

KEY = seal_key("a secret")
SEAL = Seal(7, 12, "add:page")


def test_it_says_what_it_said():
    assert read(KEY, close(KEY, SEAL)) == SEAL
    odd = Seal(7, 12, "add:a.b.c")
    assert read(KEY, close(KEY, odd)) == odd


def test_another_site_s_is_none():
    assert read(seal_key("another"), close(KEY, SEAL)) is None


@pytest.mark.parametrize(
    "other", [Seal(8, 12, "add:page"), Seal(7, 1, "add:page"), Seal(7, 12, "")]
)
def test_a_signature_is_good_for_one_text_only(other):
    signature = close(KEY, SEAL).partition(".")[0]
    said = close(KEY, other).partition(".")[2]
    assert read(KEY, f"{signature}.{said}") is None


@given(st.text(max_size=400))
def test_anything_can_be_sent(text):
    assert read(KEY, text) is None
