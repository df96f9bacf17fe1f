//! See `main.rs`. Each file is one provider's story: its token kinds, the same of another application, its traps, its
//! machines and groups, revocation, and the provider down, slow, rate-limiting or lying.

mod cognito;
mod custom;
mod entra;
mod facebook;
mod github;
mod gitlab;
mod google;
mod keycloak;
mod okta;
mod signed;
mod slack;
mod trouble;
