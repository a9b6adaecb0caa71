"""Vectors of protocol/proof.md."""

import base64
import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import hushwing as h

AUTHOR, AUDIENCE = (
    Ed25519PrivateKey.from_private_bytes(bytes([seed] * 32)) for seed in (1, 2)
)
CONVERSATION = bytes([9] * 16)
# The keys of both leaves, the author's first.
LEAVES = bytes([3] * 32), bytes([4] * 32)
PROTECTED = bytes.fromhex("a10127")
DELIVERED, READ = (1, 1_790_000_001_000), (2, 1_790_000_002_000)


def public(key):
    return key.public_key().public_bytes_raw()


def structure(statement):
    return h.cbor(["Signature1", PROTECTED, b"", statement])


def cose(signature):
    # Tag 18, which the encoder of the content vectors has no need of.
    return b"\xd2" + h.cbor([PROTECTED, {}, None, signature])


def about(content):
    return [CONVERSATION, public(AUTHOR), public(AUDIENCE), hashlib.sha256(content).digest()]


def armour(data):
    text = base64.b64encode(data).decode()
    lines = [text[at:at + 64] for at in range(0, len(text), 64)]
    begin, end = ("-----" + word + " HUSHWING PROOF-----" for word in ("BEGIN", "END"))
    return "\n".join([begin, *lines, end]) + "\n"


def rows(salt, stamp, part):
    content = h.message(salt, stamp, part)
    said = h.cbor([1, "hushwing said", *about(content)])
    signature = AUTHOR.sign(structure(said))
    extensions = {
        -1: [1, *stamp],
        -2: [1, public(AUTHOR), public(AUDIENCE), signature],
    }
    signed = h.cbor([salt, None, b"", None, None, extensions, part])
    received = {
        status: h.cbor([1, "hushwing received", *about(content), status, millis])
        for status, millis in (DELIVERED, READ)
    }
    receipts = {
        status: AUDIENCE.sign(structure(statement)) for status, statement in received.items()
    }
    name = h.message_id((1).to_bytes(4, "big"), CONVERSATION, signed, salt)
    report = [[name, status, millis, receipts[status]] for status, millis in (DELIVERED, READ)]
    proof = h.cbor([
        1, CONVERSATION, public(AUTHOR), public(AUDIENCE), content, cose(signature),
        [[status, millis, cose(receipts[status])] for status, millis in (DELIVERED, READ)],
    ])
    wished = h.cbor([1, "hushwing wish", CONVERSATION, *LEAVES])
    values = {
        "author": public(AUTHOR),
        "audience": public(AUDIENCE),
        "wish-normal": h.cbor([1, 0, None]),
        "wished": wished,
        "wish-provable": h.cbor([2, 1, public(AUTHOR), AUTHOR.sign(structure(wished))]),
        "content": content,
        "said": said,
        "said-structure": structure(said),
        "said-signature": signature,
        "signed-message": signed,
        "message-id": name,
        "received-delivered": received[1],
        "received-read": received[2],
        "delivered-signature": receipts[1],
        "read-signature": receipts[2],
        "signed-receipts": h.cbor([1, report]),
        "proof": proof,
        "proof-text": armour(proof).encode(),
    }
    return [(key, value.hex()) for key, value in values.items()]
