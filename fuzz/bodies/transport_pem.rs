//! A server's certificates and key as a disk gives them back: the chain in one
//! text, then the key.

use hushwing_transport::tls::{Identity, pem_section};

pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let certificate = pem_section(text, "CERTIFICATE");
    let key = pem_section(text, "PRIVATE KEY");
    if let (Some(certificate), Some(key)) = (certificate, key) {
        let chain = vec![certificate.to_vec(), certificate.to_vec()];
        let _ = Identity::from_der(chain, key.to_vec());
    }
}
