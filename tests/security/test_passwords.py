"""Passwords: hashed, checked at the same cost for everybody, and what a new one must be like."""

import unicodedata

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from hypothesis import given
from hypothesis import strategies as st

from myproject.core_settings import CORE
from myproject.exceptions import ConfigurationProblem
from myproject.security.passwords import LONGEST, Passwords, password_problem, passwords_from
from myproject.translation import in_english

CHEAP = {"time_cost": 1, "memory_cost": 8, "parallelism": 1}
PASSWORD = "correct horse battery staple"


class CountingHasher(PasswordHasher):
    """Counts how often a password was really hashed; only that takes time."""

    def __init__(self, **parameters):
        super().__init__(**parameters)
        self.worked = []

    def verify(self, hashed, password):
        try:
            found = super().verify(hashed, password)
        except VerifyMismatchError:
            self.worked.append(hashed.rsplit("$", 2)[0])
            raise
        self.worked.append(hashed.rsplit("$", 2)[0])
        return found


@pytest.fixture
def hasher():
    return CountingHasher(**CHEAP)


@pytest.fixture
def passwords(hasher):
    return Passwords(hasher)


# -- hashing --------------------------------------------------------------------------------------


def test_the_right_password_and_no_other(passwords):
    hashed = passwords.hash(PASSWORD)
    assert hashed.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert passwords.verify(hashed, PASSWORD)
    assert not passwords.verify(hashed, PASSWORD.upper())
    assert not passwords.verify(hashed, "")


def test_the_same_password_gives_another_hash(passwords):
    assert passwords.hash(PASSWORD) != passwords.hash(PASSWORD)


def test_one_password_however_it_is_typed(passwords):
    composed, apart = (unicodedata.normalize(form, "Käsekuchen mit Öl") for form in ("NFC", "NFD"))
    assert composed != apart
    assert passwords.verify(passwords.hash(composed), apart)
    assert passwords.verify(passwords.hash("１２３ Kuchen"), "123 Kuchen")


@pytest.mark.parametrize(
    "hashed",
    [
        None,
        "",
        "!",
        "ä",
        "$argon2id$",
        "$argon2id$v=19$m=8,t=1,p=1$",
        "$argon2id$v=19$m=8,t=1,p=1$a$b",
    ],
)
def test_where_there_is_no_hash_the_same_work_is_done(passwords, hasher, hashed):
    assert not passwords.verify(passwords.hash(PASSWORD), "wrong password")
    (usual,) = hasher.worked
    assert usual == "$argon2id$v=19$m=8,t=1,p=1"
    assert not passwords.verify(hashed, PASSWORD)
    assert hasher.worked == [usual, usual]


def test_decoy_is_of_another_hash_in_each_application():
    decoys = {Passwords(PasswordHasher(**CHEAP))._decoy for _ in range(3)}
    assert len(decoys) == 3


@pytest.mark.parametrize(
    ("time_cost", "salt_len", "hash_len"), [(1, 8, 16), (2, 16, 32), (3, 17, 64)]
)
def test_decoy_has_the_parameters_in_force(time_cost, salt_len, hash_len):
    parameters = CHEAP | {"time_cost": time_cost, "salt_len": salt_len, "hash_len": hash_len}
    hasher = CountingHasher(**parameters)
    passwords = Passwords(hasher)
    assert not passwords.verify(None, PASSWORD)
    assert len(hasher.worked) == 1
    assert not hasher.check_needs_rehash(passwords._decoy)


def test_a_password_longer_than_any_is_not_looked_at(passwords, hasher):
    hashed = passwords.hash("x" * (LONGEST + 1))
    assert not passwords.verify(hashed, "x" * (LONGEST + 1))
    assert len(hasher.worked) == 1


@given(st.text(alphabet=st.characters(codec=None), max_size=50))
def test_every_text_can_be_a_password(text):
    passwords = Passwords(PasswordHasher(**CHEAP))
    assert passwords.verify(passwords.hash(text), text)


def test_a_lone_surrogate_is_no_error(passwords):
    assert not passwords.verify(passwords.hash(PASSWORD), "\ud800")


@pytest.mark.parametrize("name", list(CHEAP))
def test_a_hash_of_other_parameters_is_to_be_made_anew(passwords, name):
    other = {**CHEAP, "memory_cost": 32, name: CHEAP[name] * 2}
    hashed = Passwords(PasswordHasher(**other)).hash(PASSWORD)
    assert passwords.verify(hashed, PASSWORD)
    assert passwords.needs_rehash(hashed)
    assert not passwords.needs_rehash(passwords.hash(PASSWORD))


