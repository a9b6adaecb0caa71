#!/usr/bin/env python3
"""A second model of frames and the regular seal, written from
protocol/envelope.md. Writes the vectors the Rust tests compare with; needs
libsodium. Run it from anywhere."""

import ctypes
import ctypes.util
from pathlib import Path

FILE = Path(__file__).parents[2] / "crates/delivery/tests/office/vectors/regular.txt"
CONTEXT = b"hushwing envelope 1"
PAYLOAD, HEAD = 15_000, 26

sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))


def frames(repeat, letter):
    room = PAYLOAD - HEAD
    chunks = [letter[at:at + room] for at in range(0, len(letter), room)] or [b""]
    for index, chunk in enumerate(chunks):
        head = bytes([1, 0]) + repeat + index.to_bytes(2, "big")
        head += len(chunks).to_bytes(2, "big") + len(letter).to_bytes(4, "big")
        yield (head + chunk).ljust(PAYLOAD, b"\0")


def seal(secret, nonce, frame):
    out = ctypes.create_string_buffer(len(frame) + 16)
    sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
        out, None, frame, ctypes.c_ulonglong(len(frame)),
        CONTEXT, ctypes.c_ulonglong(len(CONTEXT)), None, nonce, secret)
    return nonce + out.raw


def main():
    secret, repeat = bytes([7] * 32), bytes(range(16))
    letters = [b"", b"hello", bytes(n % 251 for n in range(40_000))]
    lines = ["# Letters under the secret 07 x 32 and the repeat id 00..0f, sealed by",
             "# interop/vectors/envelope.py with libsodium. The tag covers every byte.",
             "# length of the letter, nonce, first 64 bytes of ciphertext, tag"]
    number = 0
    for letter in letters:
        for frame in frames(repeat, letter):
            number += 1
            nonce = bytes([number] * 24)
            envelope = seal(secret, nonce, frame)
            assert len(envelope) == 15_040
            shown = envelope[24:88].hex(), envelope[-16:].hex()
            lines.append(" ".join([str(len(letter)), nonce.hex(), *shown]))
    FILE.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    sodium.sodium_init()
    main()
