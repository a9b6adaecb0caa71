//! Links as codes: drawn on a terminal, written to a picture, read from one.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use hushwing_daemon::{Error, ErrorKind};
use hushwing_qr::{Code, DrawError, Style};

/// Pictures larger than this are not codes of ours.
const MAX_PICTURE: u64 = 32 << 20;

/// What the code of a safety number begins with.
const SAFETY: &str = "hushwing:v#";

/// A file that will hold a picture. It is opened before the link exists, so that
/// no link is left behind that nobody was shown.
pub(super) struct Picture {
    file: File,
    path: PathBuf,
    /// Nobody's picture was there before.
    new: bool,
}

impl Picture {
    /// Opens a file for writing; what it holds stays until [`Picture::write`].
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let mut how = OpenOptions::new();
        // A picture of a link is the link: nobody else reads it.
        how.write(true).mode(0o600);
        let (file, new) = match how.clone().create_new(true).open(path) {
            Ok(file) => (file, true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                (how.open(path).map_err(|error| cannot(path, &error))?, false)
            }
            Err(error) => return Err(cannot(path, &error)),
        };
        Ok(Self {
            file,
            path: path.to_owned(),
            new,
        })
    }

    /// Writes the code of `link`, in place of what was there.
    pub(super) fn write(&mut self, link: &str) -> Result<(), Error> {
        let picture = code(link)?.to_png().map_err(bad_code)?;
        let written = self.clear().and_then(|()| self.file.write_all(&picture));
        written.map_err(|error| cannot(&self.path, &error))
    }

    /// Empties a file, and makes it private; a pipe or device is as it is.
    fn clear(&self) -> io::Result<()> {
        if self.file.metadata()?.is_file() {
            self.file.set_permissions(Permissions::from_mode(0o600))?;
            self.file.set_len(0)?;
        }
        Ok(())
    }

    /// There is no link to be shown: leaves no file that was not there before.
    pub(super) fn give_up(self) {
        if self.new {
            // What cannot be removed is an empty file, and no link is in it.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn cannot(path: &Path, error: &io::Error) -> Error {
    Error::new(
        ErrorKind::BadFile,
        format!("cannot write {}: {error}", path.display()),
    )
    .with_advice("choose a folder you may write to")
}

/// The code of `link` for the terminal.
pub(super) fn drawn(link: &str) -> Result<String, Error> {
    Ok(code(link)?.to_terminal(style()))
}

fn code(link: &str) -> Result<Code, Error> {
    Code::new(link).map_err(bad_code)
}

fn bad_code(error: DrawError) -> Error {
    Error::new(
        ErrorKind::Internal,
        format!("cannot draw the code: {error}"),
    )
}

/// Colours where somebody looks, unless they asked for none (no-color.org).
fn style() -> Style {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if io::stdout().is_terminal() && !plain {
        Style::Colour
    } else {
        Style::Plain
    }
}

/// The link in a picture, or else the first text that any code in it holds.
pub(super) fn link_in(file: &Path) -> Result<String, Error> {
    text_in(file, is_link)
}

/// The code of a safety number in a picture, or else the first text that any
/// code in it holds.
pub(super) fn safety_code_in(file: &Path) -> Result<String, Error> {
    text_in(file, |text| text.starts_with(SAFETY))
}

fn text_in(file: &Path, wanted: fn(&str) -> bool) -> Result<String, Error> {
    let cannot =
        |problem: String| Error::new(ErrorKind::BadFile, format!("{}: {problem}", file.display()));
    let mut bytes = Vec::new();
    // One byte more than allowed, which even an endless device gives.
    File::open(file)
        .and_then(|file| file.take(MAX_PICTURE + 1).read_to_end(&mut bytes))
        .map_err(|error| cannot(error.to_string()))?;
    if u64::try_from(bytes.len()).is_ok_and(|size| size > MAX_PICTURE) {
        return Err(cannot("larger than any picture of a code".into()));
    }
    let texts = hushwing_qr::read(&bytes).map_err(|error| cannot(error.to_string()))?;
    let link = texts.iter().find(|text| wanted(text)).or(texts.first());
    link.cloned()
        .ok_or_else(|| cannot("it holds no code".into()))
}

/// A picture may show other codes beside ours.
fn is_link(text: &str) -> bool {
    (text.starts_with("hushwing:") && !text.starts_with(SAFETY))
        || (text.starts_with("https://") && text.contains('#'))
}
