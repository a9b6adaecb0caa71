//! A command that is read is written in a form that is read as the same
//! command; an answer is written in a form that can be read. The first byte
//! chooses the version.

use hushwing_relay::wire::{Command, Response, SUPPORTED, SmpError, Version, Writer};

pub(crate) fn run(data: &[u8]) {
    let Some((&choice, text)) = data.split_first() else {
        return;
    };
    let versions = SUPPORTED.max.0 - SUPPORTED.min.0 + 1;
    let version = Version(SUPPORTED.min.0 + u16::from(choice) % versions);
    if let Ok(command) = Command::parse(text, version) {
        let again = written(|w| command.write(w, version));
        assert!(Command::parse(&again, version) == Ok(command));
    }
    if let Ok(response) = Response::parse(text, version) {
        let again = written(|w| response.write(w, version));
        assert!(Response::parse(&again, version).is_ok());
    }
    let _ = SmpError::parse(text);
}

fn written(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out);
    write(&mut writer);
    writer.check().unwrap();
    out
}
