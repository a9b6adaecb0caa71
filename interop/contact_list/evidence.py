"""What on a relay's disk may tell that two queues belong together.

Each function gives, for pairs of queues, how much it speaks for that; pairs it
knows nothing about are left out. Nothing here knows the truth.
"""

import itertools
import math
import re
import sqlite3
import base64
import tempfile
from collections import Counter, defaultdict
from dataclasses import dataclass

from .disk import PAGE, Disk
from .tree import Cell, cells, unallocated

ID = 24
Scores = dict[tuple[int, int], float]
"""By the queues' places in `Queues.names`, the lower first."""


@dataclass
class Queues:
    """The queues that are there."""

    names: list[bytes]
    """The sender's ids, in the order of their rows."""
    rows: list[int]
    by_row: dict[int, int]
    by_id: dict[bytes, int]
    columns: list[dict]
    links: list[dict]
    messages: list[dict]
    shapes: dict[str, list[str]]


def queues(disk: Disk) -> Queues:
    """Reads the tables as SQL sees them."""
    pages = disk.current()
    first = bytearray(pages[1])
    # No write-ahead log: it was applied.
    first[18] = first[19] = 1
    pages[1] = bytes(first)
    with tempfile.NamedTemporaryFile() as plain:
        for number in range(1, max(pages) + 1):
            plain.write(pages.get(number, bytes(PAGE)))
        plain.flush()
        connection = sqlite3.connect(plain.name)
        connection.row_factory = sqlite3.Row
        tables = {}
        for name in ("queues", "links", "messages"):
            order = "queue" if name != "messages" else "queue, place"
            found = connection.execute(f"SELECT * FROM {name} ORDER BY {order}")
            tables[name] = [dict(row) for row in found]
        shapes = {
            name: [row[1] for row in connection.execute(f"PRAGMA table_info({name})")]
            for name in tables
        }
        connection.close()
    found = tables["queues"]
    rows = [row["queue"] for row in found]
    return Queues(
        names=[row["sender_id"] for row in found],
        rows=rows,
        by_row={row: at for at, row in enumerate(rows)},
        by_id={row[name]: at for at, row in enumerate(found) for name in ("recipient_id", "sender_id")},
        columns=found,
        links=tables["links"],
        messages=tables["messages"],
        shapes=shapes,
    )


def pair(first: int, second: int) -> tuple[int, int]:
    return (min(first, second), max(first, second))


def near(places: dict[int, float], scale: float) -> Scores:
    """Queues that stand near each other on a line."""
    order = sorted(places.items(), key=lambda item: item[1])
    scores = {}
    for at, (first, where) in enumerate(order):
        for second, other in order[at + 1 : at + 13]:
            scores[pair(first, second)] = math.exp(-(other - where) / scale)
    return scores


def row_numbers(found: Queues) -> Scores:
    """Queues made one after the other have neighbouring numbers, if numbers are
    given in order."""
    return near(dict(enumerate(found.rows)), 2.0)


def places_on_pages(disk: Disk, found: Queues) -> Scores:
    """SQLite puts a new row below those that are on its page already."""
    scores: Scores = defaultdict(float)
    for number, page in disk.current().items():
        on_page = []
        for cell in cells(number, page):
            queue = named(cell, found)
            if queue is not None:
                on_page.append((cell.offset, queue))
        on_page.sort()
        for rank, (_, first) in enumerate(on_page):
            for distance, (_, second) in enumerate(on_page[rank + 1 : rank + 4], 1):
                if first != second:
                    scores[pair(first, second)] += math.exp(1 - distance)
    return dict(scores)


def named(cell: Cell, found: Queues) -> int | None:
    """The queue that a row of any table or index is about."""
    for value in cell.values[:4]:
        if isinstance(value, bytes) and len(value) == ID and value in found.by_id:
            return found.by_id[value]
    numbers = [cell.rowid, *(value for value in cell.values[:2] if isinstance(value, int))]
    # Small numbers are also what other columns hold.
    return next((found.by_row[n] for n in numbers if n in found.by_row and n > 1), None)


@dataclass
class Event:
    """Something that happened to a queue: when in the order, and by which clock."""

    queue: int
    turn: int
    at: int | None


def history(disk: Disk, found: Queues) -> list[Event]:
    """What the write-ahead log tells, by what changed from one image of a page
    to the next."""
    events, seen, turn = [], {}, 0
    before: dict[int, set] = {}
    added: Counter = Counter()
    for frame in disk.frames:
        rows = {(cell.rowid, cell.values) for cell in cells(frame.page, frame.image)}
        if frame.page in before:
            added.update(rows - before[frame.page])
            added.subtract(before[frame.page] - rows)
        before[frame.page] = rows
        if frame.ends_transaction:
            turn += 1
            for (rowid, values), count in added.items():
                # A row that only moved to another page is gained and lost.
                if count == 0:
                    continue
                queue = named(Cell(0, rowid, values), found)
                if queue is not None:
                    events.append(Event(queue, turn, time_in(values)))
            added.clear()
    return events