def test_what_is_no_hash_is_to_be_made_anew(passwords):
    assert passwords.needs_rehash("!")


# -- settings -------------------------------------------------------------------------------------


def settings(**changed):
    """The defaults but for what a test changes."""
    defaults = {setting.key: setting.default for setting in CORE}
    return defaults | {f"myproject.{key}": value for key, value in changed.items()}


def test_parameters_come_from_the_settings():
    cheap = settings(argon2_time_cost=1, argon2_memory_cost=16, argon2_parallelism=2)
    assert passwords_from(cheap).hash(PASSWORD).startswith("$argon2id$v=19$m=16,t=1,p=2$")


def test_by_default_they_are_those_of_rfc_9106():
    assert not Passwords(PasswordHasher()).needs_rehash(passwords_from(settings())._decoy)


def test_parameters_that_do_not_go_together_are_refused():
    with pytest.raises(ConfigurationProblem, match=r"^myproject\.argon2_memory_cost = 16: must be"):
        passwords_from(settings(argon2_memory_cost=16, argon2_parallelism=3))


# -- choosing -------------------------------------------------------------------------------------


def problem(password, *personal, minimum=10):
    found = password_problem(password, *personal, minimum=minimum)
    return None if found is None else in_english(found)


@pytest.mark.parametrize(
    "password",
    [
        PASSWORD,
        "kjq4nvhw2p",
        "only small letters here",
        "ten tokens",
        "Zwölf Boxkämpfer",
        "パスワードではない長い言葉",
        "my password is a long sentence",
        "x" * 500 + "y" * 500,
        "3.14159265358979",
        "            spaces count",
    ],
)
def test_good(password):
    assert problem(password, "alice", "alice@example.org") is None


def test_length_is_in_characters_before_and_after_normalising():
    assert problem("äöüßéèêàâ") == "The password must have at least 10 characters."
    assert problem(unicodedata.normalize("NFD", "äöüéèêàâô")) is not None
    assert problem("\ufdfa abc") is not None, "one character that normalising makes 18"
    assert problem("äöüßéèêàâô") is None
    assert problem("kjq4nvhw2p3", minimum=12).startswith("The password must have at least 12")


def test_too_long():
    assert problem("kq" * (LONGEST // 2)) is None
    assert problem("kq" * (LONGEST // 2) + "k") == "The password can have at most 1,000 characters."


@pytest.mark.parametrize(
    ("password", "personal"),
    [
        ("alice.miller", ("alice.miller", "am@example.org")),
        ("ALICE.MILLER", ("alice.miller",)),
        ("ＡＬＩＣＥ．Ｍｉｌｌｅｒ", ("alice.miller",)),
        ("my name is alice", ("alice",)),
        ("am@example.org", ("alice", "am@example.org")),
        ("xx-AM@Example.org-xx", ("alice", "am@example.org")),
        ("miller2024", ("alice", "miller@example.org")),
    ],
)
def test_personal(password, personal):
    expected = "The password must not contain your name or your mail address."
    assert problem(password, *personal) == expected


def test_a_short_name_or_a_word_before_the_at_is_no_obstacle():
    assert problem("smallest alphabet", "al", "") is None
    assert problem("information is power", "alice", "info@example.org") is None


@pytest.mark.parametrize("password", ["aaaaaaaaaa", "aAaAaAaAaAaA", "..........", "          "])
def test_one_character_again_and_again(password):
    assert problem(password) == "The password must not be one character again and again."


@pytest.mark.parametrize(
    "password",
    [
        "password123",
        "Password2024!",
        "P@ssw0rd1234",
        "pa$$w0rd!!!!",
        "p a s s w o r d",
        "passwordpassword",
        "ｐａｓｓｗｏｒｄ１２",
        "1234567890",
        "9876543210",
        "1212121212",
        "qwertyuiop",
        "qwertz12345",
        "abcdefghij",
        "abcabcabcabc",
        "1q2w3e4r5t",
        "1qaz2wsx3edc",
        "iloveyou2!!",
        "administrator",
        "letmein!letmein!",
        "Welcome2026",
        "changeme!!",
    ],
)
def test_common(password):
    assert problem(password).startswith("This password is one of those that are tried first.")
