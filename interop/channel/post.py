"""Posts: one form of CBOR, a key that is ratcheted, a signature."""

import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

SIGNATURE = 64
TAG = 16


class Refused(Exception):
    """Bytes are no post that can be read."""


@dataclass
class Chain:
    generation: int
    next: int
    key: bytes


def name_of(public):
    return hashlib.sha256(b"hushwing channel, version 1\0" + public).digest()[:16]


def place_of(channel, generation, number):
    return channel + generation.to_bytes(4, "big") + number.to_bytes(8, "big")


def derive(key, label, place):
    return HKDFExpand(algorithm=SHA256(), length=32, info=label + place).derive(key)


def key_of(chain, channel, number):
    if not chain.next <= number <= chain.next + 1024:
        raise Refused("no key for this number")
    key = chain.key
    for passed in range(chain.next, number):
        place = place_of(channel, chain.generation, passed)
        key = derive(key, b"hushwing channel next", place)
    place = place_of(channel, chain.generation, number)
    return derive(key, b"hushwing channel post", place)


def head(rest, major):
    """The argument of the next item, in its shortest form, and what follows."""
    if not rest or rest[0] >> 5 != major:
        raise Refused("another type")
    short = rest[0] & 31
    if short < 24:
        return short, rest[1:]
    if short > 27:
        raise Refused("no length")
    size = 1 << (short - 24)
    value, rest = rest[1 : 1 + size], rest[1 + size :]
    number = int.from_bytes(value, "big")
    least = 24 if size == 1 else 1 << (4 * size)
    if len(value) < size or number < least:
        raise Refused("cut short, or not the shortest form")
    return number, rest


def string(rest, least, most):
    length, rest = head(rest, 2)
    if not least <= length <= most or len(rest) < length:
        raise Refused("a byte string of another length")
    return rest[:length], rest[length:]


def open_post(post, public, chain):
    """(number, content) of a post of the channel with this key."""
    fields, rest = head(post, 4)
    version, rest = head(rest, 0)
    if (fields, version) != (6, 1):
        raise Refused("no post of version 1")
    channel, rest = string(rest, 16, 16)
    generation, rest = head(rest, 0)
    number, rest = head(rest, 0)
    if number >= 1 << 53:
        raise Refused("no post has this number")
    nonce, rest = string(rest, 12, 12)
    sealed, rest = string(rest, 0, SIGNATURE + 131072 + TAG)
    if rest or channel != name_of(public) or generation != chain.generation:
        raise Refused("of another channel or generation")
    place = place_of(channel, generation, number)
    try:
        plain = AESGCM(key_of(chain, channel, number)).decrypt(nonce, sealed, place)
    except InvalidTag as error:
        raise Refused("does not open") from error
    signature, content = plain[:SIGNATURE], plain[SIGNATURE:]
    signed = b"hushwing channel post, version 1\0" + place + content
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, signed)
    except InvalidSignature as error:
        raise Refused("not signed by its channel") from error
    return number, content
