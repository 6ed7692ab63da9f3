"""The pure pieces of canonical addresses: what was sent, and whether it is canonical."""

import pytest

from myproject.views.access import printable_path
from myproject.views.derivers import is_canonical, sent_path


@pytest.mark.parametrize(
    ("environ", "sent"),
    [
        ({"PATH_INFO": "/a"}, "/a"),
        ({"PATH_INFO": ""}, ""),
        ({}, ""),
        ({"SCRIPT_NAME": "/m", "PATH_INFO": "/a b"}, "/m/a%20b"),
        ({"PATH_INFO": "/\xc3\xa9"}, "/%C3%A9"),
        ({"REQUEST_URI": "/%61?x=/y", "PATH_INFO": "/a"}, "/%61"),
        ({"REQUEST_URI": "/?", "PATH_INFO": "/"}, "/"),
        ({"REQUEST_URI": "", "PATH_INFO": "/"}, "/"),
        ({"REQUEST_URI": "//a", "PATH_INFO": "/a"}, "//a"),
        ({"REQUEST_URI": "//a", "PATH_INFO": "//a"}, "//a"),
        ({"REQUEST_URI": "http://host:80/%61", "PATH_INFO": "/a"}, "/%61"),
        ({"REQUEST_URI": "HTTP://host", "PATH_INFO": "/"}, "/"),
        ({"REQUEST_URI": "/a://b/c", "PATH_INFO": "/a://b/c"}, "/a://b/c"),
        ({"REQUEST_URI": "/\xc3\xa9", "PATH_INFO": "/\xc3\xa9"}, "/\xc3\xa9"),
        ({"REQUEST_URI": "/m/a", "SCRIPT_NAME": "/m", "PATH_INFO": "/a"}, "/m/a"),
        # Something in front has taken the mount point off, or rewritten the path.
        ({"REQUEST_URI": "/a", "SCRIPT_NAME": "/m", "PATH_INFO": "/a"}, "/m/a"),
        ({"REQUEST_URI": "/old", "PATH_INFO": "/new"}, "/new"),
        ({"REQUEST_URI": "*", "PATH_INFO": "/"}, "/"),
    ],
)
def test_the_path_is_told_as_it_was_sent(environ, sent):
    assert sent_path(environ) == sent


@pytest.mark.parametrize(
    ("sent", "canonical"),
    [
        ("/", "/"),
        ("/a-b_c~d.e", "/a-b_c~d.e"),
        ("/caf%C3%A9", "/caf%C3%A9"),
        ("/caf%c3%a9", "/caf%C3%A9"),
        ("/a%21b", "/a!b"),
        ("/a%40b", "/a@b"),
        ("/%40%40source", "/@@source"),
        ("/a%3Ab", "/a:b"),
        ("/100%25", "/100%25"),
    ],
)
def test_the_same_path_is_canonical_however_punctuation_is_escaped(sent, canonical):
    assert is_canonical(sent, canonical)


@pytest.mark.parametrize(
    ("sent", "canonical"),
    [
        ("", "/"),
        ("/a/", "/a"),
        ("//a", "/a"),
        ("/%61", "/a"),
        ("/%2Da", "/-a"),
        ("/a%2fb", "/a/b"),
        ("/a%2Fb", "/a/b"),
        ("/a%7eb", "/a~b"),
        ("/a%5Fb", "/a_b"),
        ("/caf\xc3\xa9", "/caf%C3%A9"),
        ("/cafe%CC%81", "/caf%C3%A9"),
        ("/a/source", "/a/@@source"),
        ("/a b", "/a%20b/"),
        ("/%zz", "/a"),
    ],
)
def test_another_path_is_not(sent, canonical):
    assert not is_canonical(sent, canonical)


def test_every_escape_of_a_letter_or_digit_is_needless():
    for number in range(0x21, 0x7F):
        escaped, plain = f"/x%{number:02X}", f"/x{chr(number)}"
        needless = chr(number).isalnum() or chr(number) in "-._~/"
        if needless:
            assert not is_canonical(escaped, plain)


@pytest.mark.parametrize(
    ("environ", "printed"),
    [
        ({"PATH_INFO": "/a/b"}, "/a/b"),
        ({"SCRIPT_NAME": "/m", "PATH_INFO": "/a b"}, "/m/a%20b"),
        ({"PATH_INFO": "/\n\r\x1b\x00"}, "/%0A%0D%1B%00"),
        ({"PATH_INFO": "/%0a"}, "/%250a"),
        ({"PATH_INFO": "/\u2028"}, "/%3F"),
        ({}, ""),
    ],
)
def test_a_path_is_printed_as_one_word(environ, printed):
    assert printable_path(environ) == printed
