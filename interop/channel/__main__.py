"""Checks vectors of channels: `python -m channel FILE`.

Each post must open to its content, and none with one bit changed, cut short, or opened
with the keys of another generation or of a later post may. The offer must be signed for
its admission, conversation, publisher and reader, and for no other."""

import json
import sys
from pathlib import Path

from .offer import Bond, is_offered
from .post import Chain, Refused, derive, name_of, open_post, place_of


def is_refused(post, public, chain):
    try:
        open_post(post, public, chain)
    except Refused:
        return True
    return False


def check(post, content, number, public, chain):
    assert open_post(post, public, chain) == (number, content), number
    for at in range(len(post)):
        for bit in range(8):
            other = bytearray(post)
            other[at] ^= 1 << bit
            assert is_refused(bytes(other), public, chain), (number, at, bit)
        assert is_refused(post[:at], public, chain), (number, at)
    assert is_refused(post + b"\0", public, chain), number
    other = Chain(chain.generation + 1, chain.next, chain.key)
    assert is_refused(post, public, other), number


def check_offer(word, public):
    bond = Bond(b"\x66" * 16, b"\x77" * 32, b"\x88" * 32)
    assert is_offered(word, public, 9, bond)
    for other in (
        Bond(b"\x67" * 16, bond.publisher, bond.reader),
        Bond(bond.conversation, bond.reader, bond.publisher),
        Bond(bond.conversation, bond.publisher, bond.publisher),
    ):
        assert not is_offered(word, public, 9, other), other
    assert not is_offered(word, public, 10, bond)
    for at in range(len(word)):
        other = bytearray(word)
        other[at] ^= 1
        assert not is_offered(bytes(other), public, 9, bond), at


def main(arguments):
    read = json.loads(Path(arguments[0]).read_text())
    vector = {name: bytes.fromhex(value) for name, value in read.items() if name != "about"}
    public, channel = vector["public"], vector["channel"]
    assert channel == name_of(public)
    chain = Chain(2, 5, vector["chain"])
    for name, number in (("first", 5), ("third", 7), ("void", 8)):
        check(vector[name], vector[name + " content"], number, public, chain)
    key = chain.key
    for passed in (5, 6):
        key = derive(key, b"hushwing channel next", place_of(channel, 2, passed))
    late = Chain(2, 7, key)
    assert open_post(vector["third"], public, late) == (7, vector["third content"])
    assert is_refused(vector["first"], public, late)
    check_offer(vector["offer"], public)
    print("ok")


main(sys.argv[1:])
