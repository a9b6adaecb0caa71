-- Rooms know their rows, and which belong to which: there are no references
-- between tables of different records. NULL stands where absence is a value.

-- Numbers that only grow, by name.
CREATE TABLE counters (
    name TEXT PRIMARY KEY NOT NULL,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE settings (
    name TEXT PRIMARY KEY NOT NULL,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- conversation ---------------------------------------------------------------

-- Not WITHOUT ROWID: a value changes with each message, its key never, so an
-- update touches no index; the rows of one group were written together and
-- stay on the same pages.
CREATE TABLE mls_rows (
    row INTEGER PRIMARY KEY NOT NULL,
    scope BLOB NOT NULL,
    label INTEGER NOT NULL,
    key BLOB NOT NULL,
    value BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX mls_rows_key ON mls_rows (scope, label, key);

-- Bodies are versioned by conversation.
CREATE TABLE invitations (
    id INTEGER PRIMARY KEY NOT NULL,
    body BLOB NOT NULL
) STRICT;

CREATE TABLE key_packages (
    row INTEGER PRIMARY KEY NOT NULL,
    reference BLOB NOT NULL,
    invitation INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX key_packages_reference ON key_packages (reference);
CREATE INDEX key_packages_invitation ON key_packages (invitation, reference);

CREATE TABLE mailboxes (
    id INTEGER PRIMARY KEY NOT NULL,
    body BLOB NOT NULL
) STRICT;

CREATE TABLE joins (
    fetch INTEGER PRIMARY KEY NOT NULL,
    body BLOB NOT NULL
) STRICT;

CREATE TABLE contacts (
    id INTEGER PRIMARY KEY NOT NULL,
    conversation BLOB NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX contacts_conversation ON contacts (conversation);

-- The row number is there for a search index that is to come. Codes of kind,
-- state and owed are conversation's. Every index is one more page to encrypt
-- and write for each message, so a question asked only at the start is answered
-- from the order.
CREATE TABLE messages (
    row INTEGER PRIMARY KEY NOT NULL,
    id BLOB NOT NULL,
    contact INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    lamport INTEGER NOT NULL,
    leaf INTEGER NOT NULL,
    mine INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    target BLOB,
    sent_at INTEGER NOT NULL,
    state INTEGER NOT NULL,
    accepted_network INTEGER,
    accepted_at INTEGER,
    delivered_at INTEGER,
    read_at INTEGER,
    failed_at INTEGER,
    owed INTEGER NOT NULL,
    letter INTEGER,
    sealed_epoch INTEGER NOT NULL,
    content BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX messages_id ON messages (id);
-- The order shown: the newest fifty are the end of a contact's stretch.
CREATE INDEX messages_order ON messages (contact, epoch, lamport, leaf, id);
-- The following hold only what is under way or unusual, so they stay small.
CREATE INDEX messages_sealed_again ON messages (contact, sealed_epoch)
    WHERE sealed_epoch <> epoch;
CREATE INDEX messages_unconfirmed ON messages (contact, sealed_epoch)
    WHERE mine = 1 AND state IN (1, 2);
CREATE INDEX messages_unread ON messages (contact, epoch, lamport, leaf, id)
    WHERE mine = 0 AND kind = 1 AND state = 3;
CREATE INDEX messages_owed ON messages (id) WHERE owed <> 0;
CREATE INDEX messages_letter ON messages (letter) WHERE letter IS NOT NULL;
CREATE INDEX messages_target ON messages (target, epoch, lamport, leaf, id)
    WHERE target IS NOT NULL;

CREATE TABLE held_letters (
    row INTEGER PRIMARY KEY NOT NULL,
    contact INTEGER NOT NULL,
    number INTEGER NOT NULL,
    bytes BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX held_letters_key ON held_letters (contact, number);

-- post office ----------------------------------------------------------------

CREATE TABLE office_mailboxes (
    id INTEGER PRIMARY KEY NOT NULL,
    record BLOB NOT NULL
) STRICT;

-- A short body stands beside its head: one page to write instead of three.
-- NULL: it stands in pieces.
CREATE TABLE office_letters (
    id INTEGER PRIMARY KEY NOT NULL,
    head BLOB NOT NULL,
    body BLOB
) STRICT;

-- A long body, cut so that it is not read whole for each part of it.
CREATE TABLE office_letter_pieces (
    letter INTEGER NOT NULL,
    piece INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (letter, piece)
) STRICT, WITHOUT ROWID;

-- Read from end to end when the old ones are forgotten, now and then; no index
-- on the time, since it would be written with every message.
CREATE TABLE office_repeats (
    repeat BLOB PRIMARY KEY NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE office_parts (
    row INTEGER PRIMARY KEY NOT NULL,
    mailbox INTEGER NOT NULL,
    repeat BLOB NOT NULL,
    part INTEGER NOT NULL,
    count INTEGER NOT NULL,
    length INTEGER NOT NULL,
    at INTEGER NOT NULL,
    first_contact INTEGER NOT NULL,
    chunk BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX office_parts_key ON office_parts (mailbox, repeat, part);
