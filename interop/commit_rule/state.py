"""States, what is valid in them, and what follows (sections 1 to 3)."""

import hashlib
import struct

CLASSES = ("removal", "policy", "own removal", "membership", "turn", "refresh")
MAX_STEWARDS, MAX_DEVICES, MAX_LEAVES, DISTANCE = 32, 8, 1_000, 8
RENEWED_AT, CHANGED_AT = 1, 2


class Invalid(Exception):
    """A commit breaks the rule."""


def demand(holds, what):
    if not holds:
        raise Invalid(what)


def name(group, epoch, authenticator):
    text = b"hushwing state 1" + struct.pack("B", len(group)) + group
    return hashlib.sha256(text + struct.pack(">Q", epoch) + authenticator).digest()


def commit_hash(message):
    return hashlib.sha256(message).digest()


class State:
    """Leaves are a dictionary from index to (account, renewed_at, changed_at), None without."""

    def __init__(self, shape, epoch, listed, leaves, bounds, heralds=()):
        self.shape, self.epoch, self.heralds = shape, epoch, list(heralds)
        self.most, each, self.narrow = self.bounds = bounds
        self.each = MAX_DEVICES if each is None else each
        self.listed, self.leaves = listed, leaves

    @classmethod
    def read(cls, told):
        leaves = {index: tuple(leaf) for index, *leaf in told["leaves"]}
        most = told.get("most", MAX_LEAVES)
        bounds = (most, told.get("each"), told.get("narrow", MAX_LEAVES))
        heralds = told.get("heralds", ())
        return cls(told["shape"], told["epoch"], told["stewards"], leaves, bounds, heralds)

    def accounts(self):
        """In the order of first leaves."""
        return list(dict.fromkeys(self.leaves[index][0] for index in sorted(self.leaves)))

    def ranks_devices(self):
        """A pair, or a group of one account: one that says how many leaves each has."""
        most, each, _ = self.bounds
        return self.shape == "pair" or each is not None and most == each

    def weighs(self, account):
        """Whether the choice knows an account's leaves: stewards', and all where none can be."""
        return self.ranks_devices() or account in self.stewards()

    def stewards(self):
        if self.ranks_devices():
            return []
        present = set(self.accounts())
        return list(dict.fromkeys(a for a in self.listed if a in present))[:MAX_STEWARDS]

    def turn(self):
        order = self.accounts()
        place = self.epoch % 2
        return order[place] if self.shape == "pair" and place < len(order) else None

    def free_from(self, account, which):
        """The first epoch far enough from the greatest of an account's stamps of one kind."""
        stamps = [leaf[which] for leaf in self.leaves.values() if leaf[0] == account]
        stamps = [stamp for stamp in stamps if stamp is not None]
        return max(stamps) + min(DISTANCE, len(self.accounts())) if stamps else 0


class Commit:
    """What a commit holds."""

    def __init__(self, told):
        self.committer, self.path = told["committer"], told["path"]
        self.removed, self.added = set(told["removed"]), told["added"]
        self.listed, self.foreign = told["stewards"], told["foreign"]
        self.heralds = told.get("heralds")

    def remaining(self, state):
        """Accounts of the leaves that stay, with repeats."""
        return [leaf[0] for index, leaf in state.leaves.items() if index not in self.removed]

    def changes(self):
        return bool(self.removed or self.added or self.listed is not None)


def classify(state, commit):
    """The class of a valid commit; raises Invalid."""
    demand(not commit.foreign, "foreign")
    demand(commit.committer in state.leaves, "from outside")
    author = state.leaves[commit.committer][0]
    demand(commit.path is not None and commit.path[0] == author, "path")
    demand(commit.removed <= state.leaves.keys() - {commit.committer}, "removes nothing")

    stewards = state.stewards()
    rank = stewards.index(author) if author in stewards else None
    remaining = commit.remaining(state)
    after = remaining + [account for account, *_ in commit.added]

    others = {state.leaves[index][0] for index in commit.removed} - {author}
    for other in others:
        demand(rank is not None, "no steward removes")
        demand(other not in stewards or stewards.index(other) > rank, "removes above")

    if commit.listed is not None:
        demand(rank is not None, "no steward lists")
        demand(commit.listed[:rank] == stewards[:rank], "lists above")
        demand(1 <= len(commit.listed) <= MAX_STEWARDS, "length of the list")
        demand(len(set(commit.listed)) == len(commit.listed), "lists twice")
        demand(set(commit.listed) <= set(after), "lists who is not there")

    for account, *stamps in commit.added:
        demand(stamps == [None, None], "stamp of a new leaf")
        if account == author:
            demand(after.count(author) <= state.each, "too many devices")
            continue
        demand(rank is not None, "no steward adds")
        demand(account not in remaining, "is there")
        demand([a for a, *_ in commit.added].count(account) == 1, "adds twice")
        waiting = account in state.listed and account not in stewards
        demand(commit.listed is not None or not waiting, "waits in the list")
    demand(len(after) <= state.most, "too many leaves")
    heralds = state.heralds if commit.heralds is None else commit.heralds
    passed_on = len(after) <= state.narrow or set(heralds) & set(after)
    demand(passed_on or not commit.added, "too many leaves without a herald")

    what = kind(state, commit, author, others)
    before = state.leaves[commit.committer][CHANGED_AT]
    stamps = [state.epoch, state.epoch if commit.changes() else before]
    unstamped = what == "turn" and commit.path[1:] == [None, None]
    demand(unstamped or commit.path[1:] == stamps, "stamp")
    keep_distance(state, what, author, rank, after.count(author))
    return what


def kind(state, commit, author, others):
    if others:
        return "removal"
    if commit.listed is not None:
        return "policy"
    if commit.removed and author not in [account for account, *_ in commit.added]:
        return "own removal"
    if commit.removed or commit.added:
        return "membership"
    return "turn" if state.turn() == author else "refresh"


def keep_distance(state, what, author, rank, devices):
    if rank is not None:
        return
    if what == "refresh":
        demand(state.epoch >= state.free_from(author, RENEWED_AT), "too soon to renew")
    if state.shape == "pair":
        return
    if what == "membership" or what == "own removal" and devices > 1:
        demand(state.epoch >= state.free_from(author, CHANGED_AT), "too soon to change")


def follow(state, commit):
    """The state after a valid commit."""
    leaves = {i: leaf for i, leaf in state.leaves.items() if i not in commit.removed}
    leaves[commit.committer] = tuple(commit.path)
    for account, *_ in commit.added:
        blank = next(i for i in range(len(leaves) + 1) if i not in leaves)
        leaves[blank] = (account, None, None)
    listed = state.listed if commit.listed is None else commit.listed
    heralds = state.heralds if commit.heralds is None else commit.heralds
    return State(state.shape, state.epoch + 1, listed, leaves, state.bounds, heralds)
