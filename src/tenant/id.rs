//! The name of a tenant, parsed once at the edge.

use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};

/// The longest name: that of a DNS label, so that a tenant can also be a host name or a metric label.
pub const MAX_LEN: usize = 63;

/// The name of a tenant and of its file: `[a-z0-9-]`, 1 to 63 characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(Arc<str>);

/// Why a text is not a tenant's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a tenant's name has 1 to {MAX_LEN} characters out of a-z, 0-9 and '-'")]
pub struct InvalidTenantId;

impl TenantId {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TenantId {
    type Err = InvalidTenantId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if text.is_empty() || text.len() > MAX_LEN || !text.bytes().all(allowed) {
            return Err(InvalidTenantId);
        }
        Ok(Self(text.into()))
    }
}

/// Lets a map of tenants be asked with a borrowed name, so that the check path allocates nothing.
impl Borrow<str> for TenantId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}
