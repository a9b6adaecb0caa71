"""SQLite's pages: which rows a page holds, where on the page each lies, and
whether anything lies between them."""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from .disk import PAGE, RESERVED

TABLE_LEAF = 0x0D
INDEX_LEAF = 0x0A
INDEX_INNER = 0x02
USABLE = PAGE - RESERVED


@dataclass
class Cell:
    """A row on a page."""

    offset: int
    rowid: int | None
    values: tuple


def varint(page: bytes, at: int) -> tuple[int, int]:
    value = 0
    for count in range(8):
        byte = page[at + count]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + count + 1
    return value << 8 | page[at + 8], at + 9


def cells(number: int, page: bytes) -> Iterator[Cell]:
    """The rows of a page, in the order of their keys. Pages that are none give
    nothing."""
    head = 100 if number == 1 else 0
    kind = page[head]
    if kind not in (TABLE_LEAF, INDEX_LEAF, INDEX_INNER):
        return
    count = struct.unpack(">H", page[head + 3 : head + 5])[0]
    pointers = head + (12 if kind == INDEX_INNER else 8)
    for index in range(count):
        offset = struct.unpack(">H", page[pointers + 2 * index : pointers + 2 * index + 2])[0]
        try:
            yield cell(kind, page, offset)
        except (IndexError, struct.error):
            return


def cell(kind: int, page: bytes, offset: int) -> Cell:
    at = offset + (4 if kind == INDEX_INNER else 0)
    length, at = varint(page, at)
    rowid = None
    if kind == TABLE_LEAF:
        rowid, at = varint(page, at)
    return Cell(offset, rowid, tuple(record(page, at, length)))


def record(page: bytes, start: int, length: int) -> Iterator:
    """The columns that lie on this page; what overflows it is left out."""
    head, at = varint(page, start)
    types, end = [], start + head
    while at < end:
        kind, at = varint(page, at)
        types.append(kind)
    for kind in types:
        size = {5: 6, 6: 8, 7: 8}.get(kind, kind) if kind < 10 else (kind - 12) // 2
        if kind in (0, 8, 9):
            yield {0: None, 8: 0, 9: 1}[kind]
            continue
        if at + size > USABLE:
            return
        raw = page[at : at + size]
        at += size
        if kind < 7:
            yield int.from_bytes(raw, "big", signed=True)
        elif kind >= 12:
            yield raw


def unallocated(number: int, page: bytes) -> int:
    """Bytes of remnants in the gap between a page's pointers and its rows, where
    all should be zero. Pointers to rows that are gone may lie there, of two bytes
    each: they tell where something was and not what. Ids and keys are longer
    than what counts here."""
    head = 100 if number == 1 else 0
    if page[head] not in (TABLE_LEAF, INDEX_LEAF):
        return 0
    count, start = struct.unpack(">HH", page[head + 3 : head + 7])
    gap = page[head + 8 + 2 * count : min(start or USABLE, USABLE)]
    behind = next((at for at in range(0, len(gap), 2) if gap[at : at + 2] == b"\0\0"), len(gap))
    return sum(len(found) for found in re.findall(rb"[^\0]{8,}", gap[behind:]))
