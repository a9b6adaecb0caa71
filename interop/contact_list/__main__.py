"""`python -m contact_list FOLDER USERS`: pairs the queues of a relay.

Prints a JSON document: the queues by the id that senders use, and for each kind
of evidence, and for all of it together, how much speaks for a pair of queues
being the two directions of one conversation. Pairs that are not named have 0.
"""

import json
import pathlib
import sys
from collections import defaultdict

from . import disk, evidence


def combined(scores: dict[str, evidence.Scores], pairs: int) -> evidence.Scores:
    """Every kind of evidence counts by the share of all pairs that it puts
    behind, so that one which singles pairs out weighs more than one that speaks
    for many."""
    total: evidence.Scores = defaultdict(float)
    for kind in scores.values():
        ranked = sorted((score, pair) for pair, score in kind.items() if score > 0)
        for above, (_, pair) in enumerate(reversed(ranked)):
            total[pair] += max(0.0, 1 - above / (pairs**0.5)) ** 2
    return dict(total)


def main() -> None:
    folder, users = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    found = disk.read(folder)
    queues = evidence.queues(found)
    count = len(queues.names)
    scores = evidence.all_scores(found, queues)
    scores["together"] = combined(scores, count * (count - 1) // 2)
    document = {
        "users": users,
        "queues": [name.hex() for name in queues.names],
        "waiting": len(queues.messages),
        "frames": len(found.frames),
        "remnants": evidence.remnants(found),
        "evidence": {
            kind: [[a, b, score] for (a, b), score in pairs.items()]
            for kind, pairs in scores.items()
        },
    }
    json.dump(document, sys.stdout)


if __name__ == "__main__":
    main()
