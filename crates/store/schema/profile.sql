-- user_version 8

CREATE TABLE contacts (
    id INTEGER PRIMARY KEY NOT NULL,
    conversation BLOB NOT NULL,
    body BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX contacts_conversation ON contacts (conversation);

CREATE TABLE conversations (
    id BLOB PRIMARY KEY NOT NULL,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE counters (
    name TEXT PRIMARY KEY NOT NULL,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE held_letters (
    row INTEGER PRIMARY KEY NOT NULL,
    contact INTEGER NOT NULL,
    number INTEGER NOT NULL,
    since INTEGER NOT NULL,
    repeat BLOB,
    bytes BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX held_letters_key ON held_letters (contact, number);

CREATE TABLE invitations (
    id INTEGER PRIMARY KEY NOT NULL,
    body BLOB NOT NULL
) STRICT;

CREATE TABLE joins (
    fetch INTEGER PRIMARY KEY NOT NULL,
    body BLOB NOT NULL
) STRICT;

CREATE TABLE key_packages (
    row INTEGER PRIMARY KEY NOT NULL,
    reference BLOB NOT NULL,
    invitation INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;

CREATE INDEX key_packages_invitation ON key_packages (invitation, reference);

CREATE UNIQUE INDEX key_packages_reference ON key_packages (reference);

CREATE TABLE mailboxes (
    id INTEGER PRIMARY KEY NOT NULL,
    body BLOB NOT NULL
) STRICT;

CREATE TABLE members (
    room INTEGER NOT NULL,
    member INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (room, member)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER recipients_go AFTER DELETE ON messages BEGIN
    DELETE FROM recipients WHERE message = OLD.id;
END;

CREATE TRIGGER signed_receipts_go AFTER DELETE ON messages BEGIN
    DELETE FROM signed_receipts WHERE message = OLD.id;
END;

CREATE TRIGGER signed_receipts_go_with_content AFTER UPDATE OF content ON messages
    WHEN length(NEW.content) = 0 BEGIN
    DELETE FROM signed_receipts WHERE message = NEW.id;
END;

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
, vanish_at INTEGER, author INTEGER NOT NULL DEFAULT 0) STRICT;

CREATE INDEX messages_failed ON messages (contact, epoch, lamport, leaf, id)
    WHERE mine = 1 AND state = 5;

CREATE UNIQUE INDEX messages_id ON messages (id);

CREATE INDEX messages_letter ON messages (letter) WHERE letter IS NOT NULL;

CREATE INDEX messages_order ON messages (contact, kind, epoch, lamport, leaf, id);

CREATE INDEX messages_owed ON messages (contact, id) WHERE owed <> 0;

CREATE INDEX messages_sealed_again ON messages (contact, sealed_epoch)
    WHERE sealed_epoch <> epoch;

CREATE INDEX messages_target
    ON messages (target, contact, kind, mine, author, epoch, lamport, leaf, id)
    WHERE target IS NOT NULL;

CREATE INDEX messages_unconfirmed ON messages (contact, sealed_epoch)
    WHERE mine = 1 AND state IN (1, 2);

CREATE INDEX messages_unread ON messages (contact, epoch, lamport, leaf, id)
    WHERE mine = 0 AND kind = 1 AND state = 3;

CREATE INDEX messages_vanishing ON messages (vanish_at, id) WHERE vanish_at IS NOT NULL;

CREATE TABLE mls_rows (
    row INTEGER PRIMARY KEY NOT NULL,
    scope BLOB NOT NULL,
    label INTEGER NOT NULL,
    key BLOB NOT NULL,
    value BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX mls_rows_key ON mls_rows (scope, label, key);

CREATE TABLE office_letter_pieces (
    letter INTEGER NOT NULL,
    piece INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (letter, piece)
) STRICT, WITHOUT ROWID;

CREATE TABLE office_letters (
    id INTEGER PRIMARY KEY NOT NULL,
    head BLOB NOT NULL,
    body BLOB
) STRICT;

CREATE TABLE office_mailboxes (
    id INTEGER PRIMARY KEY NOT NULL,
    record BLOB NOT NULL
) STRICT;

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

CREATE TABLE office_repeats (
    repeat BLOB PRIMARY KEY NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE recipients (
    message BLOB NOT NULL,
    member INTEGER NOT NULL,
    letter INTEGER NOT NULL,
    state INTEGER NOT NULL,
    PRIMARY KEY (message, member)
) STRICT, WITHOUT ROWID;

CREATE INDEX recipients_letter ON recipients (letter) WHERE letter <> 0;

CREATE INDEX recipients_unreached ON recipients (member, letter, message)
    WHERE state IN (1, 2, 5);

CREATE TABLE rooms (
    id INTEGER PRIMARY KEY NOT NULL,
    conversation BLOB NOT NULL,
    body BLOB NOT NULL
) STRICT;

CREATE TABLE settings (
    name TEXT PRIMARY KEY NOT NULL,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE signed_receipts (
    message BLOB NOT NULL,
    status INTEGER NOT NULL,
    contact INTEGER NOT NULL,
    at INTEGER NOT NULL,
    signature BLOB NOT NULL,
    PRIMARY KEY (message, status)
) STRICT, WITHOUT ROWID;

CREATE VIRTUAL TABLE texts USING fts5 (
    place, text,
    tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3', columnsize = 0
);

CREATE TABLE 'texts_config'(k PRIMARY KEY, v) WITHOUT ROWID;

CREATE TABLE 'texts_content'(id INTEGER PRIMARY KEY, c0, c1);

CREATE TABLE 'texts_data'(id INTEGER PRIMARY KEY, block BLOB);

CREATE TABLE 'texts_idx'(segid, term, pgno, PRIMARY KEY(segid, term)) WITHOUT ROWID;
