"""Checks the vectors of protocol/commits.md: python -m commit_rule FILE"""

import json
import sys

from .choice import Tree
from .state import Commit, Invalid, State, classify, commit_hash, name


def outcome(told):
    try:
        return classify(State.read(told["state"]), Commit(told["contents"]))
    except Invalid:
        return None


def main(path):
    with open(path, encoding="ascii") as file:
        told = json.load(file)
    assert told["version"] == 1
    for one in told["names"]:
        group, authenticator = bytes.fromhex(one["group"]), bytes.fromhex(one["authenticator"])
        made = name(group, one["epoch"], authenticator).hex()
        assert (made, made[:16]) == (one["name"], one["short"]), one
    for one in told["commits"]:
        assert commit_hash(bytes.fromhex(one["message"])).hex() == one["hash"], one
    for one in told["validity"]:
        assert outcome(one) == one["class"], (outcome(one), one)
    for place, one in enumerate(told["trees"]):
        tree = Tree(one)
        verdict = [edge.hash for edge in tree.verdict(tree.root)]
        assert verdict == one["verdict"], (place, one["name"], verdict)
        assert tree.dropped() == one["dropped"], (place, one["name"])
    counts = [len(told[part]) for part in ("names", "commits", "validity", "trees")]
    assert all(counts), counts
    print("ok", *counts)


if __name__ == "__main__":
    main(sys.argv[1])
