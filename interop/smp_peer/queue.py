"""Commands and answers by version, SMP 5 to 7."""

import time
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from . import crypto
from .encoding import Reader, big, short
from .session import Command

SEALED = 16_122


def body_limit(version):
    return 16_048 if version >= 11 else 16_064


@dataclass
class Message:
    id: bytes
    sealed: bytes
    notify: bool
    body: bytes


class Queue:
    """A queue as its recipient knows it."""

    def __init__(self, session, key, link=None, correlation=b""):
        self.key, self.dh = key, X25519PrivateKey.generate()
        text = b"NEW " + short(key.public) + short(crypto.public(self.dh))
        text += new_parameters(session.version, link)
        answer = session.ask(Command(text, key=key, correlation=correlation))
        assert answer.entity == b"", "IDS has no entity"
        ids = Reader(answer.text)
        ids.literal(b"IDS ")
        self.recipient, self.sender = ids.short(), ids.short()
        server = crypto.load(ids.short())
        self.link = read_extras(session.version, ids, link)
        ids.end()
        assert link is not None or len({self.recipient, self.sender}) == 2
        self.secret = self.dh.exchange(server)

    def command(self, text, key=None):
        return Command(text, self.recipient, key or self.key)

    def read(self, received):
        """The message within a MSG."""
        assert received.entity == self.recipient
        message = Reader(received.text)
        message.literal(b"MSG ")
        number, sealed = message.short(), message.tail()
        assert len(number) == 24 and len(sealed) == SEALED
        padded = crypto.unbox(self.secret, number, sealed)
        assert len(padded) == SEALED - 16
        plain = Reader(Reader(padded).big())
        # Whole hours are enough (smp.md 7).
        assert -300 < time.time() - plain.i64() < 3_900, "another time"
        notify = plain.flag()
        plain.literal(b" ")
        return Message(number, sealed, notify, plain.tail())


def new_parameters(version, link):
    if version <= 8:
        return b"S"
    if version <= 14:
        return b"0" + b"S" + b"T"
    request = b"M0"
    if link:
        number, sender, fixed, user = link
        request = b"C1" + short(number) + short(sender) + big(fixed) + big(user)
    notifier = b"0" if version >= 17 else b""
    return b"0" + b"S" + b"1" + request + notifier


def read_extras(version, ids, link):
    """The rest of IDS; gives the link id."""
    if 9 <= version <= 14:
        assert ids.flag(), "the sender may secure"
    number = None
    if version >= 15:
        mode = ids.optional(lambda: ids.take(1))
        assert mode == (b"C" if link else b"M"), "another mode"
        number = ids.optional(ids.short)
    if version >= 16:
        assert ids.optional(ids.short) is None, "we are no service"
    if version >= 17:
        assert ids.optional(ids.short) is None, "we asked for no notifier"
    return number


def send(queue, body, key=None):
    return Command(b"SEND T " + body, queue.sender, key)


def subscribed(version):
    return b"SOK 0" if version >= 16 else b"OK"


def deleted(version):
    return b"DELD" if version >= 10 else b"END"
