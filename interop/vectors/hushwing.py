"""A second model of content, links and safety numbers, written from
protocol/content.md and protocol/link.md. Only the standard library, and the
openssl command for Ed25519."""

import base64
import hashlib
import subprocess
import tempfile


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

def ed25519(seed, *arguments, stdin=None):
    der = bytes.fromhex("302e020100300506032b657004220420") + seed
    with tempfile.NamedTemporaryFile() as key, tempfile.NamedTemporaryFile() as data:
        key.write(der)
        key.flush()
        data.write(stdin or b"")
        data.flush()
        command = ["openssl", *arguments, "-inkey" if stdin else "-in", key.name]
        command += ["-keyform" if stdin else "-inform", "DER"]
        command += ["-in", data.name] if stdin else []
        return subprocess.run(command, check=True, capture_output=True).stdout


def ed25519_public(seed):
    return ed25519(seed, "pkey", "-pubout", "-outform", "DER")[-32:]


def ed25519_sign(seed, data):
    return ed25519(seed, "pkeyutl", "-sign", "-rawin", stdin=data)


def fixed(seed):
    return b"\x01" + ed25519_public(seed)


def secret(seed):
    return hashlib.sha3_256(fixed(seed)).digest()


def signed_bundle(seed, bundle):
    encoded = cbor(bundle)
    return b"\x40" + ed25519_sign(seed, b"hushwing link bundle 1\0" + encoded) + encoded


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
