//! Whether the time of a refusal tells why (check 40 of `relay/CHECKLIST.md`).
//!
//! That the same primitives run for every reason is a unit test of the relay;
//! here is what they take. Reasons take turns, so that whatever else the
//! machine does falls on all.

use hushwing_relay::wire::{
    AuthKey, Credential, DhPublic, DhSecret, SigningKey, Transmission, Verdict, Verifier,
};

use crate::clock::{Samples, cost};
use crate::{BenchError, Figure};

/// Rounds over the reasons.
const ROUNDS: u32 = 60;
/// Refusals in one measurement.
const CALLS: u32 = 20;

/// Public keys of the three kinds, of which a refused credential fits one.
struct Keys([AuthKey; 3]);

/// Slowest reason by fastest, for each kind of credential.
pub(super) fn measure() -> Result<Vec<Figure>, BenchError> {
    let keys = Keys::new()?;
    let [ed25519, ed448, _] = &keys.0;
    let (ed25519, ed448) = (forged(ed25519)?, forged(ed448)?);
    let sealed = [9; 80];
    Ok(vec![
        keys.spread("refusal_time_spread_ed25519", Credential::Ed25519(&ed25519))?,
        keys.spread("refusal_time_spread_ed448", Credential::Ed448(&ed448))?,
        keys.spread(
            "refusal_time_spread_x25519",
            Credential::Authenticator(&sealed),
        )?,
    ])
}

impl Keys {
    fn new() -> Result<Self, BenchError> {
        let failed = "a key was refused";
        let signing = SigningKey::from_seed([7; 32]).map_err(BenchError::bug(failed))?;
        let agreeing = DhSecret::from_bytes([7; 32]).map_err(BenchError::bug(failed))?;
        let DhPublic(raw) = agreeing.public();
        Ok(Self([
            signing.public(),
            AuthKey::Ed448(ED448),
            AuthKey::X25519(DhPublic(raw)),
        ]))
    }

    /// The time of the slowest reason in microseconds, beside the fastest.
    fn spread(&self, name: &str, credential: Credential<'_>) -> Result<Figure, BenchError> {
        let secret = DhSecret::from_bytes([8; 32]).map_err(BenchError::bug("a key was refused"))?;
        let mut verifier = Verifier::new(&[1; 32], Some(secret));
        let transmission = Transmission {
            authorisation: &[],
            service_signature: None,
            authorised: &[5; 60],
            correlation_id: &[2; 24],
            entity_id: &[3; 24],
            text: b"SUB",
        };
        let [first, second, third] = &self.0;
        let reasons = [None, Some(first), Some(second), Some(third)];
        let mut times = reasons.map(|_| Samples::default());
        for _ in 0..ROUNDS {
            for (key, times) in reasons.iter().zip(&mut times) {
                times.push(cost(CALLS, || {
                    match verifier.verify(&transmission, credential, *key, None) {
                        Verdict::Refused => Ok(()),
                        Verdict::Accepted(_) => Err(BenchError::Bug("a forgery was accepted")),
                    }
                })?);
            }
        }
        let medians = times.map(|times| times.median());
        let slowest = medians.iter().copied().fold(0.0, f64::max);
        let fastest = medians.iter().copied().fold(f64::INFINITY, f64::min);
        Ok(Figure::new(name, "µs", slowest, fastest))
    }
}

/// A signature as another key could have made it: a point on the curve and a
/// small number, so that no check ends before its multiplications.
fn forged<const N: usize>(key: &AuthKey) -> Result<[u8; N], BenchError> {
    let point: &[u8] = match key {
        AuthKey::Ed25519(point) => point,
        AuthKey::Ed448(point) => point,
        AuthKey::X25519(_) => return Err(BenchError::Bug("a key that does not sign")),
    };
    let mut signature = [0; N];
    for (to, from) in signature.iter_mut().zip(point) {
        *to = *from;
    }
    Ok(signature)
}

/// The public key of the first Ed448 vector of RFC 8032, 7.4.
const ED448: [u8; 57] = [
    0x5f, 0xd7, 0x44, 0x9b, 0x59, 0xb4, 0x61, 0xfd, 0x2c, 0xe7, 0x87, 0xec, 0x61, 0x6a, 0xd4, 0x6a,
    0x1d, 0xa1, 0x34, 0x24, 0x85, 0xa7, 0x0e, 0x1f, 0x8a, 0x0e, 0xa7, 0x5d, 0x80, 0xe9, 0x67, 0x78,
    0xed, 0xf1, 0x24, 0x76, 0x9b, 0x46, 0xc7, 0x06, 0x1b, 0xd6, 0x78, 0x3d, 0xf1, 0xe5, 0x0f, 0x6c,
    0xd1, 0xfa, 0x1a, 0xbe, 0xaf, 0xe8, 0x25, 0x61, 0x80,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_credential_is_measured() {
        let figures = measure().unwrap();
        assert_eq!(figures.len(), 3);
        assert!(figures.iter().all(|figure| figure.ratio >= 1.0));
    }
}
