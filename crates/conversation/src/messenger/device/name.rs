//! What a new device is called: not as the one that lets it in.
//!
//! Others there are there it learns only once it is in. Where one of these has its name, it is
//! not let in under it.

use crate::content::shown::{MAX_NAME, clean_name};

/// The name, or with the next number behind it where that device is called so.
pub(in crate::messenger) fn unlike(name: &str, other: &str) -> String {
    let number = match other.strip_prefix(name) {
        Some("") => Some(2),
        Some(rest) => rest.strip_prefix('-').and_then(|number| {
            let number: u8 = number.parse().ok()?;
            number.checked_add(1)
        }),
        None => None,
    };
    number.map_or_else(|| name.to_owned(), |number| with_number(name, number))
}

/// The name with a number behind it, shortened so that it stays a name.
fn with_number(name: &str, number: u8) -> String {
    let mut short = name.to_owned();
    loop {
        let numbered = format!("{short}-{number}");
        if numbered.len() <= MAX_NAME && clean_name(&numbered).as_ref() == Some(&numbered) {
            return numbered;
        }
        if short.pop().is_none() {
            return name.to_owned();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_there_gets_the_next_number() {
        assert_eq!(unlike("desk", "phone"), "desk");
        assert_eq!(unlike("desk", "desk"), "desk-2");
        assert_eq!(unlike("desk", "desk-2"), "desk-3");
        for other in ["desks", "desk-top", "desk-255", "my desk", "desk-"] {
            assert_eq!(unlike("desk", other), "desk", "{other}");
        }
    }

    #[test]
    fn a_long_name_stays_a_name() {
        for name in ["x".repeat(64), "\u{1f4bb}".repeat(32)] {
            let numbered = unlike(&name, &name);
            assert!(numbered.ends_with("-2"), "{numbered}");
            assert_eq!(clean_name(&numbered), Some(numbered));
        }
    }
}
