"""Opens a hidden profile: `python -m slots FOLDER NAME [PASSPHRASE]`, the passphrase
else from `HUSHWING_PASSPHRASE`.

Prints as JSON what its slot holds, or ends with 1. Written from `protocol/slots.md`
alone. With no daemon running: nothing is locked here."""

import json
import os
import sqlite3
import sys
from pathlib import Path

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt as opened
from nacl.exceptions import CryptoError

SLOT, SALT, FIRST, SECOND, HALF = 8 * 1024 * 1024, 32, 4_096, 4_194_304, 4_190_208


class Broken(Exception):
    """What was sealed is no image."""


def images(passphrase, number, raw):
    """What is sealed in the halves of a slot."""
    salt, halves = raw[:SALT], [raw[at:at + HALF] for at in (FIRST, SECOND)]
    stretch = Argon2id(salt=salt, length=32, iterations=3, lanes=4, memory_cost=64 * 1024)
    key = stretch.derive(passphrase)
    for which, half in enumerate(halves):
        label = b"hushwing slot v1" + bytes([number, which, 1])
        try:
            yield read(opened(half[24:], label, half[:24], key))
        except CryptoError:
            pass


def read(image):
    """An image taken apart."""
    if image[0] != 1:
        raise Broken("another version")
    at = 22
    lengths = [image[9]] + [int.from_bytes(image[i:i + 4], "big") for i in (10, 14, 18)]
    parts = []
    for length in lengths:
        if at + length > len(image):
            raise Broken("cut short")
        parts.append(image[at:at + length])
        at += length
    if any(image[at:]):
        raise Broken("no zeros behind it")
    name, settings, profile, relay = parts
    if not 1 <= len(name) <= 64 or len(settings) > 16_384:
        raise Broken("its lengths")
    sequence = int.from_bytes(image[1:9], "big")
    return sequence, name.decode(), json.loads(settings), (profile, relay)


def looked_through(database):
    """What SQLite says of a database."""
    if not database:
        return None
    connection = sqlite3.connect(":memory:")
    connection.deserialize(database)
    (verdict,) = connection.execute("PRAGMA integrity_check").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return {"integrity": verdict, "version": version, "bytes": len(database)}


def main(folder, name, passphrase=None):
    passphrase = (passphrase or os.environ["HUSHWING_PASSPHRASE"]).encode()
    found = []
    for number in range(8):
        raw = (Path(folder) / str(number)).read_bytes()
        if len(raw) != SLOT:
            sys.exit(f"slot {number} has another size")
        newest = max(images(passphrase, number, raw), key=lambda image: image[0], default=None)
        if newest and newest[1] == name:
            found.append(newest)
    if not found:
        sys.exit("no profile is found by this name and passphrase")
    sequence, name, settings, databases = found[0]
    profile, relay = map(looked_through, databases)
    print(json.dumps({
        "name": name,
        "sequence": sequence,
        "settings": settings,
        "profile": profile,
        "relay": relay,
    }))


main(*sys.argv[1:])
