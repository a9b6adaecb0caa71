"""What is followed (section 4), and what need not be kept (section 5)."""

from collections import namedtuple
from math import inf

from .state import CLASSES, Commit, State, classify, follow

Edge = namedtuple("Edge", "hash parent child author leaf what removed")


def up_to_a_leaf(judges):
    """Ranks with their leaves, up to the first that throws a device out."""
    for rank, leaf in judges:
        yield rank, leaf
        if leaf != inf:
            return


class Tree:
    """Every commit is checked and every state computed from the one before."""

    def __init__(self, told):
        self.root = told["root_name"]
        self.states = {self.root: State.read(told["root"])}
        self.edges = {}
        for one in told["commits"]:
            before = self.states[one["parent"]]
            commit = Commit(one["contents"])
            what = classify(before, commit)
            author = before.leaves[commit.committer][0]
            assert one["child"] not in self.states, "two commits lead to one state"
            self.states[one["child"]] = follow(before, commit)
            names = one["hash"], one["parent"], one["child"]
            edge = Edge(*names, author, commit.committer, what, commit.removed)
            self.edges.setdefault(one["parent"], []).append(edge)

    def verdict(self, at):
        """The edges followed from a state."""
        children = self.edges.get(at, [])
        if not children:
            return []
        paths = [[edge, *self.verdict(edge.child)] for edge in children]
        return min(paths, key=lambda path: self.key(at, path))

    def key(self, at, path):
        ranks = {account: rank for rank, account in enumerate(self.states[at].stewards())}
        thrown = self.thrown(at, path)
        judges = {}
        for edge in path:
            if edge.author in ranks and self.judges(edge):
                leaf = thrown.get(edge.hash, inf)
                judges[ranks[edge.author]] = min(leaf, judges.get(ranks[edge.author], inf))
        own = not judges and any(edge.what == "own removal" for edge in path)
        device = min(thrown.values(), default=inf) if not ranks else inf
        heard = device != inf or any(leaf != inf for leaf in judges.values())
        length = 0 if heard else min(5, sum(self.counts(edge) for edge in path))
        first = path[0]
        rank = ranks.get(first.author, inf)
        what = CLASSES.index(first.what)
        judges = [*up_to_a_leaf(sorted(judges.items())), (inf, inf)]
        return judges, not own, device, -length, what, rank, first.leaf, first.child

    def thrown(self, at, path):
        """By hash, the leaves of a state that throw out others on a path from there."""
        still, acting = set(self.states[at].leaves), {}
        for edge in path:
            weighed = edge.leaf in still and self.states[at].weighs(edge.author)
            if edge.what == "own removal" and weighed:
                if self.states[edge.parent].weighs(edge.author):
                    acting[edge.hash] = edge.leaf
            # Who comes in on the path is another, in whatever place: here all have keys of
            # their own.
            still -= edge.removed
        return acting

    def judges(self, edge):
        if edge.what == "own removal":
            return edge.author in self.states[edge.parent].stewards()
        return edge.what in ("removal", "policy")

    def counts(self, edge):
        if edge.what == "membership":
            return edge.author in self.states[edge.parent].stewards()
        return edge.what in ("removal", "policy", "turn")

    def dropped(self):
        """Hashes of childless commits that are not their account's best."""
        gone = []
        for at, children in self.edges.items():
            tips = [edge for edge in children if edge.child not in self.edges]
            for author in {edge.author for edge in tips}:
                same = [edge for edge in tips if edge.author == author]
                same.sort(key=lambda edge: self.key(at, [edge]))
                gone += [edge.hash for edge in same[1:]]
        return sorted(gone)
