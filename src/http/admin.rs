//! The admin socket: for root and the daemon's own user, by the kernel's word.

use std::any::Any;

use actix_web::{
    Error, HttpRequest, HttpResponse,
    body::MessageBody,
    dev::{Extensions, ServiceRequest, ServiceResponse},
    middleware::{Next, from_fn},
    web,
};
use tokio::net::UnixStream;

use super::{audit, explain, ops, pins, tokens};
use crate::audit::Origin;

/// Who is at the other end of a connection, if the kernel says it.
#[derive(Clone, Copy)]
struct Peer {
    uid: Option<u32>,
}

impl Peer {
    fn is_admitted(self) -> bool {
        let own = rustix::process::geteuid().as_raw();
        self.uid.is_some_and(|uid| uid == 0 || uid == own)
    }
}

/// Asks the kernel once per connection who is there (`SO_PEERCRED`). The mode of the socket alone would leave
/// it open to whoever can change it.
pub fn remember_peer(connection: &dyn Any, extensions: &mut Extensions) {
    let peer = connection
        .downcast_ref::<UnixStream>()
        .and_then(|stream| stream.peer_cred().ok());
    let uid = peer.map(|peer| peer.uid());
    extensions.insert(Peer { uid });
}

/// For the audit log: who asks.
pub fn origin(request: &HttpRequest) -> Origin {
    let uid = request.conn_data::<Peer>().and_then(|peer| peer.uid);
    Origin {
        by: uid.map_or_else(|| "unknown".into(), |uid| format!("uid {uid}")),
        from: "admin socket".into(),
    }
}

pub fn routes(config: &mut web::ServiceConfig) {
    config.service(
        web::scope("")
            .wrap(from_fn(admit))
            .route("/status", web::get().to(ops::status))
            .route("/pins/{tenant}", web::get().to(pins::list))
            .route("/pins/{tenant}", web::delete().to(pins::unpin))
            .route("/tokens", web::get().to(tokens::list_all))
            .route("/tokens/{tenant}", web::get().to(tokens::list))
            .route("/tokens/{tenant}", web::post().to(tokens::issue))
            .route("/tokens/{tenant}", web::delete().to(tokens::revoke_all))
            .route("/token/{id}", web::delete().to(tokens::revoke))
            .route("/token/{id}/rotate", web::post().to(tokens::rotate))
            .route("/explain/{tenant}", web::post().to(explain::explain))
            .route("/decision/{request}", web::get().to(explain::decision))
            .route("/audit", web::get().to(audit::list)),
    );
}

async fn admit(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if request
        .conn_data::<Peer>()
        .is_some_and(|peer| peer.is_admitted())
    {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let refused =
        HttpResponse::Forbidden().body("the admin socket is for root and the daemon's own user\n");
    Ok(request.into_response(refused).map_into_boxed_body())
}
