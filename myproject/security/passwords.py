"""Passwords: hashed with Argon2 and checked, and what a new one must be like.

The rules are those of NIST SP 800-63B: length counts, a mixture of kinds of characters does not,
and what everybody tries first is refused.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from pyramid.i18n import TranslationStringFactory

from myproject.exceptions import ConfigurationProblem
from myproject.translation import PluralStringFactory

_ = TranslationStringFactory("myproject")
ngettext = PluralStringFactory("myproject")

#: Characters a password has at most; more would only make the server work.
LONGEST = 1000

# -- hashing --------------------------------------------------------------------------------------


class Passwords:
    """Hashes passwords and checks them, always at the same cost.

    :param hasher: with the parameters that are in force.
    """

    def __init__(self, hasher: PasswordHasher) -> None:
        self._hasher = hasher
        self._decoy = _make_decoy(hasher)

    def hash(self, password: str) -> str:
        """Return what to store for *password*: algorithm, parameters, salt and hash in one text."""
        return self._hasher.hash(_encode(password))

    def verify(self, hashed: str | None, password: str) -> bool:
        """Tell whether *password* is the one that was hashed.

        :param hashed: what is stored; None or empty where there is no account or no password yet.
            The answer is then no, after the same work: the time it takes must not tell which
            accounts exist.
        """
        if len(password) > LONGEST:
            hashed, password = None, ""
        secret = _encode(password)
        try:
            return self._hasher.verify(hashed or self._decoy, secret)
        except VerifyMismatchError:
            return False
        except (VerificationError, ValueError):
            # What is stored is no hash, which was found out without any work.
            return self._refuse(secret)

    def needs_rehash(self, hashed: str) -> bool:
        """Tell whether *hashed* was made with other parameters than those in force.

        Hash the password anew when its owner has just signed in: nobody else knows it.
        """
        try:
            return self._hasher.check_needs_rehash(hashed)
        except InvalidHashError:
            return True

    def _refuse(self, secret: bytes) -> bool:
        with suppress(VerifyMismatchError):
            self._hasher.verify(self._decoy, secret)
        return False


def passwords_from(settings: Mapping[str, Any]) -> Passwords:
    """Return the application's way with passwords.

    :raises ConfigurationProblem: for parameters that do not go together.
    """
    memory, threads = (
        settings["myproject.argon2_memory_cost"],
        settings["myproject.argon2_parallelism"],
    )
    if memory < 8 * threads:
        raise ConfigurationProblem(
            f"myproject.argon2_memory_cost = {memory}: must be at least 8 for each of the "
            f"{threads} threads of myproject.argon2_parallelism"
        )
    return Passwords(
        PasswordHasher(
            time_cost=settings["myproject.argon2_time_cost"],
            memory_cost=memory,
            parallelism=threads,
            type=Type.ID,
        )
    )


def _encode(password: str) -> bytes:
    # One password may reach us as different code points: keyboards and systems write "ä" as one
    # character or as two, and digits in full width. Normalised, it is the same password on all of
    # them. A lone surrogate cannot be typed, but sent; it is wrong and no error.
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def _make_decoy(hasher: PasswordHasher) -> str:
    # A random hash instead of that of a random password: no password is known to give it, and
    # starting an application does not wait for it.
    salt, digest = (
        b64encode(secrets.token_bytes(size)).decode().rstrip("=")
        for size in (hasher.salt_len, hasher.hash_len)
    )
    name = f"argon2{hasher.type.name.lower()}"
    costs = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"${name}$v=19${costs}${salt}${digest}"


# -- choosing -------------------------------------------------------------------------------------


def password_problem(password: str, *personal: str, minimum: int) -> str | None:
    """Return why *password* cannot be the new password of an account, as a translation string;
    None if it can.

    :param personal: the account's name and mail address, which anybody would try.
    :param minimum: how many characters it has at least.
    """
    plain = unicodedata.normalize("NFKC", password)
    # Normalising may join characters or take them apart; neither makes a short password long.
    if min(len(password), len(plain)) < minimum:
        return ngettext(
            "The password must have at least ${n} character.",
            "The password must have at least ${n} characters.",
            minimum,
        )
    if len(password) > LONGEST:
        return ngettext(
            "The password can have at most ${n} character.",
            "The password can have at most ${n} characters.",
            LONGEST,
        )
    plain = plain.casefold()
    if len(set(plain)) == 1:
        return _("The password must not be one character again and again.")
    if any(_is_personal(plain, _fold(text), minimum) for text in personal):
        return _("The password must not contain your name or your mail address.")
    if _is_common(plain):
        return _("This password is one of those that are tried first. Choose another one.")
    return None


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().casefold()


#: Characters from which on a name inside a password is no accident, as "al" is in "all".
_SHORTEST_NAME = 4


def _is_personal(password: str, text: str, minimum: int) -> bool:
    if not text:
        return False
    if password == text or (len(text) >= _SHORTEST_NAME and text in password):
        return True
    # The part before the @ may be a word such as "info", and a long sentence may contain it.
    name, at, _ = text.partition("@")
    rest = len(password) - len(name)
    return bool(at) and len(name) >= _SHORTEST_NAME and name in password and rest < minimum


# What lists of leaked passwords have at the top, reduced to its core: small letters, without what
# stands around it ("Password2024!" is "password"), and with letters for the figures and signs that
# stand for them ("p@ssw0rd").
_WORDS = """
    abcabc access account administrator admin adminadmin america angel anthony apple arsenal
    asdfgh asdfghjkl asdfasdf ashley autumn babygirl bailey barcelona baseball basketball batman
    beautiful blink butterfly buster changeit changeme charlie cheese chelsea chocolate
    christian christmas computer computers cookie corvette cowboys daniel default demo diamond
    dolphin dragon elephant eminem everton facebook ferrari flower football forever freedom
    friends fuckyou galaxy ginger godzilla google guest guestguest gandalf hannah harley hello
    helloworld hellohello hockey hottie hunter icecream iloveyou iloveyoubaby iloveyousomuch
    iloveu internet jackson jennifer jessica jesus jordan justin killer letmein letmeinnow
    letmeinplease liverpool london login loveme lovely loveyou manager master matrix maverick
    mercedes metallica michael michelle microsoft midnight minecraft monkey mustang mypassword
    naruto nicole ninja nopassword november october september december january february pass
    passpass password passwords passwordpassword passw passwd patrick pepper pokemon porsche
    princess purple qazwsx qazwsxedc qwaszx qwert qwerty qwertyui qwertyuiop qwertyqwerty qwertz
    rainbow ranger realmadrid root samsung samantha scooter secret secrets secretpassword shadow
    silver slipknot snoopy soccer spiderman spring starwars steelers summer sunshine superman
    superstar swordfish sysadmin temppassword temppass testtest testing testpassword temporary
    thisismypassword thomas thunder tigger trustno trustnoone unknown user username valentine
    welcome welcomehome whatever william windows winter yankees yourpassword zaqxsw zxcvbn
    zxcvbnm 1q2w3e 1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx 1qaz2wsx3edc 1qaz2wsx3edc4rfv
    zaq12wsx zaq1xsw2 q1w2e3r4 q1w2e3r4t5 q1w2e3r4t5y6 123qweasd 123qweasdzxc qwe123 abc123
    a1b2c3 a1b2c3d4 a1b2c3d4e5 123abc pass1word
"""
_COMMON = frozenset(_WORDS.split())
_RUNS = (
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
)
_SIGNS = str.maketrans("0134578@$!", "oieastbasi")


def _is_common(password: str) -> bool:
    unit = _repeated_part(password)
    forms = {form for text in {password, unit} for form in _cores(text)}
    return not forms.isdisjoint(_COMMON) or any(
        unit in run or unit[::-1] in run for run in _RUNS if len(unit) > 1
    )


def _repeated_part(text: str) -> str:
    """Return the shortest part of which *text* is made by repeating it: "abc" for "abcabc"."""
    return text[: (text + text).find(text, 1)]


def _cores(text: str) -> set[str]:
    """Return what *text* may be a variation of."""
    # Figures around a word are added to it, those inside stand for letters.
    word = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", text)
    forms = (text, word, text.translate(_SIGNS), word.translate(_SIGNS))
    return {re.sub(r"[\W_]+", "", form) for form in forms}
