//! The `Pinner`: the only writer of whose an account is.

use std::{collections::HashMap, sync::Arc};

use actix::{Actor, AsyncContext as _, Context, Handler, Message, Recipient};

use super::registry::{Forget, Ping};
use crate::{
    account::fold,
    audit::{Action, Event},
    clock,
    pins::{Pin, PinRecord, Unpin},
    store::{PinName, Store},
};

/// See the module.
pub struct Pinner {
    store: Store,
    registry: Recipient<Forget>,
    /// Asked for since the last write.
    asked: Vec<Pin>,
}

impl Pinner {
    /// One that was asked nothing yet. The registry is told of what is unpinned.
    #[must_use]
    pub fn new(store: Store, registry: Recipient<Forget>) -> Self {
        Self {
            store,
            registry,
            asked: Vec::new(),
        }
    }

    /// Whose each account is: as it was, or as the first who asks for it says. What must be written for that is put
    /// into `changes`.
    fn judge(&self, pin: &Pin, changes: &mut HashMap<PinName, PinRecord>) -> Outcome {
        let name = PinName::new(&pin.tenant, &fold(&pin.account));
        let before = match changes.get(&name) {
            Some(earlier) => Some(earlier.clone()),
            None => self
                .store
                .written_pin(&name)
                .map_err(|error| Arc::from(error.to_string()))?,
        };
        let next = match before {
            Some(before) if !before.identity.adopts(&pin.identity) => return Ok(before),
            Some(before) => PinRecord {
                identity: pin.identity.clone(),
                ..before
            },
            None => PinRecord {
                tenant: pin.tenant.to_string(),
                account: pin.account.clone(),
                identity: pin.identity.clone(),
                pinned_at: clock::now(),
            },
        };
        tracing::debug!(tenant.id = %pin.tenant, "an account is pinned to {}", next.identity);
        changes.insert(name, next.clone());
        Ok(next)
    }
}

type Outcome = Result<PinRecord, Arc<str>>;

impl Actor for Pinner {
    type Context = Context<Self>;
}

impl Handler<Ping> for Pinner {
    type Result = ();

    fn handle(&mut self, _: Ping, _: &mut Self::Context) {}
}

impl Handler<Pin> for Pinner {
    type Result = ();

    fn handle(&mut self, pin: Pin, context: &mut Self::Context) {
        if self.asked.is_empty() {
            // Behind what is in the mailbox by now: all of that is one write.
            context.address().do_send(Write);
        }
        self.asked.push(pin);
    }
}

/// Write what was asked for: one batch and one flush for all of it, and then the answers.
#[derive(Message)]
#[rtype(result = "()")]
struct Write;

impl Handler<Write> for Pinner {
    type Result = ();

    fn handle(&mut self, _: Write, _: &mut Self::Context) {
        let mut changes = HashMap::new();
        let asked: Vec<_> = std::mem::take(&mut self.asked)
            .into_iter()
            .map(|pin| (self.judge(&pin, &mut changes), pin))
            .collect();
        let changes = changes.into_iter().map(|(name, pin)| (name, Some(pin)));
        // Flushed though nothing may have changed: what is answered may have been written, and never flushed.
        let written = self.store.put_pins(changes);
        let failure: Option<Arc<str>> = written.err().map(|error| {
            tracing::error!(%error, "accounts can't be pinned");
            error.to_string().into()
        });
        for (outcome, pin) in asked {
            let outcome = failure.clone().map_or(outcome, Err);
            // Whoever waited too long is gone.
            drop(pin.reply.send(outcome));
        }
    }
}

impl Handler<Unpin> for Pinner {
    type Result = ();

    fn handle(&mut self, message: Unpin, _: &mut Self::Context) {
        let Unpin {
            tenant,
            account,
            origin,
            reply,
        } = message;
        let name = PinName::new(&tenant, &fold(&account));
        let before = match self.store.written_pin(&name) {
            Ok(Some(before)) => before,
            Ok(None) => return drop(reply.send(Ok(None))),
            Err(error) => return drop(reply.send(Err(error.to_string().into()))),
        };
        let mut event = Event::new(
            Action::AccountUnpinned,
            tenant.as_str(),
            &before.account,
            &origin,
        );
        event.detail = format!("it was pinned to {}", before.identity);
        let audited = self.store.append_audit(&mut event);
        let outcome = match audited.and_then(|()| self.store.put_pins([(name, None)])) {
            Ok(()) => {
                event.tell();
                tracing::info!(tenant.id = %tenant, "an account is unpinned from {}", before.identity);
                Ok(Some(before))
            }
            Err(error) => {
                tracing::error!(tenant.id = %tenant, %error, "an account can't be unpinned");
                Err(error.to_string().into())
            }
        };
        // After a failure too: what could not be flushed may be gone all the same.
        self.registry.do_send(Forget {
            tenant,
            reply,
            outcome,
        });
    }
}
