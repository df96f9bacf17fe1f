//! The scenarios: the real binary, driven through its real interfaces. One line each:

mod harness;

/// The access policy: what each kind of request needs to pass.
mod access;
/// Postern's own API tokens: how they come, what they are good for, how they go.
mod api_tokens;
/// The three check endpoints: what each reads, what each answers.
mod checking;
/// Python's clients of Jira, and curl, each sending a token as docs/clients.md says.
mod clients;
/// Commands: exit codes, help, what they print.
mod commands;
/// PyPI's `django-oauth-toolkit`, whose introspection answers say little.
mod django;
/// Real git and git-lfs: clone, push, and what they are told who may not.
mod git;
/// Tokens that only their issuer can judge.
mod introspection;
/// One tenant's dead or hanging provider costs its neighbours nothing.
mod isolation;
/// Tokens that look right to somebody, and tokens that look wrong and are not.
mod judging;
/// From claims to an account: who may name whom.
mod mapping;
/// Behind real nginx, as README shows it.
mod nginx;
/// A gate that stands open: `access.mode = "observe"`.
mod observe;
/// npm's `oidc-provider`, a certified issuer that is not ours.
mod oidc_provider;
/// An issuer that fails, lies or hangs.
mod outage;
/// Paths as nginx, Tomcat and the products read them, and as we judge them.
mod paths;
/// Whose an account is.
mod pins;
/// What the product itself is asked: whose a session is, and who an account is.
mod product;
/// Each provider by its name: what it issues, what passes, and what must not.
mod providers;
/// How much and how often.
mod rates;
/// What the front page shows is what is tested.
mod readme;
/// One row for each way to be refused.
mod refusals;
/// Tenant files, edited while the daemon runs.
mod reload;
/// Ends, expected and not, and what is left after them.
mod restart;
/// Keys that come and go.
mod rotation;
/// Users and their own API tokens, by HTTP.
mod self_service;
/// Under systemd: sockets, readiness, the watchdog.
mod service;
/// One event for each decision, for whoever has to know later who did what.
mod trail;
