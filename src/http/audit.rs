//! The audit log on the admin socket: what `postern audit` asks.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};

use super::Shared;
use crate::{
    audit::Event,
    store::{Store, StoreError},
};

/// The most events of one page.
const PAGE: usize = 1000;
/// The most events that are looked at for one page: some tenths of a second.
const SCAN: usize = 50_000;

/// Which events.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Not before that time, in seconds since the epoch.
    #[serde(default)]
    since: u64,
    /// Of that tenant.
    tenant: Option<String>,
    /// Behind the event of that number.
    #[serde(default)]
    after: u64,
}

/// Some events of the log, in the order in which they were made. There may be none, and more on the next page.
#[derive(Debug, Serialize, Deserialize)]
pub struct Page {
    /// The events.
    pub events: Vec<Event>,
    /// What to ask for as `after` to have the next; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
}

/// `GET /audit?since=&tenant=&after=`: a [`Page`].
pub async fn list(shared: web::Data<Shared>, filter: web::Query<Filter>) -> HttpResponse {
    let store = shared.store.clone();
    let read = web::block(move || page(&store, &filter)).await;
    match read {
        Ok(Ok(page)) => HttpResponse::Ok().json(page),
        Ok(Err(error)) => HttpResponse::InternalServerError().body(error.to_string()),
        Err(error) => HttpResponse::InternalServerError().body(error.to_string()),
    }
}

fn page(store: &Store, filter: &Filter) -> Result<Page, StoreError> {
    let mut events = Vec::new();
    for (seen, event) in (1..).zip(store.audit_after(filter.after)) {
        let event = event?;
        let number = event.number;
        let wanted = event.at >= filter.since
            && filter
                .tenant
                .as_ref()
                .is_none_or(|tenant| *tenant == event.tenant);
        if wanted {
            events.push(event);
        }
        if events.len() == PAGE || seen == SCAN {
            let after = Some(number);
            return Ok(Page { events, after });
        }
    }
    Ok(Page {
        events,
        after: None,
    })
}
