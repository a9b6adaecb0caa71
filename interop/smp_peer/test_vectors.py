"""The vectors of SMP 12, with the libraries of this peer."""

import unittest

import nacl.bindings as sodium

from . import crypto
from .encoding import pad


def counting(start, count):
    return bytes(range(start, start + count))


class Vectors(unittest.TestCase):
    def test_chains_start_from_session_id_and_secret(self):
        server, client = crypto.chains(counting(0xC8, 32), counting(0, 32))
        self.assertEqual(
            server.key.hex(), "60088c2491366ba15637a64db25fdb6f232f1eeb475dc988b8a79ebf021e21c1"
        )
        self.assertEqual(
            client.key.hex(), "10da80bb03fb647bfa5afef1c155c7e4027f9312ab696d868bceb17253ee4e39"
        )

    def test_a_chain_steps(self):
        chain, _ = crypto.chains(counting(0xC8, 32), counting(0, 32))
        key, nonce = chain.step()
        self.assertEqual(
            chain.key.hex(), "05b3bcc817776931d3a14779d3221ea2eddde97f7d6caa310564ca93369d915e"
        )
        self.assertEqual(
            key.hex(), "b7bab506bbc9d11d417438971227f084c837b9ed80403df0b7788e486b96d917"
        )
        self.assertEqual(nonce.hex(), "7ae0b5f023c7ae1f3a081444a39ee2c4fc895baeb5490fbf")

    def test_a_box_has_the_extra_hsalsa20(self):
        sealed = crypto.box(counting(0, 32), counting(0x64, 24), pad(b"hello", 32))
        self.assertEqual(
            sealed.hex(),
            "dc06b79187faaa671ffa795f4fb1c1621b92ea563fad3d6b"
            "0e2b551032511630572d1c11afcfab421178bc2773211d66",
        )

    def test_an_authenticator_is_a_box_of_the_hash(self):
        proof = crypto.authenticator(counting(0, 32), counting(0x64, 24), b"authorized")
        self.assertEqual(
            proof.hex(),
            "89803cbc3df4a0d0c5eec74775c14cfe5b00459fa7a6d6c5c804c79892ad6623"
            "c29e61545026c8c83a7c2a4204419037f8617bb672aa1623d79dadaa3d64059e"
            "008c9cad40d4ba7ffdd86fe6f8b6b5e9",
        )

    def test_with_agreed_keys_a_box_is_that_of_nacl(self):
        one, other = crypto.Authenticator(), crypto.Authenticator()
        secret = one.key.exchange(other.key.public_key())
        nonce = counting(0, 24)
        theirs = sodium.crypto_box(
            b"hello", nonce, other.key.public_key().public_bytes_raw(), one.key.private_bytes_raw()
        )
        self.assertEqual(crypto.box(secret, nonce, b"hello"), theirs)

    def test_nonces_are_filled_with_zeros_or_cut(self):
        key = counting(0, 32)
        self.assertEqual(crypto.box(key, b"1", b"x"), crypto.box(key, b"1" + bytes(23), b"x"))
        long = counting(0, 30)
        self.assertEqual(crypto.box(key, long, b"x"), crypto.box(key, long[:24], b"x"))


if __name__ == "__main__":
    unittest.main()
