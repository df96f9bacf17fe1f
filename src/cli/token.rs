//! What the commands about API tokens have in common: where the daemon is asked, and how times are written.

use url::Url;

use crate::{api_tokens::TokenId, tenant::TenantId};

/// Where the daemon is asked about a tenant's tokens.
pub fn tokens_of(tenant: &TenantId) -> Url {
    url(&format!("tokens/{tenant}"))
}

/// Where the daemon is asked about that token.
pub fn token(id: TokenId) -> Url {
    url(&format!("token/{id}"))
}

fn url(path: &str) -> Url {
    format!("http://postern/{path}")
        .parse()
        .expect("neither a tenant's name nor an id has anything that a URL could be read by")
}
