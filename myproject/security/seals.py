"""Seals: what a form carries to prove that this site made it, for whom, and for which place.

A form that comes back after its login has ended is not lost: the person signs in, and saves it.
Another site could make use of that, and have somebody save what they have never written. A seal
cannot be made up: it is signed, and says who opened the form. It opens nothing by itself.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import NamedTuple

_LONGEST = 300


class Seal(NamedTuple):
    """Who has opened a form, at which node, and for what: ``edit``, ``add:page``."""

    user_id: int
    node_id: int
    purpose: str


def seal_key(secret: str) -> bytes:
    """Return the key that seals are signed with, made from the secret of sessions."""
    return hashlib.sha256(b"myproject.seal." + secret.encode()).digest()


def close(key: bytes, seal: Seal) -> str:
    """Return a seal as a form carries it."""
    said = f"{seal.user_id}.{seal.node_id}.{seal.purpose}"
    return f"{_signature(key, said)}.{said}"


def read(key: bytes, text: str) -> Seal | None:
    """Return what a seal says; None for one that was not made here."""
    signature, _, said = text[:_LONGEST].partition(".")
    if not hmac.compare_digest(signature.encode(), _signature(key, said).encode()):
        return None
    user_id, node_id, purpose = said.split(".", 2)
    return Seal(int(user_id), int(node_id), purpose)


def _signature(key: bytes, said: str) -> str:
    return hmac.new(key, said.encode(), hashlib.sha256).hexdigest()
