//! Any other issuer.
