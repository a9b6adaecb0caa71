//! A link as it goes through the hands of whoever introduces: signed by its
//! maker, so that nothing in it can be exchanged, its server included.

use core::fmt;

use super::secret::{Fixed, RootKey};
use super::uri::Link;
use crate::Secret;
use crate::content::IntroductionId;

/// What the signature covers first.
const CONTEXT: &[u8] = b"hushwing introduction link 1\0";

/// A link with the signature of its root key for one introduction.
///
/// The promise made before names the root key, and the root key names the whole
/// link: who introduces can pass it on or keep it, and no more. It shows nobody
/// more than the link does, whose secret follows from the root key.
#[derive(Clone, PartialEq, Eq)]
pub struct IntroducedLink {
    /// The link as text.
    pub link: Secret,
    /// The link's fixed data as they claim it, [`Fixed::encode`].
    pub fixed: [u8; Fixed::LENGTH],
    /// The root key's signature over `"hushwing introduction link 1" ‖ 0x00 ‖ id ‖
    /// link`; nothing here verified it.
    pub signature: [u8; 64],
}

impl IntroducedLink {
    /// Signs a link of mine for one introduction.
    #[must_use]
    pub fn sign(id: IntroductionId, link: Secret, root: &RootKey) -> Self {
        Self {
            fixed: root.fixed().encoded(),
            signature: root.sign(&signed(id, &link)),
            link,
        }
    }

    /// The link, if its maker signed it for this introduction.
    #[must_use]
    pub fn open(&self, id: IntroductionId) -> Option<Link> {
        let link = Link::parse(core::str::from_utf8(self.link.expose()).ok()?).ok()?;
        let fixed = Fixed::open(link.secret(), &self.fixed).ok()?;
        let whole = fixed.verifies(&signed(id, &self.link), &self.signature);
        whole.then_some(link)
    }
}

fn signed(id: IntroductionId, link: &Secret) -> Vec<u8> {
    [CONTEXT, id.0.as_slice(), link.expose()].concat()
}

// Whoever knows the root key knows the secret of the link.
impl fmt::Debug for IntroducedLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IntroducedLink(..)")
    }
}

#[cfg(test)]
mod tests {
    use hushwing_delivery::{NetworkTag, Place};

    use super::*;
    use crate::link::Kind;

    fn root() -> RootKey {
        RootKey::from_seed(&[3; 32])
    }

    fn at(place: u8) -> Secret {
        let (place, secret) = (Place(vec![place; 8]), root().fixed().secret());
        let link = Link::new(Kind::OneTime, NetworkTag::TOY, place, secret, None);
        Secret::new(link.unwrap().to_uri())
    }

    #[test]
    fn a_signature_fits_one_introduction_one_link_and_one_root() {
        let (id, other) = (IntroductionId([1; 16]), IntroductionId([2; 16]));
        let good = IntroducedLink::sign(id, at(1), &root());
        assert_eq!(good.open(id).unwrap().secret(), &root().fixed().secret());
        assert_eq!(good.open(other), None);
        let elsewhere = IntroducedLink {
            link: at(2),
            ..good.clone()
        };
        assert_eq!(elsewhere.open(id), None);
        let by_another = IntroducedLink::sign(id, at(1), &RootKey::from_seed(&[4; 32]));
        assert_eq!(by_another.open(id), None);
        let claimed = IntroducedLink {
            fixed: good.fixed,
            ..by_another
        };
        assert_eq!(claimed.open(id), None);
    }

    /// From the formula in protocol/link.md, by another program.
    #[test]
    fn the_formula_is_the_specified_one() {
        let id = IntroductionId(*b"0123456789abcdef");
        let link = Secret::new(*b"hushwing:i#AA");
        let signed = IntroducedLink::sign(id, link, &RootKey::from_seed(&[7; 32]));
        let digits = signed.signature.iter().map(|byte| format!("{byte:02x}"));
        assert_eq!(digits.collect::<String>(), SIGNED);
    }

    const SIGNED: &str = "04c838fa894a314c2d0fab7f1ab8748f4cb837e074e003346b5ad8367df4a796\
        4a00071cf54aae4ac5b20b774896c2989f27afd8ef87a0dd366bf97409ee9202";
}
