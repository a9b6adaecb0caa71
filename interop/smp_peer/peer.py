"""An SMP client of its own, written from protocol/smp.md."""

import hashlib
import hmac
import os
import socket
import ssl
import struct
import sys

from nacl.bindings import (
    crypto_box_beforenm,
    crypto_box_open_afternm,
    crypto_scalarmult,
    crypto_secretbox,
    crypto_secretbox_open,
)
from nacl.public import PrivateKey
from nacl.signing import SigningKey, VerifyKey

BLOCK = 16384
ED25519 = bytes.fromhex("302a300506032b6570032100")
X25519 = bytes.fromhex("302a300506032b656e032100")


# Section 1: encoding, box, HKDF.

def string(data):
    return bytes([len(data)]) + data


def big(data):
    return struct.pack(">H", len(data)) + data


def pad(message, size):
    return (big(message)).ljust(size, b"#")


def unpad(padded):
    (length,) = struct.unpack(">H", padded[:2])
    assert length <= len(padded) - 2
    return padded[2:2 + length]


class Reader:
    def __init__(self, data):
        self.data = data

    def take(self, size):
        assert size <= len(self.data), "cut short"
        head, self.data = self.data[:size], self.data[size:]
        return head

    def number(self, size):
        return int.from_bytes(self.take(size), "big")

    def string(self):
        return self.take(self.number(1))

    def big(self):
        return self.take(self.number(2))

    def optional(self, read):
        mark = self.take(1)
        assert mark in b"01"
        return read() if mark == b"1" else None


def rotate(value, by):
    value &= 0xFFFFFFFF
    return (value << by | value >> (32 - by)) & 0xFFFFFFFF


