#!/usr/bin/env python3
"""Writes the vectors that the Rust tests compare with: into their folders, or
into the one named. Without changes to the formats it changes nothing. Needs
requirements.txt."""

import sys
from pathlib import Path

import envelope

import hushwing as h
import proof
import sender_key

CRATES = Path(__file__).parents[2] / "crates"
CONTENT, ENVELOPE = "conversation/tests/vectors", "delivery/tests/office/vectors"
RELAY = "relay/tests/vectors"

SENDER, GROUP = bytes([7] * 32), bytes([9] * 16)
SALT, STAMP = bytes(range(16)), (41, 1_790_000_000_123)
PNG = b"\x89PNG\r\n\x1a\n"


def name(number):
    return b"\x01" + bytes([number] * 31)


def contents():
    def say(part, **about):
        return h.message(SALT, STAMP, part, **about)

    def text(body, **about):
        return say(h.single(1, h.PLAIN, body.encode()), **about)

    bob = "hushwing:s/" + h.base64url(bytes([3] * 32))
    markdown = f"Kudos to [\\@Bob](" + bob + ")\\!"
    receipts = h.cbor([[name(7), 1], [name(8), 2]])
    profile = h.cbor([1, "Alice", PNG])
    addresses = h.cbor([1, 3, [b"where", b"elsewhere"]])
    inquiry = h.cbor([1, [name(7), name(8)]])
    return {
        "post": text("Grüße, 👋"),
        "reply": text("yes", reply=name(2)),
        "mention": say(h.single(1, "text/markdown;variant=GFM-MIMI", markdown.encode())),
        "edit": text("better", replaces=name(3)),
        "delete": say([1, "", 0], replaces=name(4)),
        "reaction": say(h.single(2, h.PLAIN, "❤".encode()), reply=name(5), replaces=name(6)),
        "unreact": say([2, "", 0], replaces=name(6)),
        "disappearing": text("soon gone", expires=[True, 3_600]),
        "profile": say(h.single(3, "application/vnd.hushwing.profile+cbor", profile)),
        "receipts": say(h.single(0, "application/mimi-message-status", receipts)),
        "addresses": say(h.single(0, "application/vnd.hushwing.addresses+cbor", addresses)),
        "inquiry": say(h.single(0, "application/vnd.hushwing.inquiry+cbor", inquiry)),
    }


def links():
    seed, place = bytes([1] * 32), bytes(range(80))
    secret = h.secret(seed)
    one_time = h.link_body("i", 1, place, secret, 1_790_000_000)
    reusable = h.link_body("c", 2, b"", secret, 0)
    preview = h.cbor([1, "Alice", PNG])
    full = [1, 5, True, 1_790_000_000, b"key package", bytes([3] * 1_216), [b"where"], preview,
            [bytes([7] * 16), "Rowing"]]
    bare = [1, 0, False, None, b"key package", bytes([3] * 1_216), [], None, None]
    digits, code = h.safety(GROUP, bytes([2] * 32), bytes([3] * 32))
    return {
        "fixed": h.fixed(seed).hex(),
        "secret": secret.hex(),
        "one-time": "hushwing:i#" + one_time,
        "web": "https://relay.example.org:8443/i#" + one_time,
        "reusable": "hushwing:c#" + reusable,
        "bundle-reusable": h.signed_bundle(seed, full).hex(),
        "bundle-one-time": h.signed_bundle(seed, bare).hex(),
        "safety-digits": digits,
        "safety-code": code,
    }


def write(folder, file, comment, rows):
    lines = [*comment, "# Written by interop/vectors/generate.py."]
    lines += [" ".join(row) for row in rows]
    (folder / file).write_text("\n".join(lines) + "\n")


def main():
    said = [
        (kind, h.message_id(SENDER, GROUP, encoded, SALT).hex(), encoded.hex())
        for kind, encoded in contents().items()
    ]
    named = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    about = ["# One per line: name, message id, encoded message."]
    write(named or CRATES / CONTENT, "hushwing-content-1.txt", about, said)
    about = ["# One per line: name, value."]
    write(named or CRATES / CONTENT, "hushwing-link-1.txt", about, links().items())
    spoken = h.single(1, h.PLAIN, "Grüße, 👋".encode())
    proofs = proof.rows(SALT, STAMP, spoken)
    write(named or CRATES / CONTENT, "hushwing-proof-1.txt", about, proofs)
    write(named or CRATES / ENVELOPE, "regular.txt", envelope.ABOUT, envelope.rows())
    write(named or CRATES / RELAY, "sender_keys.txt", sender_key.ABOUT, sender_key.rows())


if __name__ == "__main__":
    main()
