"""The check of protocol/otr.md section 5: everything that anybody can check of a
transcript."""

import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from proof import cbor, ed25519
from proof.cbor import Malformed
from proof.form import Refused, is_bytes, is_number, need

LABEL = b"hushwing otr announcement, version 1\0"
NAME_LABEL = b"hushwing otr group, version 1\0"
SUITE_NAME = b"MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519"
OFFER, BEGIN = 1, 2
MAX_MESSAGE = 131_072


def u64(number):
    return number.to_bytes(8, "big")


def vector(data):
    """Bytes behind their length, RFC 9420 section 2.1.2."""
    length = len(data)
    if length < 1 << 6:
        return bytes([length]) + data
    if length < 1 << 14:
        return (1 << 14 | length).to_bytes(2, "big") + data
    need(length < 1 << 30, "a message that is too long")
    return (2 << 30 | length).to_bytes(4, "big") + data


def context(group, tree, begun):
    """The GroupContext, RFC 9420 section 8.1."""
    extension = bytes.fromhex("f48a") + vector(SUITE_NAME)
    head = bytes.fromhex("0001") + bytes.fromhex("004e")
    return head + vector(group) + u64(1) + vector(tree) + vector(begun) + vector(extension)


def framed(frame, leaf, epoch, content):
    """What the leaf signs: RFC 9420 sections 5.1.2 and 6.1."""
    group = frame[0]
    tbs = bytes.fromhex("0001") + bytes.fromhex("0002")
    tbs += vector(group) + u64(1)
    tbs += b"\x01" + leaf.to_bytes(4, "big")
    tbs += vector(b"\x01" + u64(epoch))
    tbs += b"\x01" + vector(content)
    tbs += context(*frame)
    return vector(b"MLS 1.0 FramedContentTBS") + vector(tbs)


def check_announcement(told, step, leaf, answered, of):
    need(isinstance(told, list) and len(told) == 4, "no announcement")
    epoch, key, hashed, tag = told
    need(is_number(epoch, 2**64 - 1) and is_bytes(hashed, 32), "no announcement")
    need(is_bytes(key, 32) and ed25519.is_point(key), "a key that is none")
    need(is_bytes(tag, 32), "no announcement")
    conversation, stretch, tag_key = of
    head = bytes([1, step, leaf]) + u64(epoch) + u64(stretch) + key
    tagged = LABEL + conversation + head + answered + hashed
    made = hmac.new(tag_key, tagged, hashlib.sha256).digest()
    need(hmac.compare_digest(made, tag), "an announcement with a wrong tag")
    return key


def line_of(content):
    """What a message says, as far as it is text."""
    need(len(content) <= MAX_MESSAGE, "a message that is too long")
    message = cbor.read(content)
    need(isinstance(message, list) and len(message) == 7, "no message")
    salt, _, topic, _, _, extensions, part = message
    need(is_bytes(salt, 16) and isinstance(topic, bytes), "no message")
    stamp = extensions.get(-1) if isinstance(extensions, dict) else None
    need(isinstance(stamp, list) and len(stamp) == 3 and stamp[0] == 1, "no stamp")
    need(is_number(stamp[1], 2**53 - 1) and is_number(stamp[2], 2**64 - 1), "no stamp")
    need(isinstance(part, list) and len(part) >= 3 and is_number(part[0], 255), "no part")
    if len(part) == 5 and part[2] == 1 and isinstance(part[4], bytes):
        if str(part[3]).split(";")[0].strip().lower().startswith("text/"):
            return part[4].decode()
    return ""


def check(raw):
    """What the transcript `raw` says, and whether both keys are revealed.

    Raises Refused if it is none."""
    try:
        return _check(raw)
    except (Malformed, UnicodeDecodeError) as error:
        raise Refused(str(error)) from error


def _check(raw):
    read = cbor.read(raw)
    need(isinstance(read, list) and len(read) == 10, "no transcript")
    version, conversation, stretch, tag_key, group, tree, begun, told, said, seeds = read
    need(version == 1 and version is not True, "a transcript of another version")
    need(is_bytes(conversation, 16) and is_bytes(tag_key, 32), "no conversation")
    need(is_number(stretch, 2**64 - 1), "no stretch")
    frame = group, tree, begun
    lengths = zip(frame, (16, 48, 48))
    need(all(is_bytes(value, length) for value, length in lengths), "no group")
    need(isinstance(told, list) and len(told) == 2, "no announcements")
    of = conversation, stretch, tag_key
    offered = check_announcement(told[0], OFFER, 1, bytes(32), of)
    begins = check_announcement(told[1], BEGIN, 0, offered, of)
    need(offered != begins, "one key of both")
    keys = begins, offered
    named = NAME_LABEL + conversation + u64(stretch) + begins + offered
    name = hmac.new(tag_key, named, hashlib.sha256).digest()[:16]
    need(hmac.compare_digest(name, group), "a group of another name")
    need(isinstance(seeds, list) and len(seeds) == 2, "no revealed keys")
    for seed, key in zip(seeds, keys):
        if seed is not None:
            need(is_bytes(seed, 32), "no revealed key")
            private = Ed25519PrivateKey.from_private_bytes(seed)
            need(private.public_key().public_bytes_raw() == key, "a key of another leaf")
    need(isinstance(said, list) and len(said) <= 4096, "no lines")
    lines = []
    for line in said:
        need(isinstance(line, list) and len(line) == 4, "no line")
        leaf, epoch, content, signature = line
        need(is_number(leaf, 1) and is_number(epoch, 2**64 - 1), "no line")
        need(isinstance(content, bytes) and is_bytes(signature, 64), "no line")
        signed = framed(frame, leaf, epoch, content)
        need(ed25519.is_signed(keys[leaf], signature, signed), "a wrong signature")
        lines.append((leaf, line_of(content)))
    return lines, all(seed is not None for seed in seeds)
