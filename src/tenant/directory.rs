//! Which tenants there are, and what is shown of each.

use std::{collections::HashMap, sync::Arc};

use super::{Tenant, TenantId, problem::Problem};
use crate::snapshot::Reader;

/// Name → the reader of that tenant. The `Registry` replaces it when tenants come or go.
#[derive(Debug, Default)]
pub struct Directory {
    /// By name.
    pub tenants: HashMap<TenantId, Reader<TenantState>>,
    /// Whether the first scan of the folder is served.
    pub complete: bool,
}

/// What a `TenantActor` shows.
#[derive(Debug, Clone)]
pub struct TenantState {
    /// The last good build; `None` until there is one.
    pub serving: Option<Arc<Tenant>>,
    /// Counts what was shown, from 1.
    pub generation: u64,
    /// How the file fares.
    pub file: FileStatus,
}

/// The outcome of the last reload of a tenant's file.
#[derive(Debug, Clone, Default)]
pub struct FileStatus {
    /// When the serving build was read, in seconds since the epoch; 0 is never.
    pub applied_at: u64,
    /// When the file was found broken; `None` while it is what is served.
    pub broken_since: Option<u64>,
    /// What is wrong with it, warnings included.
    pub problems: Arc<[Problem]>,
}
