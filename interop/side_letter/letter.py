"""A side letter: header, sealed signature and content."""

from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HEADER = 53
SIGNATURE = 64
TAG = 16


class Refused(Exception):
    """Bytes are no side letter to this leaf in this state."""


@dataclass
class Opened:
    context: bytes
    content: bytes


def open_letter(letter, exported, state, public):
    """What a side letter says. `exported` is what MLS exports for its context."""
    if len(letter) < HEADER + SIGNATURE + TAG or letter[0] != 1:
        raise Refused("no side letter of version 1")
    header, sealed = letter[:HEADER], letter[HEADER:]
    if header[17:25] != state[:8]:
        raise Refused("of another state")
    sender, recipient, nonce = header[33:37], header[37:41], header[41:53]
    try:
        plain = AESGCM(exported).decrypt(nonce, sealed, header)
    except InvalidTag as error:
        raise Refused("does not open") from error
    signature, content = plain[:SIGNATURE], plain[SIGNATURE:]
    signed = b"hushwing side letter 1" + state + header + content
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, signed)
    except InvalidSignature as error:
        raise Refused("not signed by its sender") from error
    return Opened(state + sender + recipient, content)
