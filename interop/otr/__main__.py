"""Checks transcripts of stretches off the record: `python -m otr FILE`.

FILE has several: a real one and forged ones. All must be taken, none with any byte
changed, and none may differ from the real one in its form."""

import json
import sys
from pathlib import Path

from proof import cbor

from .check import Refused, check


def is_refused(raw):
    try:
        check(raw)
    except Refused:
        return True
    return False


def form(value):
    """What is left of a transcript without its values: kinds, and lengths of what has
    a fixed one."""
    if isinstance(value, list):
        return [form(item) for item in value]
    if isinstance(value, bytes):
        return len(value)
    return type(value).__name__


def without_words(raw):
    """The form of a transcript, but for how many words are said and how long each
    is."""
    *rest, said, seeds = cbor.read(raw)
    lines = {str(form([leaf, epoch, signature])) for leaf, epoch, _, signature in said}
    return form(rest), sorted(lines), form(seeds)


def main(arguments):
    read = json.loads(Path(arguments[0]).read_text())
    transcripts = {name: bytes.fromhex(raw) for name, raw in read.items() if name != "about"}
    real = transcripts["real"]
    said = {name: check(raw) for name, raw in transcripts.items()}
    for name, raw in transcripts.items():
        assert without_words(raw) == without_words(real), name
        for at in range(len(raw)):
            for bits in (0x01, 0x80):
                other = raw[:at] + bytes([raw[at] ^ bits]) + raw[at + 1:]
                assert is_refused(other), (name, at)
    lines = {name: [text for _, text in lines] for name, (lines, _) in said.items()}
    assert all(revealed for _, revealed in said.values())
    assert all(lines[name] != lines["real"] for name in lines if name != "real")
    print(json.dumps(lines))
    print("ok")


main(sys.argv[1:])
