//! PEM texts: keys and certificates that a tenant file holds or names.

use x509_parser::pem::Pem as PemBlock;

use super::Draft;
use crate::{
    clock::rfc3339,
    keys::{AlgorithmSet, KeyProblem, KeySet},
    tenant::file::Pem,
};

/// How long before a certificate's end its owner is warned: long enough for a change request.
const EXPIRES_SOON: u64 = 30 * 24 * 60 * 60;

/// The text, wherever it is; its absence is reported.
pub fn text<'f, 't: 'f>(key: &str, pem: &'f Pem, draft: &mut Draft<'_, 't>) -> Option<&'f str> {
    let text = match pem {
        Pem::Inline(text) => text.as_str(),
        Pem::File(reference) => {
            let Some(name) = reference.file.as_deref() else {
                draft.report.missing(
                    key,
                    "file",
                    "this names no file",
                    "write { file = \"name.pem\" }",
                );
                return None;
            };
            match draft.source.file(name) {
                Ok(text) => text,
                Err(reason) => {
                    draft
                        .report
                        .error(key, format!("the file {name:?} {reason}"))
                        .help("paths are relative to the tenant file's folder");
                    return None;
                }
            }
        }
    };
    if text.contains("PRIVATE KEY-----") {
        draft
            .report
            .error(key, "this is a private key")
            .help("Postern only checks signatures; give it the public half, and replace this key if others could read it here");
        return None;
    }
    if !text.contains("-----BEGIN ") {
        let problem = draft
            .report
            .error(key, "this is no PEM text (`-----BEGIN …-----`)");
        if matches!(pem, Pem::Inline(_)) {
            problem.help("to name a file, write { file = \"…\" }");
        }
        return None;
    }
    Some(text)
}

/// `public_key` or `certificate`, each read by its own parser.
#[derive(Clone, Copy)]
pub enum Form {
    PublicKey,
    Certificate,
}

impl Form {
    /// The name of its key in a tenant file.
    pub fn name(self) -> &'static str {
        match self {
            Self::PublicKey => "public_key",
            Self::Certificate => "certificate",
        }
    }

    /// The key of a PEM text, if it fits one of the algorithms.
    pub fn read(self, text: &str, algorithms: AlgorithmSet) -> Result<KeySet, KeyProblem> {
        match self {
            Self::PublicKey => KeySet::from_public_key_pem(text.as_bytes(), algorithms),
            Self::Certificate => KeySet::from_certificate_pem(text.as_bytes(), algorithms),
        }
    }

    /// Whether the text holds what the key of the tenant file promises, and a certificate is valid now.
    pub fn judge(self, key: &str, text: &str, draft: &mut Draft<'_, '_>) -> Option<()> {
        match (self, text.contains("-----BEGIN CERTIFICATE-----")) {
            (Self::PublicKey, true) => {
                let problem = draft.report.error(key, "this is a certificate");
                problem.help("write `certificate` instead of `public_key`");
                return None;
            }
            (Self::Certificate, false) => {
                let problem = draft.report.error(key, "this is no certificate");
                problem.help("if it is a bare public key, write `public_key` instead");
                return None;
            }
            _ => {}
        }
        // With every algorithm, so that what is wrong with the key is not blamed on `algorithms`.
        match self.read(text, AlgorithmSet::ALL) {
            Ok(keys) => valid_now(key, &keys, draft),
            Err(problem) => {
                draft.report.error(key, problem.to_string());
                None
            }
        }
    }
}

fn valid_now(key: &str, keys: &KeySet, draft: &mut Draft<'_, '_>) -> Option<()> {
    let Some((not_before, not_after)) = keys.validity() else {
        return Some(());
    };
    if draft.now < not_before {
        let message = format!(
            "this certificate is not valid before {}",
            rfc3339(not_before)
        );
        draft.report.error(key, message);
        return None;
    }
    if draft.now > not_after {
        let message = format!("this certificate expired on {}", rfc3339(not_after));
        draft
            .report
            .error(key, message)
            .help("ask the issuer for its present certificate");
        return None;
    }
    if not_after - draft.now < EXPIRES_SOON {
        let message = format!("this certificate expires on {}", rfc3339(not_after));
        draft
            .report
            .warning(key, message)
            .help("ask the issuer for its next certificate");
    }
    Some(())
}

/// `ca`: at least one certificate, and each of them readable.
pub fn authorities(key: &str, text: &str, draft: &mut Draft<'_, '_>) -> Option<()> {
    let mut count = 0;
    for block in PemBlock::iter_from_buffer(text.as_bytes()) {
        let certificate = block
            .as_ref()
            .ok()
            .filter(|block| block.label == "CERTIFICATE");
        let Some(Ok(certificate)) = certificate.map(PemBlock::parse_x509) else {
            let message = format!("block {} of this is no readable certificate", count + 1);
            draft.report.error(key, message);
            return None;
        };
        count += 1;
        let not_after = u64::try_from(certificate.validity().not_after.timestamp()).unwrap_or(0);
        if draft.now > not_after {
            let message = format!(
                "certificate {count} of this expired on {}",
                rfc3339(not_after)
            );
            draft.report.warning(key, message);
        }
    }
    if count == 0 {
        draft.report.error(
            key,
            "this holds no certificate (`-----BEGIN CERTIFICATE-----`)",
        );
        return None;
    }
    Some(())
}
