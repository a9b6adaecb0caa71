"""Box, chains, keys and authorisation, SMP 1, 3 and 4. Every primitive is a
library's: libsodium, OpenSSL, PyCryptodome."""

import hashlib
import struct

import nacl.bindings as sodium
from Crypto.Cipher import Salsa20
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from .encoding import pad, unpad

DER = serialization.Encoding.DER
SPKI = serialization.PublicFormat.SubjectPublicKeyInfo
CONTENT = 16_368


def hsalsa20(key):
    """HSalsa20(key, 16 zero bytes). No Python library offers it, but it is the
    first block of Salsa20 without its last addition, and what is added there
    is known: the constant, and zeros in the places of nonce and counter."""
    words = struct.unpack("<16I", Salsa20.new(key=key, nonce=bytes(8)).encrypt(bytes(64)))
    constant = struct.unpack("<4I", b"expand 32-byte k")
    diagonal = [(words[5 * i] - constant[i]) % 2**32 for i in range(4)]
    return struct.pack("<8I", *diagonal, *words[6:10])


def whole(nonce):
    return nonce[:24].ljust(24, b"\0")


def box(key, nonce, message):
    return sodium.crypto_secretbox(message, whole(nonce), hsalsa20(key))


def unbox(key, nonce, sealed):
    return sodium.crypto_secretbox_open(sealed, whole(nonce), hsalsa20(key))


def hkdf(salt, secret, info, length):
    return HKDF(hashes.SHA512(), length, salt, info).derive(secret)


class Chain:
    """The keys of one direction, one for each block."""

    def __init__(self, key):
        self.key = key

    def step(self):
        out = hkdf(b"", self.key, b"SimpleXSbChain", 88)
        self.key = out[:32]
        return out[32:64], out[64:]

    def seal(self, content):
        return box(*self.step(), pad(content, CONTENT))

    def open(self, block):
        return unpad(unbox(*self.step(), block))


def chains(session, secret):
    """CK1, of the server, and CK2, of the client."""
    both = hkdf(session, secret, b"SimpleXSbChainInit", 64)
    return Chain(both[:32]), Chain(both[32:])


def public(key):
    return key.public_key().public_bytes(DER, SPKI)


def load(spki):
    return serialization.load_der_public_key(spki)


def signed_key(leaf, der):
    """The SPKI within a signed key, if `leaf` signed it, and its key."""
    whole, rest = value(der)
    assert rest == b"", "bytes after the signed key"
    _, after = value(whole)
    spki = whole[: len(whole) - len(after)]
    _, after = value(after)
    signature, rest = value(after)
    assert rest == b"" and signature[0] == 0, "not a signature"
    leaf.verify(signature[1:], spki)
    return load(spki)


def value(der):
    """The value of the first item of `der`, and what follows it."""
    length, head = der[1], 2
    if length & 0x80:
        head += length & 0x7F
        length = int.from_bytes(der[2:head], "big")
    assert len(der) >= head + length, "DER ends early"
    return der[head : head + length], der[head + length :]


class Signer:
    """A queue key that signs."""

    def __init__(self, kind=Ed25519PrivateKey):
        self.key = kind.generate()
        self.public = public(self.key)

    def authorise(self, _server_key, _correlation, authorised):
        return self.key.sign(authorised)


class Ed448Signer(Signer):
    def __init__(self):
        super().__init__(Ed448PrivateKey)


class Authenticator:
    """A queue key that agrees with the server's key of the session."""

    def __init__(self):
        self.key = X25519PrivateKey.generate()
        self.public = public(self.key)

    def authorise(self, server_key, correlation, authorised):
        return authenticator(self.key.exchange(server_key), correlation, authorised)


def authenticator(secret, correlation, authorised):
    return box(secret, correlation, hashlib.sha512(authorised).digest())