def hsalsa20(key, block):
    """The core of Salsa20 without the final addition."""
    c, k, n = (struct.unpack("<%dI" % (len(x) // 4), x)
               for x in (b"expand 32-byte k", key, block))
    x = [c[0], *k[:4], c[1], *n, c[2], *k[4:], c[3]]
    for _ in range(10):
        for step in (4, 1):
            for i in range(4):
                # Columns go down by 4, rows right by 1, both round the corner.
                if step == 4:
                    a, b, d, e = (5 * i + 4 * j & 15 for j in range(4))
                else:
                    a, b, d, e = (4 * i + (i + j & 3) for j in range(4))
                x[b] ^= rotate(x[a] + x[e], 7)
                x[d] ^= rotate(x[b] + x[a], 9)
                x[e] ^= rotate(x[d] + x[b], 13)
                x[a] ^= rotate(x[e] + x[d], 18)
    return struct.pack("<8I", *(x[i] for i in (0, 5, 10, 15, 6, 7, 8, 9)))


def box(key, nonce, message):
    return crypto_secretbox(message, nonce, hsalsa20(key, bytes(16)))


def open_box(key, nonce, sealed):
    return crypto_secretbox_open(sealed, nonce, hsalsa20(key, bytes(16)))


def hkdf(salt, secret, info, size):
    key = hmac.digest(salt or bytes(64), secret, "sha512")
    out, last, count = b"", b"", 1
    while len(out) < size:
        last = hmac.digest(key, last + info + bytes([count]), "sha512")
        out, count = out + last, count + 1
    return out[:size]


# Section 3: connection.

def der(data):
    """Content of the first DER element, the element whole, and the rest."""
    size, start = data[1], 2
    if size & 0x80:
        start = 2 + (size & 0x7F)
        size = int.from_bytes(data[2:start], "big")
    end = start + size
    return data[start:end], data[:end], data[end:]


def signed_by(certificate, key):
    content, _, _ = der(certificate)
    _, signed, rest = der(content)
    _, _, rest = der(rest)
    bits, _, _ = der(rest)
    VerifyKey(key).verify(signed, bits[1:])


def certificate_key(certificate):
    at = certificate.index(ED25519) + len(ED25519)
    return certificate[at:at + 32]


class Session:
    def __init__(self, host, port, fingerprint, version):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # the fingerprint is checked below
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.set_alpn_protocols(["smp/1"])
        plain = socket.create_connection((host, port), timeout=30)
        self.stream = context.wrap_socket(plain)
        assert self.stream.cipher()[0] == "TLS_CHACHA20_POLY1305_SHA256"
        assert self.stream.selected_alpn_protocol() == "smp/1"
        self.version, self.chains, self.waiting = version, None, []
        # Without resumption this is the client's Finished.
        self.id = self.stream.get_channel_binding("tls-unique")
        assert len(self.id) == 32
        self.greet(fingerprint)

    def greet(self, fingerprint):
        hello = Reader(unpad(self.read()))
        lowest, highest = hello.number(2), hello.number(2)
        assert lowest <= self.version <= highest
        assert hello.string() == self.id
        chain = [hello.big() for _ in range(hello.number(1))]
        signed = hello.big()
        assert chain[0] == self.stream.getpeercert(binary_form=True)
        assert hashlib.sha256(chain[1]).digest() == fingerprint
        identity = certificate_key(chain[1])
        signed_by(chain[0], identity)
        signed_by(chain[1], identity)
        content, _, _ = der(signed)
        _, spki, rest = der(content)
        _, _, rest = der(rest)
        bits, _, _ = der(rest)
        VerifyKey(certificate_key(chain[0])).verify(spki, bits[1:])
        assert spki[:12] == X25519
        own = PrivateKey.generate()
        answer = struct.pack(">H", self.version) + string(fingerprint)
        answer += string(X25519 + bytes(own.public_key))
        if self.version >= 14:
            answer += b"F"
        if self.version >= 16:
            answer += b"0"
        self.stream.sendall(pad(answer, BLOCK))
        if self.version >= 11:
            secret = crypto_scalarmult(bytes(own), spki[12:])
            keys = hkdf(self.id, secret, b"SimpleXSbChainInit", 64)
            # The server sends with the first and receives with the second.
            self.chains = {"in": keys[:32], "out": keys[32:]}

    def read(self):
        block = b""
        while len(block) < BLOCK:
            part = self.stream.recv(BLOCK - len(block))
            assert part, "the server closed"
            block += part
        return block

    def step(self, way):
        out = hkdf(b"", self.chains[way], b"SimpleXSbChain", 88)
        self.chains[way] = out[:32]
        return out[32:64], out[64:]

    # Section 4: transmissions.

    def send(self, key, entity, command):
        correlation = os.urandom(24)
        rest = string(correlation) + string(entity) + command
        auth = key.sign(string(self.id) + rest).signature if key else b""
        mark = b"0" if self.version >= 16 and auth else b""
        content = b"\x01" + big(string(auth) + mark + rest)
        if self.chains:
            secret, nonce = self.step("out")
            self.stream.sendall(box(secret, nonce, pad(content, BLOCK - 16)))
        else:
            self.stream.sendall(pad(content, BLOCK))
        return correlation

    def receive(self):
        block = self.read()
        if self.chains:
            secret, nonce = self.step("in")
            block = open_box(secret, nonce, block)
        batch = Reader(unpad(block))
        for _ in range(batch.number(1)):
            item = Reader(batch.big())
            assert item.string() == b""
            self.waiting.append((item.string(), item.string(), item.data))
        assert not batch.data

    def wait(self, fits):
        while True:
            for reply in self.waiting:
                if fits(reply):
                    self.waiting.remove(reply)
                    return reply
            self.receive()

    def ask(self, key, entity, command):
        correlation = self.send(key, entity, command)
        reply = self.wait(lambda reply: reply[0] == correlation)
        assert reply[1] == entity or reply[2].startswith(b"ERR")
        return reply[2]

    def event(self):
        return self.wait(lambda reply: reply[0] == b"")


# Section 5: commands.

class Queue:
    def __init__(self, session):
        self.key, self.dh = SigningKey.generate(), PrivateKey.generate()
        version = session.version
        command = b"NEW " + string(ED25519 + bytes(self.key.verify_key))
        command += string(X25519 + bytes(self.dh.public_key))
        if version >= 15:
            command += b"0" + b"S" + b"1M0"
        elif version >= 9:
            command += b"0" + b"S" + b"T"
        else:
            command += b"S"
        if version >= 17:
            command += b"0"
        answer = session.ask(self.key, b"", command)
        assert answer.startswith(b"IDS "), answer
        ids = Reader(answer[4:])
        self.recipient, self.sender = ids.string(), ids.string()
        spki = ids.string()
        assert spki[:12] == X25519
        self.shared = crypto_box_beforenm(spki[12:], bytes(self.dh))
        if version >= 15:
            assert ids.optional(lambda: ids.take(1)) == b"M"
            assert ids.optional(ids.string) is None
        elif version >= 9:
            assert ids.take(1) == b"T"
        if version >= 16:
            assert ids.optional(ids.string) is None
        if version >= 17:
            assert ids.take(1) == b"0"
        assert not ids.data

    def open(self, text):
        assert text.startswith(b"MSG "), text[:40]
        message = Reader(text[4:])
        name = message.string()
        assert len(message.data) == 16122
        content = unpad(crypto_box_open_afternm(message.data, name, self.shared))
        assert len(content) >= 10 and content[8:10] in (b"T ", b"F ")
        return name, content[10:]


def converse(host, port, fingerprint, version):
    alice, bob = (Session(host, port, fingerprint, version) for _ in range(2))
    queue, key, done = Queue(alice), None, b"OK"
    if version >= 9:
        key = SigningKey.generate()
        secure = b"SKEY " + string(ED25519 + bytes(key.verify_key))
        assert bob.ask(key, queue.sender, secure) == done
        assert bob.ask(None, queue.sender, b"SEND F unsigned") == b"ERR AUTH"
    bodies = [os.urandom(16048), b"second"]
    for body in bodies:
        assert bob.ask(key, queue.sender, b"SEND F " + body) == done

    _, entity, text = alice.event()
    assert entity == queue.recipient
    name, body = queue.open(text)
    assert body == bodies[0]
    # A connection of its own takes over and is given the same message.
    other = Session(host, port, fingerprint, version)
    subscribed = other.ask(queue.key, queue.recipient, b"SUB")
    assert subscribed == (b"SOK 0" if version >= 16 else done), subscribed
    assert queue.open(other.event()[2]) == (name, bodies[0])
    assert alice.event()[2] == b"END"
    name, body = queue.open(other.ask(queue.key, queue.recipient, b"ACK " + string(name)))
    assert body == bodies[1]
    assert other.ask(queue.key, queue.recipient, b"ACK " + string(name)) == done
    assert other.ask(queue.key, queue.recipient, b"ACK " + string(name)) == b"ERR NO_MSG"
    assert other.ask(None, b"", b"PING") == b"PONG"


if __name__ == "__main__":
    host, port, fingerprint, version = sys.argv[1:]
    converse(host, int(port), bytes.fromhex(fingerprint), int(version))
    print("ok")
