//! What can be shown to others: `mode`, `prove` and `check-proof`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path as FilePath;
use std::process::ExitCode;

use hushwing_daemon::{Error, ErrorKind, MAX_PROOF, check_proof, view};
use serde_json::json;

use super::{Session, shown, view};
use crate::args::{CheckProof, Mode, Prove};
use crate::client::Path;
use crate::output::{Output, indented};

/// `mode`
pub(super) async fn mode(session: &Session, mode: Mode) -> Result<(), Error> {
    let path = Path::new(["contacts", &mode.name, "mode"]);
    let answer = match mode.mode {
        None => session.client.get(&path).await?,
        Some(wished) => {
            let body = json!({ "mode": wished.name() });
            session.client.post(&path, &body).await?
        }
    };
    let mode: view::Mode = view(answer)?;
    session.output.result(&mode, shown_mode);
    Ok(())
}

fn shown_mode(mode: &view::Mode) -> String {
    let mut text = format!("{}  {}", mode.name, mode.mode);
    text.push_str(&format!("\n  your wish   {}", mode.mine));
    text.push_str(&format!("\n  their wish  {}", mode.theirs));
    if let Some(key) = &mode.my_key {
        text.push_str(&format!("\n  your key    {key}"));
    }
    if let Some(key) = &mode.their_key {
        let changed = if mode.their_key_changed {
            "  (it was another one before)"
        } else {
            ""
        };
        text.push_str(&format!("\n  their key   {key}{changed}"));
    }
    let wishes = [mode.mine.as_str(), mode.theirs.as_str()];
    text.push_str(match wishes {
        ["otr", "otr"] => "\nwhat you say is off the record: nobody can show it to others",
        ["otr", _] => {
            "\nnothing you say is sent until both of you wish to be off the record, or you \
             choose another mode"
        }
        [_, "otr"] => "\nwhat you say is on record until you wish to be off it as well",
        [mine, theirs] if mine != theirs => {
            "\nnothing is signed for others until both of you wish it"
        }
        _ => "",
    });
    text
}

/// `prove`
pub(super) async fn prove(session: &Session, prove: Prove) -> Result<(), Error> {
    // Opened first: who cannot write it need not ask for it.
    let file = prove.out.as_deref().map(create).transpose()?;
    let path = Path::new(["messages", &prove.id, "proof"]);
    let answer = session.client.get(&path).await.and_then(view);
    let written = answer.and_then(|proof: view::Proof| {
        if let (Some(mut file), Some(path)) = (file, &prove.out) {
            let whole = file.write_all(proof.proof.as_bytes());
            whole
                .and_then(|()| file.sync_all())
                .map_err(|error| cannot("write", path, &error))?;
        }
        Ok(proof)
    });
    let proof = match (written, &prove.out) {
        (Err(error), Some(path)) => {
            // What is left is empty or half a proof, which nobody needs.
            let _ = fs::remove_file(path);
            return Err(error);
        }
        (written, _) => written?,
    };
    session.output.result(&proof, |proof| match &prove.out {
        None => proof.proof.trim_end().to_owned(),
        Some(path) => format!(
            "{}  proved in {}, with {} signed receipts; `hushwing check-proof` checks it anywhere",
            shown::id(&proof.message),
            path.display(),
            proof.receipts
        ),
    });
    Ok(())
}

/// A new file for a proof. What is there already may be another proof, so it
/// stays.
fn create(path: &FilePath) -> Result<File, Error> {
    let mut how = OpenOptions::new();
    // What it says is private until its owner shows it.
    how.write(true).create_new(true).mode(0o600);
    how.open(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Error::new(
            ErrorKind::Exists,
            format!("{} is there already", path.display()),
        )
        .with_advice("give the name of a new file"),
        _ => cannot("write", path, &error),
    })
}

fn cannot(what: &str, path: &FilePath, error: &io::Error) -> Error {
    let message = format!("cannot {what} {}: {error}", path.display());
    Error::new(ErrorKind::BadFile, message).with_advice("give the path of a file you may use")
}

/// `check-proof`
pub(super) fn check(asked: &CheckProof, output: Output) -> Result<ExitCode, Error> {
    let mut text = Vec::new();
    // One byte more than any proof has, which even an endless device gives.
    let most = u64::try_from(MAX_PROOF)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    File::open(&asked.file)
        .and_then(|file| file.take(most).read_to_end(&mut text))
        .map_err(|error| cannot("read", &asked.file, &error))?;
    let proved = check_proof(&text)?;
    output.result(&proved, shown_proof);
    output.note("whose keys these are, the file does not say");
    Ok(ExitCode::SUCCESS)
}

fn shown_proof(proved: &view::Proved) -> String {
    let about = proved
        .about
        .as_ref()
        .map(|about| format!("  about {}", shown::id(about)));
    let mut text = format!("proved: a {}{}", proved.kind, about.unwrap_or_default());
    text.push_str(&format!("\n  said by       {}", proved.author));
    text.push_str(&format!("\n  to            {}", proved.audience));
    text.push_str(&format!("\n  conversation  {}", proved.conversation));
    text.push_str(&format!(
        "\n  at            {}, by the author's clock",
        proved.said_at
    ));
    for confirmed in &proved.received {
        let (state, at) = (&confirmed.state, &confirmed.at);
        text.push_str(&format!("\n  {state:<12}  {at}, by the receiver's clock"));
    }
    if !proved.text.is_empty() {
        text.push_str(&format!("\n  text          {}", indented(&proved.text)));
    }
    text
}
