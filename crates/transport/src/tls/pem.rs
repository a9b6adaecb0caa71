//! DER in text (RFC 7468), as servers keep their certificates and keys.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// Characters of Base64 on a line.
const LINE: usize = 64;

/// `der` as a section with this label, lines of 64 characters.
#[must_use]
pub fn pem_text(label: &str, der: &[u8]) -> Zeroizing<String> {
    let base64 = Zeroizing::new(STANDARD.encode(der));
    // Room from the start: text that grows leaves copies of a key behind.
    let most = base64.len() + base64.len() / LINE + 2 * label.len() + 64;
    let mut text = Zeroizing::new(String::with_capacity(most));
    text.push_str(&format!("-----BEGIN {label}-----"));
    for (at, letter) in base64.chars().enumerate() {
        if at % LINE == 0 {
            text.push('\n');
        }
        text.push(letter);
    }
    text.push_str(&format!("\n-----END {label}-----\n"));
    text
}

/// The DER of the first PEM section with this label; `None` if there is none,
/// or it is not Base64.
#[must_use]
pub fn pem_section(text: &str, label: &str) -> Option<Zeroizing<Vec<u8>>> {
    let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----"))?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    let body: Zeroizing<String> =
        Zeroizing::new(body.chars().filter(|c| !c.is_ascii_whitespace()).collect());
    STANDARD.decode(body.as_bytes()).ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_under_its_label_alone() {
        for length in [1, 47, 48, 49, 1_000] {
            let der = vec![7; length];
            let text = pem_text("PRIVATE KEY", &der);
            assert!(text.lines().all(|line| line.len() <= LINE), "{length}");
            assert!(text.starts_with("-----BEGIN PRIVATE KEY-----\n"));
            assert!(text.ends_with("\n-----END PRIVATE KEY-----\n"));
            assert_eq!(*pem_section(&text, "PRIVATE KEY").unwrap(), der);
            assert!(pem_section(&text, "CERTIFICATE").is_none());
        }
    }
}
