//! The admin socket: for root and the daemon's own user, by the kernel's word.

use std::any::Any;

use actix_web::{
    Error, HttpResponse,
    body::MessageBody,
    dev::{Extensions, ServiceRequest, ServiceResponse},
    middleware::{Next, from_fn},
    web,
};
use tokio::net::UnixStream;

use super::{ops, pins};

/// Whether the peer of a connection may use the admin socket.
#[derive(Clone, Copy)]
struct Admitted(bool);

/// Asks the kernel once per connection who is there (`SO_PEERCRED`). The mode of the socket alone would leave
/// it open to whoever can change it.
pub fn remember_peer(connection: &dyn Any, extensions: &mut Extensions) {
    let peer = connection
        .downcast_ref::<UnixStream>()
        .and_then(|stream| stream.peer_cred().ok());
    let own = rustix::process::geteuid().as_raw();
    extensions.insert(Admitted(
        peer.is_some_and(|peer| peer.uid() == 0 || peer.uid() == own),
    ));
}

pub fn routes(config: &mut web::ServiceConfig) {
    config.service(
        web::scope("")
            .wrap(from_fn(admit))
            .route("/status", web::get().to(ops::status))
            .route("/pins/{tenant}", web::get().to(pins::list))
            .route("/pins/{tenant}", web::delete().to(pins::unpin)),
    );
}

async fn admit(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if request
        .conn_data::<Admitted>()
        .is_some_and(|admitted| admitted.0)
    {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let refused =
        HttpResponse::Forbidden().body("the admin socket is for root and the daemon's own user\n");
    Ok(request.into_response(refused).map_into_boxed_body())
}
