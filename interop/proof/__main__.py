"""Checks proof files: `python -m proof [--every-byte] FILE…`.

Prints what each proves as JSON, or ends with 1 and says why one proves nothing.
With --every-byte each file must also be refused with any one of its bytes changed.

`python -m proof --wish WISH CONVERSATION SENDER RECEIVER`, all in hexadecimal, prints
the key that a wish tells, and checks that each of its bytes counts, and each of what it
is for."""

import json
import sys
from pathlib import Path

from .check import Refused, check
from .wish import told_key


def is_refused(raw):
    try:
        check(raw)
    except Refused:
        return True
    return False


def changed(raw):
    """The file with each of its bytes changed, in three ways."""
    for at in range(len(raw)):
        for bits in (0x01, 0x20, 0x80):
            yield at, raw[:at] + bytes([raw[at] ^ bits]) + raw[at + 1:]


def check_wish(values):
    values = [bytes.fromhex(value) for value in values]
    print(told_key(*values).hex())
    for which, value in enumerate(values):
        for at, other in changed(value):
            bent = values[:which] + [other] + values[which + 1:]
            try:
                told_key(*bent)
            except Refused:
                continue
            print(f"a wish is taken with byte {at} of value {which} changed", file=sys.stderr)
            return 1
    return 0


def main(arguments):
    if arguments[:1] == ["--wish"]:
        return check_wish(arguments[1:])
    every_byte = "--every-byte" in arguments
    for name in arguments:
        if name == "--every-byte":
            continue
        raw = Path(name).read_bytes()
        try:
            print(json.dumps(check(raw)))
        except Refused as why:
            print(f"{name} proves nothing: {why}", file=sys.stderr)
            return 1
        if every_byte:
            for at, other in changed(raw):
                if not is_refused(other):
                    print(f"{name} is taken with byte {at} changed", file=sys.stderr)
                    return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
