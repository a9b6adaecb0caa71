//! The schema that all migrations together make, kept in `schema/` for people
//! to read and compared here. `HUSHWING_BLESS=1` writes it anew.

use std::fs;
use std::path::Path;

use rusqlite::Connection;

use super::Schema;
use crate::{ProfileStore, RelayClientStore};

const KINDS: [(&str, &Schema); 3] = [
    ("profile", &ProfileStore::SCHEMA),
    ("relay_client", &RelayClientStore::SCHEMA),
    ("relay_server", &crate::relay_server::SCHEMA),
];

fn resulting(schema: &Schema) -> (Connection, String) {
    let mut connection = Connection::open_in_memory().unwrap();
    schema.migrate(&mut connection).unwrap();
    let mut text = format!("-- user_version {}\n", schema.version());
    {
        let mut statement = connection
            .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY tbl_name, type DESC, name")
            .unwrap();
        let parts = statement
            .query_map([], |row| row.get::<_, String>(0))
            .unwrap();
        for part in parts {
            text.push_str(&format!("\n{};\n", part.unwrap()));
        }
    }
    (connection, text)
}

#[test]
fn migrations_make_the_schema_on_record() {
    for (kind, schema) in KINDS {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schema/{kind}.sql"));
        let (_, text) = resulting(schema);
        if std::env::var_os("HUSHWING_BLESS").is_some() {
            fs::write(&path, &text).unwrap();
        }
        let recorded = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(
            text, recorded,
            "{kind}: run with HUSHWING_BLESS=1 and review the change"
        );
    }
}

#[test]
fn every_table_is_strict() {
    for (kind, schema) in KINDS {
        let (connection, _) = resulting(schema);
        let loose: Vec<String> = connection
            .prepare(
                "SELECT name FROM pragma_table_list
                 WHERE schema = 'main' AND type = 'table' AND strict = 0 AND name NOT LIKE 'sqlite_%'",
            )
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert!(loose.is_empty(), "{kind}: {loose:?} are not STRICT");
    }
}
