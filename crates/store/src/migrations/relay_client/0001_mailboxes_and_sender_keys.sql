-- Records are versioned and read by the relay client only.
CREATE TABLE mailboxes (
    id INTEGER PRIMARY KEY NOT NULL,
    record BLOB NOT NULL
) STRICT;

-- My keys at queues and links of others.
CREATE TABLE sender_keys (
    queue BLOB PRIMARY KEY NOT NULL,
    record BLOB NOT NULL
) STRICT, WITHOUT ROWID;
