-- How conversations are kept. A conversation without a row is kept as by default.
CREATE TABLE conversations (
    id BLOB PRIMARY KEY NOT NULL,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;
-- When a message shall disappear; most never do.
ALTER TABLE messages ADD COLUMN vanish_at INTEGER;
CREATE INDEX messages_vanishing ON messages (vanish_at, id) WHERE vanish_at IS NOT NULL;
-- Texts as shown, by their words. Characters of scripts without spaces come with
-- spaces around them. `place` names the contact, so that one conversation is
-- searched without passing the others. What is taken out is overwritten, not
-- marked as gone.
CREATE VIRTUAL TABLE texts USING fts5 (
    place, text,
    tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3', columnsize = 0
);
INSERT INTO texts (texts, rank) VALUES ('secure-delete', 1);
