-- Queues of a relay server. A queue's number is never used again, so that what
-- remembers a deleted queue by it cannot meet another.
CREATE TABLE queues (
    queue INTEGER PRIMARY KEY AUTOINCREMENT,
    recipient_id BLOB NOT NULL UNIQUE,
    sender_id BLOB NOT NULL UNIQUE,
    -- Keys are versioned lists, see relay::server::keys_to_bytes.
    recipient_keys BLOB NOT NULL,
    sender_key BLOB,
    box_key BLOB NOT NULL,
    -- 0 unspecified, 1 messaging, 2 contact.
    mode INTEGER NOT NULL,
    -- 0 after OFF.
    active INTEGER NOT NULL
) STRICT;

CREATE TABLE links (
    queue INTEGER PRIMARY KEY,
    link_id BLOB NOT NULL UNIQUE,
    fixed BLOB NOT NULL,
    user BLOB NOT NULL
) STRICT;

-- Places grow by appending, which never moves what others wrote. No foreign
-- key: it would read the queue for every message.
CREATE TABLE messages (
    place INTEGER PRIMARY KEY,
    queue INTEGER NOT NULL,
    id BLOB NOT NULL,
    -- Milliseconds since 1970.
    at INTEGER NOT NULL,
    -- 0 message, 1 message that may be notified, 2 quota mark.
    kind INTEGER NOT NULL,
    -- Where the body lies in the file beside this one, and the key that opens
    -- it and nothing else. A quota mark has no body: -1 and empty.
    slot INTEGER NOT NULL,
    body_key BLOB NOT NULL
) STRICT;
CREATE INDEX messages_by_queue ON messages (queue);
