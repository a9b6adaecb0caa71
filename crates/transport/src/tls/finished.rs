//! Recording the client's Finished message, which rustls does not offer.
//!
//! A TLS 1.3 handshake without resumption computes exactly two HMACs through
//! [`Hkdf::hmac_sign`]: the server's Finished, then the client's (one end
//! signs what the other verifies, so both ends compute both). Wrapping the
//! suite's HKDF therefore sees the value. To know *whose* it is, every call
//! into a handshaking connection runs inside [`FinishedLog::during`], which
//! makes that connection's log the current one of this thread for exactly the
//! length of the call.

use std::cell::RefCell;

use rustls::crypto::tls13::{Hkdf, HkdfExpander, OkmBlock};
use rustls::crypto::{ActiveKeyExchange, hmac};

thread_local! {
    static CURRENT: RefCell<Option<FinishedLog>> = const { RefCell::new(None) };
}

/// What one connection's handshake has computed so far.
#[derive(Default)]
pub(crate) struct FinishedLog {
    computed: usize,
    client: Option<Vec<u8>>,
}

impl FinishedLog {
    /// Runs `work` with this log as the current one of this thread.
    pub(crate) fn during<R>(&mut self, work: impl FnOnce() -> R) -> R {
        let outer = CURRENT.replace(Some(std::mem::take(self)));
        let restore = Restore { outer, log: self };
        let result = work();
        drop(restore);
        result
    }

    /// The client's Finished `verify_data`, if the handshake computed exactly
    /// two; anything else would mean that rustls changed under us.
    pub(crate) fn into_client_finished(self) -> Option<Vec<u8>> {
        self.client.filter(|_| self.computed == 2)
    }

    fn record(&mut self, verify_data: &[u8]) {
        self.computed += 1;
        if self.computed == 2 {
            self.client = Some(verify_data.to_vec());
        }
    }
}

/// Takes the log back and puts the outer one in place, also when unwinding.
struct Restore<'a> {
    outer: Option<FinishedLog>,
    log: &'a mut FinishedLog,
}

impl Drop for Restore<'_> {
    fn drop(&mut self) {
        *self.log = CURRENT.replace(self.outer.take()).unwrap_or_default();
    }
}

/// A suite's HKDF that notes each HMAC in the current log.
pub(super) struct RecordingHkdf {
    inner: &'static dyn Hkdf,
}

impl RecordingHkdf {
    pub(super) fn new(inner: &'static dyn Hkdf) -> Self {
        Self { inner }
    }
}

impl Hkdf for RecordingHkdf {
    fn extract_from_zero_ikm(&self, salt: Option<&[u8]>) -> Box<dyn HkdfExpander> {
        self.inner.extract_from_zero_ikm(salt)
    }

    fn extract_from_secret(&self, salt: Option<&[u8]>, secret: &[u8]) -> Box<dyn HkdfExpander> {
        self.inner.extract_from_secret(salt, secret)
    }

    fn extract_from_kx_shared_secret(
        &self,
        salt: Option<&[u8]>,
        kx: Box<dyn ActiveKeyExchange>,
        peer_pub_key: &[u8],
    ) -> Result<Box<dyn HkdfExpander>, rustls::Error> {
        self.inner
            .extract_from_kx_shared_secret(salt, kx, peer_pub_key)
    }

    fn expander_for_okm(&self, okm: &OkmBlock) -> Box<dyn HkdfExpander> {
        self.inner.expander_for_okm(okm)
    }

    fn hmac_sign(&self, key: &OkmBlock, message: &[u8]) -> hmac::Tag {
        let tag = self.inner.hmac_sign(key, message);
        CURRENT.with_borrow_mut(|current| {
            if let Some(log) = current {
                log.record(tag.as_ref());
            }
        });
        tag
    }

    fn fips(&self) -> bool {
        self.inner.fips()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(verify_data: &[u8]) {
        CURRENT.with_borrow_mut(|current| {
            if let Some(log) = current {
                log.record(verify_data);
            }
        });
    }

    #[test]
    fn logs_of_interleaved_connections_do_not_mix() {
        let (mut first, mut second) = (FinishedLog::default(), FinishedLog::default());
        first.during(|| record(b"server 1"));
        second.during(|| record(b"server 2"));
        record(b"outside");
        first.during(|| record(b"client 1"));
        second.during(|| record(b"client 2"));
        assert_eq!(first.into_client_finished().unwrap(), b"client 1");
        assert_eq!(second.into_client_finished().unwrap(), b"client 2");
    }

    #[test]
    fn an_unexpected_number_of_computations_yields_nothing() {
        for count in [0, 1, 3] {
            let mut log = FinishedLog::default();
            log.during(|| (0..count).for_each(|_| record(b"x")));
            assert!(log.into_client_finished().is_none());
        }
    }

    #[test]
    fn unwinding_closes_the_scope() {
        let mut log = FinishedLog::default();
        let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            log.during(|| panic!("inside the scope"));
        }));
        assert!(unwound.is_err());
        assert!(CURRENT.with_borrow(Option::is_none));
    }
}