def time_in(values: tuple) -> int | None:
    """A column with milliseconds since 1970, if there is one."""
    times = (value for value in values if isinstance(value, int) and value > 1_500_000_000_000)
    return next(times, None)


def together(moments: list[tuple[int, float]], least: float, most: float) -> Scores:
    """Pairs of queues to which something happens within a while of each other,
    by how much more often than chance would have it."""
    if not moments:
        return {}
    moments = sorted(set(moments), key=lambda item: item[1])
    span = max(moments[-1][1] - moments[0][1], most)
    counts = Counter(queue for queue, _ in moments)
    met: Counter = Counter()
    start = 0
    for at, (queue, when) in enumerate(moments):
        while when - moments[start][1] > most:
            start += 1
        others = {q for q, then in moments[start:at] if when - then >= least and q != queue}
        met.update(pair(queue, other) for other in others)
    scores = {}
    for (first, second), count in met.items():
        expected = 2 * counts[first] * counts[second] * (most - least) / span
        scores[first, second] = (count - expected) / math.sqrt(expected + 0.25)
    return scores


def turns(events: list[Event]) -> Scores:
    """By the order in the write-ahead log."""
    return together([(event.queue, float(event.turn)) for event in events], 0, 12)


def times(events: list[Event], found: Queues) -> Scores:
    """By times, of messages that wait and of those the write-ahead log shows. A
    message is followed by its receipt within some seconds."""
    moments = [(event.queue, float(event.at)) for event in events if event.at]
    moments += [(found.by_row[m["queue"]], float(m["at"])) for m in found.messages]
    return together(moments, 0, 12_000)


def waiting(found: Queues) -> Scores:
    """Messages that wait, by where in line and in the file of bodies they are."""
    scores: Scores = defaultdict(float)
    for column, scale in (("place", 4.0), ("slot", 2.0)):
        lines = defaultdict(list)
        for message in found.messages:
            lines[found.by_row[message["queue"]]].append(message[column])
        for first, second in itertools.combinations(lines, 2):
            gaps = [abs(a - b) for a in lines[first] for b in lines[second]]
            score = sum(math.exp(-gap / scale) for gap in gaps)
            scores[pair(first, second)] += score / math.sqrt(len(gaps))
    return dict(scores)


def values(found: Queues) -> Scores:
    """Values that two queues share although nobody else has them."""
    holders = defaultdict(set)
    for at, row in enumerate(found.columns):
        for value in row.values():
            if isinstance(value, bytes) and len(value) >= 16:
                holders[value].add(at)
    for row in found.links:
        for value in row.values():
            if isinstance(value, bytes) and len(value) >= 16 and row["queue"] in found.by_row:
                holders[value].add(found.by_row[row["queue"]])
    scores: Scores = Counter()
    for sharing in holders.values():
        for first, second in itertools.combinations(sorted(sharing), 2):
            scores[first, second] += 1.0
    return dict(scores)


def counts(events: list[Event], found: Queues) -> Scores:
    """Queues of one conversation are used about as often: each message has its
    receipt."""
    used = Counter(event.queue for event in events)
    used.update(found.by_row[message["queue"]] for message in found.messages)
    return {
        pair(a, b): math.sqrt(min(used[a], used[b])) / (1 + abs(used[a] - used[b]))
        for a, b in itertools.combinations(used, 2)
    }


def log(disk: Disk, found: Queues) -> Scores:
    """Names of queues in what the relay printed, in whatever spelling."""
    texts = {}
    for name, at in found.by_id.items():
        texts[name.hex()] = at
        for spelled in (base64.b64encode(name), base64.urlsafe_b64encode(name)):
            texts[spelled.decode().rstrip("=")] = at
    order = [texts[word] for word in re.findall(r"[A-Za-z0-9+/_-]{32,}", disk.log) if word in texts]
    return together([(queue, float(at)) for at, queue in enumerate(order)], 0, 2)


def remnants(disk: Disk) -> int:
    """Bytes that should not be there: on pages, where no row is."""
    return sum(unallocated(number, page) for number, page in disk.pages.items())


def all_scores(disk: Disk, found: Queues) -> dict[str, Scores]:
    """All of it, by name."""
    events = history(disk, found)
    return {
        "row numbers": row_numbers(found),
        "places on pages": places_on_pages(disk, found),
        "order in the write-ahead log": turns(events),
        "times": times(events, found),
        "waiting messages": waiting(found),
        "shared values": values(found),
        "numbers of messages": counts(events, found),
        "log": log(disk, found),
    }
