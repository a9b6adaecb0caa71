"""A second model of content, links and safety numbers, written from
protocol/content.md and protocol/link.md."""

import base64
import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


# CBOR, RFC 8949 section 4.2.1.

def head(major, number):
    for size, info in ((1, 24), (2, 25), (4, 26), (8, 27)):
        if number < 24:
            return bytes([major << 5 | number])
        if number < 1 << (8 * size):
            return bytes([major << 5 | info]) + number.to_bytes(size, "big")
    raise ValueError(number)


def cbor(value):
    if value is None:
        return b"\xf6"
    if value is True or value is False:
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    if isinstance(value, dict):
        entries = sorted((cbor(key), cbor(item)) for key, item in value.items())
        return head(5, len(entries)) + b"".join(key + item for key, item in entries)
    raise TypeError(value)


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


# Content.

PLAIN = "text/plain;charset=utf-8"


def single(disposition, media_type, content):
    return [disposition, "", 1, media_type, content]


def message(salt, stamp, part, replaces=None, reply=None, expires=None):
    lamport, sent = stamp
    extensions = {-1: [1, lamport, sent]}
    return cbor([salt, replaces, b"", expires, reply, extensions, part])


def message_id(sender_key, group_id, encoded, salt):
    covered = b""
    for uri in ("hushwing:s/" + base64url(sender_key), "hushwing:r/" + base64url(group_id)):
        covered += len(uri).to_bytes(2, "big") + uri.encode()
    return b"\x01" + hashlib.sha256(covered + encoded + salt).digest()[:31]


# Links.

def fixed(seed):
    return b"\x01" + Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def secret(seed):
    return hashlib.sha3_256(fixed(seed)).digest()


def signed_bundle(seed, bundle):
    encoded = cbor(bundle)
    signed = b"hushwing link bundle 1\0" + encoded
    return b"\x40" + Ed25519PrivateKey.from_private_bytes(seed).sign(signed) + encoded


def link_body(kind, network, place, link_secret, expires):
    payload = expires.to_bytes(4, "big") + bytes([network]) + link_secret + place
    headed = bytes([1, len(payload)]) + payload
    check = hashlib.sha256(b"hushwing link\0" + kind.encode() + headed).digest()[:4]
    return base64url(headed + check)


def safety(group_id, one, other):
    covered = b"hushwing safety number 1\0" + len(group_id).to_bytes(4, "big") + group_id
    digest = hashlib.sha512(covered + min(one, other) + max(one, other)).digest()
    groups = [int.from_bytes(digest[at:at + 5], "big") % 100_000 for at in range(0, 60, 5)]
    digits = "-".join(f"{group:05}" for group in groups)
    return digits, "hushwing:v#" + base64url(b"\x01" + digest[:32])
