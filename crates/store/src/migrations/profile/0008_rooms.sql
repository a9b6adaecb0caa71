-- Conversations of many. What is said in one stands among messages under its
-- number, which no contact has. Bodies are versioned by conversation.
CREATE TABLE rooms (
    id INTEGER PRIMARY KEY NOT NULL,
    conversation BLOB NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE TABLE members (
    room INTEGER NOT NULL,
    member INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (room, member)
) STRICT, WITHOUT ROWID;
-- Who said it, of many; 0 stands for nobody, and for me.
ALTER TABLE messages ADD COLUMN author INTEGER NOT NULL DEFAULT 0;
DROP INDEX messages_target;
CREATE INDEX messages_target
    ON messages (target, contact, kind, mine, author, epoch, lamport, leaf, id)
    WHERE target IS NOT NULL;
-- How far a message of mine got to each; letter 0 is none. Whatever removes a message removes
-- these, too.
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
CREATE TRIGGER recipients_go AFTER DELETE ON messages BEGIN
    DELETE FROM recipients WHERE message = OLD.id;
END;
