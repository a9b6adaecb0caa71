"""The wishes of protocol/proof.md section 2."""

from . import cbor, ed25519
from .cbor import Malformed
from .form import Refused, is_bytes, need


def told_key(wish, conversation, sender, receiver):
    """The identity key that a wish for provable tells, once its holder signed it for
    this conversation and the keys of these two leaves; None of a wish for normal.

    Raises Refused if it is no such wish."""
    try:
        value = cbor.read(wish)
    except Malformed as error:
        raise Refused(str(error)) from error
    if value == [1, 0, None] and value[1] is not False:
        return None
    need(isinstance(value, list) and len(value) == 4, "no wish")
    version, mode, key, signature = value
    need(version == 2 and mode == 1 and mode is not True, "a wish for something else")
    need(is_bytes(key, 32) and ed25519.is_point(key), "a key that is none")
    need(is_bytes(signature, 64), "a signature that is none")
    wished = cbor.write([1, "hushwing wish", conversation, sender, receiver])
    structure = cbor.write(["Signature1", bytes.fromhex("a10127"), b"", wished])
    need(ed25519.is_signed(key, signature, structure), "the wish's signature is wrong")
    return key
