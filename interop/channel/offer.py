"""Offers: a channel's word that it is offered to one reader, in one conversation."""

from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from .post import name_of


@dataclass
class Bond:
    conversation: bytes
    publisher: bytes
    reader: bytes


def is_offered(word, public, admission, bond):
    signed = b"hushwing channel offer, version 1\0" + name_of(public)
    signed += admission.to_bytes(8, "big") + bond.conversation
    signed += bond.publisher + bond.reader
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(word, signed)
    except InvalidSignature:
        return False
    return True
