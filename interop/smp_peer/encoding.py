"""Encodings, SMP 1."""


def u16(number):
    return number.to_bytes(2, "big")


def short(data):
    """`str`"""
    return bytes([len(data)]) + data


def big(data):
    return u16(len(data)) + data


def pad(data, length):
    assert len(data) + 2 <= length, "too long for its block"
    return big(data).ljust(length, b"#")


class Reader:
    """Reads fields one after another; `end` says that nothing may be left."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        taken = self.data[self.at : self.at + count]
        assert len(taken) == count, "ends within a field"
        self.at += count
        return taken

    def u8(self):
        return self.take(1)[0]

    def u16(self):
        return int.from_bytes(self.take(2), "big")

    def i64(self):
        return int.from_bytes(self.take(8), "big", signed=True)

    def short(self):
        return self.take(self.u8())

    def big(self):
        return self.take(self.u16())

    def list1(self, item):
        count = self.u8()
        assert count > 0, "an empty list"
        return [item() for _ in range(count)]

    def optional(self, item):
        present = self.take(1)
        assert present in (b"0", b"1"), "neither there nor not there"
        return item() if present == b"1" else None

    def flag(self):
        value = self.take(1)
        assert value in (b"T", b"F"), "neither true nor false"
        return value == b"T"

    def literal(self, expected):
        assert self.take(len(expected)) == expected, f"not {expected!r}"

    def tail(self):
        return self.take(len(self.data) - self.at)

    def end(self):
        assert self.at == len(self.data), "bytes are left over"


def unpad(data):
    """What was padded; nobody looks at the fill."""
    return Reader(data).big()
