"""CBOR in the one form of RFC 8949 section 4.2.1, as protocol/content.md section 1
asks for it."""


class Malformed(Exception):
    """Bytes that are not the one encoding of what they ought to be."""


class Tagged:
    """A tagged value."""

    def __init__(self, number, value):
        self.number, self.value = number, value


def head(major, number):
    if number < 24:
        return bytes([major << 5 | number])
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 1 << (8 * size):
            return bytes([major << 5 | info]) + number.to_bytes(size, "big")
    raise Malformed("number too large")


def write(value):
    if value is None:
        return b"\xf6"
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        encoded = value.encode()
        return head(3, len(encoded)) + encoded
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(write(item) for item in value)
    if isinstance(value, Tagged):
        return head(6, value.number) + write(value.value)
    if isinstance(value, dict):
        entries = sorted((write(key), write(item)) for key, item in value.items())
        return head(5, len(entries)) + b"".join(key + item for key, item in entries)
    raise Malformed("no such value")


def read(data):
    """The value that fills `data`, if `data` is its one encoding."""
    value, end = _value(data, 0, 0)
    if end != len(data) or write(value) != data:
        raise Malformed("not the one encoding of a value")
    return value


def _take(data, at, count):
    if count > len(data) - at:
        raise Malformed("cut off")
    return data[at:at + count], at + count


def _value(data, at, depth):
    if depth > 16:
        raise Malformed("nested too deeply")
    (first,), at = _take(data, at, 1)
    major, info = first >> 5, first & 31
    if major == 7:
        if info not in (20, 21, 22):
            raise Malformed("no such value")
        return {20: False, 21: True, 22: None}[info], at
    if info > 27:
        raise Malformed("indefinite length")
    number = info
    if info >= 24:
        raw, at = _take(data, at, 1 << (info - 24))
        number = int.from_bytes(raw, "big")
    if major in (0, 1):
        return (number if major == 0 else -1 - number), at
    if major in (2, 3):
        raw, at = _take(data, at, number)
        try:
            return (raw if major == 2 else raw.decode()), at
        except UnicodeDecodeError as error:
            raise Malformed("text that is not UTF-8") from error
    if major == 6:
        value, at = _value(data, at, depth + 1)
        return Tagged(number, value), at
    if number > len(data):
        raise Malformed("more elements than bytes")
    if major == 4:
        items = []
        for _ in range(number):
            item, at = _value(data, at, depth + 1)
            items.append(item)
        return items, at
    entries = {}
    for _ in range(number):
        key, at = _value(data, at, depth + 1)
        if not isinstance(key, (int, str, bytes)) or isinstance(key, bool):
            raise Malformed("no such key")
        entries[key], at = _value(data, at, depth + 1)
    return entries, at
