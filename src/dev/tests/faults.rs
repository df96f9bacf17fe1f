//! An issuer that lies, fails, stops, comes back, and keeps strangers out.

use std::{
    io::ErrorKind,
    net::{Ipv4Addr, SocketAddr},
};

use super::*;

#[test]
fn an_issuer_lies_and_fails_as_told_and_is_honest_again() {
    let issuer = Issuer::start().unwrap();
    issuer.intercept(|path| match path {
        "/jwks" => Fault::Status(503),
        "/token" => Fault::RedirectTo("http://127.0.0.2:1/x".to_owned()),
        "/introspect" => Fault::Body {
            content_type: "text/html".to_owned(),
            body: b"<p>".to_vec(),
        },
        "/revoke" => Fault::Close,
        "/rotate" => Fault::Delay(Duration::from_millis(50)),
        "/withdraw" => Fault::Status(7),
        _ => Fault::None,
    });
    let reply = get(&issuer, "/jwks");
    assert_eq!((reply.status, reply.body.as_str()), (503, ""));
    let reply = post(&issuer, "/token", "sub=ada");
    assert!(reply.status == 307 && reply.head.contains("location: http://127.0.0.2:1/x"));
    let reply = post(&issuer, "/introspect", "token=x");
    assert_eq!((reply.status, reply.body.as_str()), (200, "<p>"));
    assert!(reply.head.contains("content-type: text/html"));
    let mut nothing = Vec::new();
    let _ = send(&issuer, "POST /revoke", &[], "token=x").read_to_end(&mut nothing);
    assert!(nothing.is_empty());
    let begin = Instant::now();
    assert_eq!(post(&issuer, "/rotate", "").status, 200);
    assert!(begin.elapsed() >= Duration::from_millis(50));
    assert_eq!(post(&issuer, "/withdraw", "").status, 500);
    assert_eq!(get(&issuer, "/").status, 200);
    for path in ["/jwks", "/token", "/introspect", "/revoke", "/rotate", "/"] {
        assert_eq!((issuer.hits(path), issuer.waiting(path)), (1, 0), "{path}");
    }
    issuer.intercept(|_| Fault::None);
    assert_eq!(get(&issuer, "/jwks").status, 200);
    assert_eq!((issuer.hits("/jwks"), issuer.hits("/unseen")), (2, 0));
}

#[test]
fn held_requests_are_counted_until_their_client_gives_up() {
    let issuer = Issuer::start().unwrap();
    issuer.intercept(|path| match path {
        "/jwks" => Fault::Hang,
        _ => Fault::Drip,
    });
    let form = "client_id=dev&client_secret=dev-secret&token=x";
    let hanging = [
        send(&issuer, "GET /jwks", &[], ""),
        send(&issuer, "POST /jwks", &[], form),
    ];
    until(|| issuer.waiting("/jwks") == 2);
    let mut dripping = send(&issuer, "POST /introspect", &[], form);
    let mut received = Vec::new();
    while !received.ends_with(b"1\r\n \r\n1\r\n \r\n") {
        let mut byte = [0];
        dripping.read_exact(&mut byte).unwrap();
        received.push(byte[0]);
    }
    assert_eq!(issuer.waiting("/introspect"), 1);
    drop((hanging, dripping));
    until(|| issuer.waiting("/jwks") == 0 && issuer.waiting("/introspect") == 0);
    assert_eq!((issuer.hits("/jwks"), issuer.hits("/introspect")), (2, 1));
}

#[test]
fn a_stopped_issuer_refuses_connects_and_resumes_as_it_was() {
    let issuer = Issuer::start().unwrap();
    let token = issuer.token().sign();
    issuer.intercept(|path| match path {
        "/introspect" => Fault::Hang,
        "/token" => Fault::Drip,
        _ => Fault::None,
    });
    let mut idle = TcpStream::connect(issuer.address()).unwrap();
    let mut hanging = send(&issuer, "POST /introspect", &[], "token=x");
    let mut dripping = send(&issuer, "POST /token", &[], "sub=x");
    until(|| issuer.waiting("/introspect") == 1 && issuer.waiting("/token") == 1);
    let begin = Instant::now();
    for _ in 0..3 {
        issuer.stop();
        issuer.stop();
        let refused = TcpStream::connect(issuer.address()).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        assert_eq!(issuer.waiting("/introspect"), 0);
        issuer.resume().unwrap();
        issuer.resume().unwrap();
        assert!(verifies(&issuer, &token));
    }
    assert!(
        begin.elapsed() < Duration::from_secs(3),
        "a hanging request held it up"
    );
    for connection in [&mut idle, &mut hanging, &mut dripping] {
        let mut rest = Vec::new();
        let end = connection
            .read_to_end(&mut rest)
            .map_err(|error| error.kind());
        assert!(
            matches!(end, Ok(_) | Err(ErrorKind::ConnectionReset)),
            "{end:?}"
        );
    }
    assert_eq!(issuer.hits("/introspect"), 1);
}

#[test]
fn the_last_handle_stops_the_issuer_and_its_port_can_be_had_again() {
    let issuer = Issuer::start().unwrap();
    let (address, old) = (issuer.address(), issuer.kid(Algorithm::Es256));
    let other = issuer.clone();
    drop(issuer);
    assert_eq!(get(&other, "/jwks").status, 200);
    drop(other);
    assert!(TcpStream::connect(address).is_err());
    let again = Issuer::start_at(address).unwrap();
    assert_eq!(again.url(), format!("http://{address}"));
    assert!(
        !kids(&again).contains(&old),
        "another issuer has other key names"
    );
}

#[test]
fn it_runs_inside_an_actix_system_as_well() {
    actix_web::rt::System::new().block_on(async {
        let issuer = Issuer::start().unwrap();
        assert_eq!(get(&issuer, "/jwks").status, 200);
        issuer.stop();
        issuer.resume().unwrap();
        assert_eq!(get(&issuer, "/jwks").status, 200);
    });
}

#[test]
fn it_listens_on_loopback_only_and_talks_to_no_browser() {
    let anywhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let refused = Issuer::start_at(anywhere).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
    let issuer = Issuer::start_at("[::1]:0".parse().unwrap());
    if let Ok(issuer) = issuer {
        assert!(issuer.url().starts_with("http://[::1]:"));
        assert_eq!(get(&issuer, "/jwks").status, 200);
    }
    let issuer = Issuer::start().unwrap();
    let port = issuer.address().port();
    let status = |header: &str| http(&issuer, "POST /token", &[header], "sub=ada").status;
    assert_eq!(status(&format!("Host: localhost:{port}")), 200);
    assert_eq!(status(&format!("Host: evil.example:{port}")), 421);
    assert_eq!(status("Host: localhost:1"), 421);
    assert_eq!(status("Origin: http://evil.example"), 403);
}
