"""Everything that lies in a relay's folder, opened with the key that lies there.

The database is SQLCipher's: pages of 4,096 bytes, each encrypted by itself with
AES-256-CBC; the last 80 bytes of a page are its IV and its authentication code.
The write-ahead log holds the same pages, in the order of their writing, and
keeps old ones until they are written over.
"""

import hashlib
import hmac
import pathlib
import struct
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

PAGE = 4096
RESERVED = 80
LABEL = b"hushwing store file key v1\0"
RELAY_SERVER = 3


@dataclass
class Frame:
    """One page in the write-ahead log."""

    page: int
    image: bytes
    ends_transaction: bool
    past: bool
    """Whether it is of a round that was brought into the database."""


@dataclass
class Disk:
    """What was found."""

    pages: dict[int, bytes]
    """The database as it is in its own file."""
    frames: list[Frame]
    """The write-ahead log in the order in which it was written, oldest first."""
    log: str = ""
    """What the relay printed."""
    others: dict[str, bytes] = field(default_factory=dict)
    """Every other file."""

    def current(self) -> dict[int, bytes]:
        """The database with what the write-ahead log adds."""
        pages = dict(self.pages)
        transaction = {}
        for frame in self.frames:
            if frame.past:
                continue
            transaction[frame.page] = frame.image
            if frame.ends_transaction:
                pages.update(transaction)
                transaction = {}
        return pages


def read(folder: pathlib.Path) -> Disk:
    """Reads all of a relay's folder."""
    files = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
    key = file_key(files.pop("key"))
    database = files.pop("relay-server.db")
    frames = wal(key, files.pop("relay-server.db-wal", b""))
    log = files.pop("log", b"").decode(errors="replace")
    return Disk(pages(key, database), frames, log, files)


def file_key(key_file: bytes) -> bytes:
    """The database's key, from a key file without a passphrase."""
    assert key_file[:6] == b"HWKY\x01\x00", "a key file that needs no passphrase"
    # HKDF-SHA256 without salt, one block.
    secret = hmac.digest(bytes(32), key_file[6:38], hashlib.sha256)
    return hmac.digest(secret, LABEL + bytes([RELAY_SERVER]) + b"relay\x01", hashlib.sha256)


def decrypt(key: bytes, number: int, page: bytes) -> bytes:
    """A page in the clear. The first begins with the salt, which stands where
    SQLite's own mark would."""
    start = 16 if number == 1 else 0
    iv = page[PAGE - RESERVED : PAGE - RESERVED + 16]
    cipher = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
    clear = cipher.update(page[start : PAGE - RESERVED]) + cipher.finalize()
    mark = b"SQLite format 3\0" if number == 1 else b""
    return mark + clear + bytes(RESERVED)


def pages(key: bytes, database: bytes) -> dict[int, bytes]:
    """All pages of a database by their number, which begins at 1."""
    count = len(database) // PAGE
    return {n: decrypt(key, n, database[(n - 1) * PAGE : n * PAGE]) for n in range(1, count + 1)}


def wal(key: bytes, log: bytes) -> list[Frame]:
    """The frames of a write-ahead log, oldest first: those of its present round
    stand before those of the round that they write over."""
    if len(log) < 32:
        return []
    salts = log[16:24]
    present, past = [], []
    for at in range(32, len(log) - PAGE - 23, PAGE + 24):
        number, size = struct.unpack(">II", log[at : at + 8])
        if number == 0:
            continue
        image = decrypt(key, number, log[at + 24 : at + 24 + PAGE])
        is_past = log[at + 8 : at + 16] != salts
        (past if is_past else present).append(Frame(number, image, size != 0, is_past))
    return past + present
