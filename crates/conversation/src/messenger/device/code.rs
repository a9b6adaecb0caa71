//! The digits that a person compares.

use sha2::{Digest as _, Sha256};

use super::talk;

/// Not how any other thing begins that is hashed here.
const LABEL: &[u8] = b"hushwing device code 1";
/// One more than the greatest code.
const CODES: u64 = 1_000_000;

/// Six digits in two groups, of what two devices told each other.
pub(super) fn code(call: &[u8], answer: &[u8]) -> String {
    let hash = Sha256::digest(talk(LABEL, call, answer));
    let mut first = [0; 8];
    first.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
    let code = u64::from_be_bytes(first) % CODES;
    format!("{:03} {:03}", code / 1_000, code % 1_000)
}

/// Whether a person typed this code, with or without the space.
pub(super) fn is_code(typed: &str, code: &str) -> bool {
    let digits = |text: &str| text.split_whitespace().collect::<String>();
    digits(typed) == digits(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_hashes_all_that_was_told_and_where_it_ends() {
        let one = code(b"call", b"answer");
        assert_eq!(one, "737 782");
        assert_ne!(one, code(b"calla", b"nswer"));
        assert_ne!(one, code(b"call", b"answes"));
        assert_ne!(one, code(b"cale", b"answer"));
    }

    #[test]
    fn it_may_be_typed_without_the_space() {
        assert!(is_code("012345", "012 345") && is_code(" 012 345\n", "012 345"));
        assert!(!is_code("12345", "012 345") && !is_code("", "012 345"));
    }
}
