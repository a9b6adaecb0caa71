//! What the local API refuses, seen from its socket.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

use std::path::Path;

use hushwing_daemon::{Config, Daemon, Home};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

async fn start(dir: &Path) -> (Daemon, Home) {
    let home = Home::at(dir.join("home"));
    let config = Config {
        home: home.clone(),
        lan: false,
    };
    (Daemon::start(config, None).await.unwrap(), home)
}

/// The head of an answer and its document; all of the request is written first.
async fn call(home: &Home, head: &str, length: usize, body: &[u8]) -> (String, Value) {
    let mut stream = UnixStream::connect(home.socket()).await.unwrap();
    let head = format!(
        "{head} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, document) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), serde_json::from_str(document).unwrap())
}

/// What a refused call is told.
async fn refused(home: &Home, head: &str, body: &str) -> String {
    let (_, answer) = call(home, head, body.len(), body.as_bytes()).await;
    assert_eq!(answer["error"]["kind"], "usage", "{head} {body}: {answer}");
    answer["error"]["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_would_be_passed_over_is_refused_by_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let (daemon, home) = start(dir.path()).await;
    for (head, body, named) in [
        (
            "POST /v1/messages",
            r#"{"to":"C","text":"x","replyto":"01"}"#,
            "`replyto`",
        ),
        ("POST /v1/profiles", r#"["Ada"]"#, "no JSON object"),
        (
            "POST /v1/profiles",
            r#"{"name":"Ada","name":"Bea"}"#,
            "`name`",
        ),
        ("POST /v1/shutdown", r#"{"when":"later"}"#, "`when`"),
        ("GET /v1/servers", r#"{"passwords":true}"#, "`passwords`"),
        ("GET /v1/servers?password=true", "", "`password`"),
        ("GET /v1/servers?passwords=yes", "", "true or false"),
        ("GET /v1/contacts?profile=A&profile=B", "", "`profile`"),
        ("GET /v1/status?profile=A", "", "`profile`"),
        ("POST /v1/groups/G/avatar", "", "neither `avatar` nor"),
        (
            "POST /v1/groups/G/avatar",
            r#"{"avatar":"AAAA","no_avatar":true}"#,
            "cannot be shown and not",
        ),
        ("DELETE /v1/servers", "", "`address`"),
        ("DELETE /v1/invitations/first", "", "number"),
        (
            "POST /v1/messages",
            r#"{"to":"C","text":"x","timeout":5}"#,
            "`timeout`",
        ),
    ] {
        let message = refused(&home, head, body).await;
        assert!(message.contains(named), "{head} {body}: {message}");
    }
    assert_eq!(call(&home, "GET /v1/profiles", 0, b"").await.1, json!([]));
    daemon.stop().await;
}

#[tokio::test]
async fn a_request_too_large_is_answered_though_it_is_not_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (daemon, home) = start(dir.path()).await;
    let body = vec![b' '; 5 << 20];
    // The second says it will be longer than is read, and waits.
    for (length, body) in [(body.len(), body.as_slice()), (usize::MAX >> 1, b"")] {
        let (head, answer) = call(&home, "POST /v1/messages", length, body).await;
        assert!(head.contains("connection: close"), "{head}");
        assert_eq!(answer["error"]["kind"], "usage");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains("at most 1 MiB"), "{message}");
    }
    daemon.stop().await;
}
