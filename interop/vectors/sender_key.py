"""A second model of the keys by which we write to queues, written from
protocol/smp.md, section 11."""

from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

ABOUT = [
    "# The secret of a profile, the fingerprint of a server, what senders call a queue",
    "# there, and the Ed25519 seed of the key to it.",
]
LABEL = b"hushwing relay sender key 1"


def seed(secret, fingerprint, queue):
    info = LABEL + fingerprint + queue
    return HKDF(SHA512(), 32, salt=None, info=info).derive(secret)


def rows():
    for secret, server, queue in [(1, 2, bytes(range(24))), (1, 3, bytes(24)), (9, 2, b"")]:
        secret, server = bytes([secret] * 32), bytes([server] * 32)
        shown = queue.hex(), seed(secret, server, queue).hex()
        yield [secret.hex(), server.hex(), *shown]
