"""Checks vectors of side letters: `python -m side_letter FILE`.

The letter must open to its content, and no letter with one bit changed, cut
short, or opened in another state may."""

import json
import sys
from pathlib import Path

from .letter import Refused, open_letter


def is_refused(letter, vector, state):
    try:
        open_letter(letter, vector["exported"], state, vector["public"])
    except Refused:
        return True
    return False


def main(arguments):
    read = json.loads(Path(arguments[0]).read_text())
    vector = {name: bytes.fromhex(value) for name, value in read.items() if name != "about"}
    letter, state = vector["letter"], vector["state"]
    opened = open_letter(letter, vector["exported"], state, vector["public"])
    assert opened.content == vector["content"], opened
    assert opened.context == vector["context"], opened
    for at in range(len(letter)):
        for bit in range(8):
            other = bytearray(letter)
            other[at] ^= 1 << bit
            assert is_refused(bytes(other), vector, state), (at, bit)
        assert is_refused(letter[:at], vector, state), at
    assert is_refused(letter, vector, bytes([state[0], state[31] ^ 1]) + state[2:])
    assert is_refused(letter, vector, state[:31] + bytes([state[31] ^ 1]))
    print("ok")


main(sys.argv[1:])
