//! What a device is called: nothing that another one of the same person is called.

use super::MOST_DEVICES;
use crate::content::shown::MAX_NAME;

/// Numbers tried: with so many one is free.
const MOST_TRIED: u16 = MOST_DEVICES + 16;

/// The name, or if a device there has it with the first number behind it that none has.
pub(in crate::messenger) fn unlike(name: &str, there: &[String]) -> String {
    let taken = |name: &String| there.iter().any(|one| one.eq_ignore_ascii_case(name));
    let numbered = (2..=MOST_TRIED).map(|number| with_number(name, number));
    let mut names = [name.to_owned()].into_iter().chain(numbered);
    let free = names.find(|name| !taken(name));
    free.unwrap_or_else(|| name.to_owned())
}

/// The name with a number behind it, shortened so that it stays a name.
fn with_number(name: &str, number: u16) -> String {
    let number = format!(" {number}");
    let mut short: String = name.chars().take(64 - number.len()).collect();
    while short.len() + number.len() > MAX_NAME {
        short.pop();
    }
    format!("{}{number}", short.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::shown::clean_name;

    fn among(name: &str, there: &[&str]) -> String {
        let there: Vec<_> = there.iter().map(|&one| one.to_owned()).collect();
        unlike(name, &there)
    }

    #[test]
    fn a_name_that_is_there_gets_the_first_free_number() {
        assert_eq!(among("desk", &[]), "desk");
        assert_eq!(among("desk", &["phone", "desk 2"]), "desk");
        assert_eq!(among("desk", &["desk"]), "desk 2");
        assert_eq!(among("desk", &["desk 2", "Desk"]), "desk 3");
    }

    #[test]
    fn a_long_name_stays_a_name() {
        for name in ["x".repeat(64), "\u{1f4bb}".repeat(32)] {
            let numbered = among(&name, &[&name]);
            assert!(numbered.ends_with(" 2"), "{numbered}");
            assert_eq!(clean_name(&numbered), Some(numbered));
        }
    }
}
