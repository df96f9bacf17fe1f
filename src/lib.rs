//! Postern: may this call pass, and as whom?
//!
//! A daemon beside the reverse proxy of a Jira, Confluence or Bitbucket Data Center. This page is the map.
//!
//! # A request, read only
//!
//! [`http::contract`] reads what the proxy tells of the call into a [`request::Request`]; the
//! [`tenant::Directory`] gives the [`tenant::Tenant`], taken once, so that a request never sees two states;
//! [`check::check`] is the whole judgement on one screen:
//!
//! 1. [`policy::path`]: the one canonical form of the path;
//! 2. [`policy::networks`], [`policy::read_only`] and those of [`policy::rules`] that need no principal;
//! 3. [`credential`]: what the caller presented, unverified, and the ways to pass that prove nothing;
//! 4. [`verify`]: who judges it, and what proves it: a signature ([`verify::jwt`] with [`keys`]), the issuer's
//!    word ([`issuer::ask`]), or both; only there a [`verify::Principal`] is made, of an account that is
//!    by the [`pins`] nobody else's;
//! 5. [`policy::call`]: may this account do this; [`policy::rates`]: and as often;
//! 6. a [`decision::Decision`], which one `match` in [`http`] turns into a status and headers, unless the tenant only
//!    observes ([`policy::mode`]). It is told as one event, and counted in the [`metrics`].
//!
//! # A change, written once
//!
//! The [`actors`] write, and nobody else: tenant files come from the [`actors::watcher`] to the
//! [`actors::registry`], which [builds](tenant::build) them and keeps good builds in the [`store`]; keys come
//! from the [`actors::refresher`]; whose an account is, the [`actors::pinner`] writes down. A
//! [`actors::tenant::TenantActor`] makes the next snapshot whole and shows it through the one
//! [`snapshot::Publisher`] that there is of it. Writers and requests meet in the directory and nowhere else:
//! [`http`] and [`actors`] never import one another. What a request wants written it asks for by a message of its
//! own side ([`pins::Pin`], [`issuer::key_source::FetchNow`]).
//!
//! # Around them
//!
//! [`product`] is what the product itself is asked: whether a session is somebody's, and who an account is.
//! [`explain`] looks at a check without making it: a [`witness::Witness`] is told each step; [`recent`] keeps the last
//! decisions. [`cli`] are the commands, [`lifecycle`] is the daemon's start and end, [`dev`] is the little issuer of
//! `serve --dev` that the tests drive too, [`status`] and [`metrics`] are what operators see.

pub mod account;
pub mod actors;
pub mod api_tokens;
pub mod audit;
pub mod check;
pub mod cli;
pub mod clock;
pub mod credential;
pub mod decision;
pub mod dev;
pub mod dev_tenant;
pub mod explain;
pub mod http;
pub mod issuer;
pub mod keys;
pub mod lifecycle;
pub mod metrics;
pub mod pins;
pub mod policy;
pub mod product;
pub mod provider;
pub mod recent;
pub mod request;
pub mod secret;
pub mod settings;
pub mod snapshot;
pub mod status;
pub mod store;
pub mod telemetry;
pub mod tenant;
pub mod upstream;
pub mod verify;
pub mod witness;
