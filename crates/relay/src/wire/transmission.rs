//! One command or answer with what surrounds it (SMP 4).

use super::{Malformed, Reader, Response, Version, Writer};

/// A transmission as it lies in a received block, its text not parsed yet.
#[derive(Clone, Copy)]
pub struct Transmission<'a> {
    /// Signature or authenticator; empty if there is none.
    pub authorisation: &'a [u8],
    /// The second signature of a service session.
    pub service_signature: Option<&'a [u8]>,
    /// Pairs answers with commands; empty in events.
    pub correlation_id: &'a [u8],
    /// The queue or link; empty where the command has none.
    pub entity_id: &'a [u8],
    /// Tag and parameters.
    pub text: &'a [u8],
    /// Everything after the authorisation fields. Prefixed with the session
    /// id it is what the authorisation covers.
    pub authorised: &'a [u8],
}

impl<'a> Transmission<'a> {
    /// Parses one item of a batch.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if a field is cut short. The text may be anything.
    pub fn parse(item: &'a [u8], version: Version) -> Result<Self, Malformed> {
        let mut r = Reader::new(item);
        let authorisation = r.str()?;
        let service_signature = if version.has_services() && !authorisation.is_empty() {
            r.opt(Reader::str)?
        } else {
            None
        };
        let authorised = r.rest();
        let correlation_id = r.str()?;
        let entity_id = r.str()?;
        let text = r.tail();
        Ok(Self {
            authorisation,
            service_signature,
            correlation_id,
            entity_id,
            text,
            authorised,
        })
    }
}

/// Writes the transmission of an answer or event; those are not authorised.
pub fn write_response(
    w: &mut Writer<'_>,
    version: Version,
    correlation_id: &[u8],
    entity_id: &[u8],
    response: &Response<'_>,
) {
    w.str(&[]).str(correlation_id).str(entity_id);
    response.write(w, version);
}
