-- Held letters have an age and the mark of the letter they came in. Both stand
-- before the bytes, so that a list of them does not read those. Age begins with
-- this step for letters that are held already.
DROP INDEX held_letters_key;
ALTER TABLE held_letters RENAME TO held_letters_1;
CREATE TABLE held_letters (
    row INTEGER PRIMARY KEY NOT NULL,
    contact INTEGER NOT NULL,
    number INTEGER NOT NULL,
    since INTEGER NOT NULL,
    repeat BLOB,
    bytes BLOB NOT NULL
) STRICT;
INSERT INTO held_letters (contact, number, since, bytes)
    SELECT contact, number, unixepoch() * 1000, bytes FROM held_letters_1;
DROP TABLE held_letters_1;
CREATE UNIQUE INDEX held_letters_key ON held_letters (contact, number);
