//! The audit log: who changed what, from where and for whom. Append-only in the store, and told as log events.

use serde::{Deserialize, Serialize};

use crate::{api_tokens::TokenId, clock};

/// Who asks for a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// `uid 0` by the admin socket; an account by self-service; `postern` for what the daemon does by itself.
    pub by: String,
    /// `admin socket`, or the client's address.
    pub from: String,
}

impl Origin {
    /// The daemon itself.
    #[must_use]
    pub fn daemon() -> Self {
        Self {
            by: "postern".into(),
            from: "schedule".into(),
        }
    }
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// An API token was issued.
    TokenIssued,
    /// An API token was revoked.
    TokenRevoked,
    /// An API token got a new secret.
    TokenRotated,
    /// An API token that expired long ago was removed.
    TokenRemoved,
    /// An account is nobody's any more, until the next who names it.
    AccountUnpinned,
}

impl Action {
    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::TokenIssued => "token_issued",
            Self::TokenRevoked => "token_revoked",
            Self::TokenRotated => "token_rotated",
            Self::TokenRemoved => "token_removed",
            Self::AccountUnpinned => "account_unpinned",
        }
    }
}

/// A change that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Of the log, from 1 and without a gap; 0 until it is written.
    pub number: u64,
    /// In seconds since the epoch.
    pub at: u64,
    /// What was done.
    pub action: Action,
    /// At which tenant.
    pub tenant: String,
    /// For whom.
    pub account: String,
    /// To which API token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenId>,
    /// By whom, from where.
    #[serde(flatten)]
    pub origin: Origin,
    /// What else there is to know.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

impl Event {
    /// That was made just now.
    #[must_use]
    pub fn new(action: Action, tenant: &str, account: &str, origin: &Origin) -> Self {
        Self {
            number: 0,
            at: clock::now(),
            action,
            tenant: tenant.to_owned(),
            account: account.to_owned(),
            token: None,
            origin: origin.clone(),
            detail: String::new(),
        }
    }

    /// About that API token.
    #[must_use]
    pub fn about(self, token: TokenId, detail: String) -> Self {
        Self {
            token: Some(token),
            detail,
            ..self
        }
    }

    /// Tells it as a log event, once it is on the disk.
    pub fn tell(&self) {
        tracing::info!(
            target: "audit",
            action = self.action.word(),
            tenant.id = self.tenant,
            account = self.account,
            token.id = self.token.as_ref().map_or("", TokenId::as_str),
            by = self.origin.by,
            from = self.origin.from,
            detail = self.detail,
            number = self.number,
            "{}", self.action.word()
        );
    }
}
