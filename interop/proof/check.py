"""The check of protocol/proof.md section 7."""

import base64
import binascii
import hashlib

from . import cbor, ed25519
from .cbor import Malformed
from .form import Refused, is_bytes, is_number, need

BEGIN, END = "-----BEGIN HUSHWING PROOF-----\n", "-----END HUSHWING PROOF-----\n"
COSE = bytes.fromhex("d28443a10127a0f65840")
STATUS = {1: "delivered", 2: "read"}
MAX_MESSAGE = 131_072


def armour(data):
    text = base64.b64encode(data).decode()
    lines = [text[at:at + 64] + "\n" for at in range(0, len(text), 64)]
    return BEGIN + "".join(lines) + END


def unarmour(raw):
    try:
        text = raw.decode("ascii").replace("\r\n", "\n")
        if not text.endswith("\n"):
            text += "\n"
        need(text.startswith(BEGIN) and text.endswith(END), "not the text of a proof")
        inside = text[len(BEGIN):-len(END)]
        data = base64.b64decode(inside.replace("\n", ""), validate=True)
    except (UnicodeDecodeError, binascii.Error) as error:
        raise Refused("not the text of a proof") from error
    need(armour(data) == text, "not the whole text of a proof")
    return data


def signature_of(cose):
    need(is_bytes(cose, 74) and cose.startswith(COSE), "a signature that is none")
    return cose[len(COSE):]


def is_signed(key, cose, statement):
    structure = cbor.write(["Signature1", bytes.fromhex("a10127"), b"", statement])
    return ed25519.is_signed(key, signature_of(cose), structure)


def meaning(content):
    """What a message says: kind, text, when."""
    need(len(content) <= MAX_MESSAGE, "a message that is too long")
    message = cbor.read(content)
    need(isinstance(message, list) and len(message) == 7, "no message")
    salt, replaces, topic, _, reply, extensions, part = message
    need(is_bytes(salt, 16) and isinstance(topic, bytes), "no message")
    for reference in (replaces, reply):
        named = is_bytes(reference, 32) and reference[0] == 1
        need(reference is None or named, "a message that names no message")
    need(isinstance(extensions, dict) and -2 not in extensions, "a signature inside")
    stamp = extensions.get(-1)
    need(isinstance(stamp, list) and len(stamp) == 3 and stamp[0] == 1, "no stamp")
    need(is_number(stamp[1], 2**53 - 1) and is_number(stamp[2], 2**64 - 1), "no stamp")
    need(isinstance(part, list) and len(part) >= 3 and is_number(part[0], 255), "no part")
    disposition, cardinality = part[0], part[2]
    if cardinality == 0:
        need(replaces is not None, "an empty message")
        return ("reaction removed" if disposition == 2 else "delete"), "", stamp[2]
    kind = "message" if replaces is None else "edit"
    if cardinality == 1:
        need(len(part) == 5 and isinstance(part[3], str), "no part")
        essence = part[3].split(";")[0].strip().lower()
        control = essence == "application/mimi-message-status"
        control |= essence.startswith("application/vnd.hushwing.")
        need(not control, "something that nobody signs")
        if disposition == 2:
            need(reply is not None, "a reaction to nothing")
            kind = "reaction"
        if essence in ("text/plain", "text/markdown"):
            return kind, part[4].decode(), stamp[2]
        return kind, f"[{essence}]", stamp[2]
    need(cardinality in (2, 3), "no part")
    return kind, "", stamp[2]


def check(raw):
    """What the file `raw` proves.

    Raises Refused if that is nothing."""
    try:
        return _check(raw)
    except (Malformed, UnicodeDecodeError) as error:
        raise Refused(str(error)) from error


def _check(raw):
    proof = cbor.read(unarmour(raw))
    need(isinstance(proof, list) and len(proof) == 7, "no proof")
    version, conversation, author, audience, content, cose, receipts = proof
    need(version == 1 and version is not True, "a proof of another version")
    need(is_bytes(conversation, 16), "no conversation")
    need(is_bytes(author, 32) and ed25519.is_point(author), "a key that is none")
    need(is_bytes(audience, 32) and ed25519.is_point(audience), "a key that is none")
    need(isinstance(content, bytes), "no message")
    kind, text, sent = meaning(content)
    about = [conversation, author, audience, hashlib.sha256(content).digest()]
    said = cbor.write([1, "hushwing said", *about])
    need(is_signed(author, cose, said), "the author's signature is wrong")
    need(isinstance(receipts, list) and len(receipts) <= 2, "receipts that are none")
    confirmed, last = [], 0
    for receipt in receipts:
        need(isinstance(receipt, list) and len(receipt) == 3, "a receipt that is none")
        status, millis, cose = receipt
        need(is_number(status, 2) and status > last, "receipts out of order")
        need(is_number(millis, 2**53 - 1), "a receipt of no possible time")
        received = cbor.write([1, "hushwing received", *about, status, millis])
        need(is_signed(audience, cose, received), "a signature of the receiver is wrong")
        confirmed.append((STATUS[status], millis))
        last = status
    return {
        "kind": kind,
        "text": text,
        "author": author.hex(),
        "audience": audience.hex(),
        "conversation": conversation.hex(),
        "sent": sent,
        "received": confirmed,
    }
