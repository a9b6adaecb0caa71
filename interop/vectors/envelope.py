"""A second model of frames and the regular seal, written from
protocol/envelope.md."""

from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt as encrypt

ABOUT = [
    "# Letters under the secret 07 x 32 and the repeat id 00..0f, sealed by",
    "# libsodium. The tag covers every byte. Length of the letter, nonce, first 64",
    "# bytes of ciphertext, tag.",
]
CONTEXT = b"hushwing envelope 1"
PAYLOAD, HEAD = 15_000, 26


def frames(repeat, letter):
    room = PAYLOAD - HEAD
    chunks = [letter[at:at + room] for at in range(0, len(letter), room)] or [b""]
    for index, chunk in enumerate(chunks):
        head = bytes([1, 0]) + repeat + index.to_bytes(2, "big")
        head += len(chunks).to_bytes(2, "big") + len(letter).to_bytes(4, "big")
        yield (head + chunk).ljust(PAYLOAD, b"\0")


def seal(secret, nonce, frame):
    return nonce + encrypt(frame, CONTEXT, nonce, secret)


def rows():
    secret, repeat = bytes([7] * 32), bytes(range(16))
    letters = [b"", b"hello", bytes(n % 251 for n in range(40_000))]
    number = 0
    for letter in letters:
        for frame in frames(repeat, letter):
            number += 1
            nonce = bytes([number] * 24)
            envelope = seal(secret, nonce, frame)
            assert len(envelope) == 15_040
            shown = envelope[24:88].hex(), envelope[-16:].hex()
            yield [str(len(letter)), nonce.hex(), *shown]
