"""What domain errors say: in English on the command line, and ready to be translated."""

import inspect
import re
from copy import copy

import pytest
from pyramid.i18n import TranslationString

from myproject import exceptions
from myproject.exceptions import (
    ConfigurationProblem,
    InvalidName,
    InvalidValue,
    MigrationFailed,
    MyprojectError,
    NoSuchService,
    NotComplete,
    TooDeep,
    UnknownContentType,
)
from myproject.translation import PluralString, in_english
from tests.catalogs import messages

#: What operators and programmers meet, and nobody at a browser.
ENGLISH = (ConfigurationProblem, MigrationFailed, NoSuchService, UnknownContentType)

SAMPLES = {"str": "¤", "int": 3, "tuple[str, ...]": ("¤", "¤")}


def classes():
    """The errors that have a sentence of their own."""
    return [
        cls
        for cls in vars(exceptions).values()
        if inspect.isclass(cls)
        and issubclass(cls, MyprojectError)
        and not issubclass(cls, ENGLISH)
        and isinstance(sample(cls).message, TranslationString)
    ]


def sample(cls):
    """An error with something in every place."""
    given = inspect.signature(cls).parameters.values()
    return cls(
        *(SAMPLES[each.annotation] for each in given if each.default is inspect.Parameter.empty)
    )


def test_the_errors_of_the_tree_and_of_accounts_can_be_translated():
    assert {"NameTaken", "NodeGone", "InTrash", "RoleTooStrong", "LockedOut", "TooLong"} <= {
        cls.__name__ for cls in classes()
    }


@pytest.mark.parametrize("cls", classes(), ids=lambda cls: cls.__name__)
def test_an_error_is_in_the_catalog_with_all_that_it_quotes(cls):
    message, known = sample(cls).message, messages()
    assert str(message) in known, "make messages"
    plural = known[message]
    assert plural == (message.many if isinstance(message, PluralString) else "")
    assert set(re.findall(r"\$\{(\w+)\}", message + plural)) == set(message.mapping or {})
    assert "${" not in str(sample(cls))


def test_in_english_an_error_says_all_of_what_stands_in_it():
    error = InvalidName("a/b", TooDeep(1).message)
    assert str(error) == ("“a/b” cannot be a name. A page can be at most 1 level below the root.")
    assert str(NotComplete("It's", ("Price", "Size"))) == (
        "“It's” cannot be published yet. It still needs: Price, Size."
    )
    assert str(InvalidValue("title", "Too ${long}.")) == "title: Too ${long}."
    assert str(TooDeep(2000)) == "A page can be at most 2,000 levels below the root."
    assert str(MyprojectError()) == ""


def test_a_copy_of_a_message_says_the_same():
    assert in_english(copy(TooDeep(2).message)) == str(TooDeep(2))
