"""A connection: TLS, hellos, blocks, batches. SMP 3 and 4."""

import base64
import datetime
import hashlib
import os
import socket
import ssl
from collections import deque
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from . import crypto
from .encoding import Reader, big, pad, short, u16, unpad

BLOCK, BATCH = 16_384, 16_365
PATIENCE = 20


@dataclass
class Address:
    fingerprint: bytes
    host: str
    port: int

    @classmethod
    def parse(cls, text):
        scheme, rest = text.split("://")
        assert scheme == "smp", "not an SMP server"
        who, where = rest.rsplit("@", 1)
        host, _, port = where.partition(":")
        fingerprint = base64.urlsafe_b64decode(who.split(":")[0])
        assert len(fingerprint) == 32, "not a fingerprint"
        return cls(fingerprint, host, int(port or 5223))


@dataclass
class Received:
    """A transmission of the server."""

    correlation: bytes
    entity: bytes
    text: bytes


@dataclass
class Command:
    text: bytes
    entity: bytes = b""
    key: object = None
    correlation: bytes = b""


class Closed(Exception):
    """The server ended the connection."""


class Session:
    def __init__(self, address, version, agree=True, fingerprint=None):
        self.version, self.events = version, deque()
        self.tls = connect(address)
        self.id = self.tls.get_channel_binding("tls-unique")
        assert len(self.id) == 32, "the Finished of another hash"
        self.lowest, self.highest, self.server_key = self.read_hello(address)
        assert self.lowest <= version <= self.highest, "version is not offered"
        self.sending = self.receiving = None
        self.send_hello(fingerprint or address.fingerprint, agree)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tls.close()

    def read_hello(self, address):
        hello = Reader(unpad(self.read_block()))
        lowest, highest = hello.u16(), hello.u16()
        assert hello.short() == self.id, "the session id is not that of this connection"
        chain = hello.list1(hello.big)
        return lowest, highest, self.check(address, chain, hello.big())

    def check(self, address, chain, signed):
        """Everything that makes the server the one of the address."""
        assert 2 <= len(chain) <= 4, "length of the chain"
        assert chain[0] == self.tls.getpeercert(binary_form=True), "not the chain of TLS"
        assert hashlib.sha256(chain[1]).digest() == address.fingerprint, "another identity"
        certificates = [x509.load_der_x509_certificate(der) for der in chain]
        now = datetime.datetime.now(datetime.timezone.utc)
        for one, issuer in zip(certificates, certificates[1:] + certificates[-1:]):
            one.verify_directly_issued_by(issuer)
            assert one.not_valid_before_utc <= now <= one.not_valid_after_utc
        return crypto.signed_key(certificates[0].public_key(), signed)

    def send_hello(self, fingerprint, agree):
        hello = u16(self.version) + short(fingerprint)
        key = X25519PrivateKey.generate()
        if agree:
            hello += short(crypto.public(key))
        if self.version >= 14:
            hello += b"F"
        if self.version >= 16:
            hello += b"0"
        self.tls.sendall(pad(hello, BLOCK))
        if agree and self.version >= 11:
            secret = key.exchange(self.server_key)
            self.receiving, self.sending = crypto.chains(self.id, secret)

    def read_block(self):
        block = b""
        while len(block) < BLOCK:
            try:
                more = self.tls.recv(BLOCK - len(block))
            except ConnectionError as error:
                raise Closed from error
            if not more:
                raise Closed
            block += more
        return block

    def receive(self):
        """The transmissions of the next block."""
        block = self.read_block()
        batch = Reader(self.receiving.open(block) if self.receiving else unpad(block))
        items = batch.list1(batch.big)
        batch.end()
        return [self.parse(Reader(item)) for item in items]

    @staticmethod
    def parse(item):
        assert item.short() == b"", "a server does not authorise"
        return Received(item.short(), item.short(), item.tail())

    def send(self, *commands):
        """All in one block."""
        items = [big(self.transmission(command)) for command in commands]
        assert sum(map(len, items)) <= BATCH, "too much for a block"
        content = bytes([len(items)]) + b"".join(items)
        self.tls.sendall(self.sending.seal(content) if self.sending else pad(content, BLOCK))

    def transmission(self, command):
        command.correlation = command.correlation or os.urandom(24)
        said = short(command.correlation) + short(command.entity) + command.text
        if command.key is None:
            return short(b"") + said
        authorised = short(self.id) + said
        proof = command.key.authorise(self.server_key, command.correlation, authorised)
        service = b"0" if self.version >= 16 else b""
        return short(proof) + service + said

    def call(self, *commands):
        """Sends all and gives the answers in the same order. Events that come
        in between are kept."""
        self.send(*commands)
        answers = {}
        while len(answers) < len(commands):
            for received in self.receive():
                if received.correlation:
                    answers[received.correlation] = received
                else:
                    self.events.append(received)
        assert set(answers) == {command.correlation for command in commands}
        return [answers[command.correlation] for command in commands]

    def ask(self, command):
        """One command; its answer must name the same entity."""
        (answer,) = self.call(command)
        return answer

    def event(self):
        while not self.events:
            received = self.receive()
            assert all(not item.correlation for item in received), "an answer to nothing"
            self.events.extend(received)
        return self.events.popleft()


def connect(address):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    # The chain is judged by SMP's own rules, in Session.check.
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["smp/1"])
    plain = socket.create_connection((address.host, address.port), PATIENCE)
    tls = context.wrap_socket(plain)
    assert tls.selected_alpn_protocol() == "smp/1", "ALPN"
    assert tls.cipher()[0] == "TLS_CHACHA20_POLY1305_SHA256", "cipher suite"
    return tls
