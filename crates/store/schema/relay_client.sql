-- user_version 1

CREATE TABLE mailboxes (
    id INTEGER PRIMARY KEY NOT NULL,
    record BLOB NOT NULL
) STRICT;

CREATE TABLE sender_keys (
    queue BLOB PRIMARY KEY NOT NULL,
    record BLOB NOT NULL
) STRICT, WITHOUT ROWID;
