-- Receipts of others for messages of mine that can be shown to anybody. Whatever
-- removes a message, or what it said, removes them, too.
CREATE TABLE signed_receipts (
    message BLOB NOT NULL,
    status INTEGER NOT NULL,
    contact INTEGER NOT NULL,
    at INTEGER NOT NULL,
    signature BLOB NOT NULL,
    PRIMARY KEY (message, status)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER signed_receipts_go AFTER DELETE ON messages BEGIN
    DELETE FROM signed_receipts WHERE message = OLD.id;
END;
CREATE TRIGGER signed_receipts_go_with_content AFTER UPDATE OF content ON messages
    WHEN length(NEW.content) = 0 BEGIN
    DELETE FROM signed_receipts WHERE message = NEW.id;
END;
