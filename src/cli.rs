//! The command line: one file per command.

mod account;
mod account_list;
mod account_unpin;
mod audit;
mod daemon;
mod explain;
mod package_files;
mod provider_test;
mod schema;
mod serve;
mod status;
mod tenant_new;
mod token;
mod token_issue;
mod token_list;
mod token_revoke;
mod token_rotate;
mod validate;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Lets Jira, Confluence and Bitbucket Data Center accept REST calls with tokens of any OAuth 2.0 or OpenID
/// Connect provider: stands beside the reverse proxy and answers, per request, whether it may pass and as whom.
#[derive(Debug, Parser)]
#[command(name = "postern", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

// Each command's own file says what it does: a comment here would stand in for that, and cut it short.
#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Validate(validate::Validate),
    Status(status::Status),
    Explain(explain::Explain),
    Schema(schema::Schema),
    /// Make tenant files
    #[command(subcommand)]
    Tenant(Tenant),
    /// Try providers out
    #[command(subcommand)]
    Provider(Provider),
    /// Whose accounts are
    #[command(subcommand)]
    Account(Account),
    /// API tokens of Postern's own
    #[command(subcommand)]
    Token(Token),
    Audit(audit::Audit),
    #[command(hide = true)]
    PackageFiles(package_files::PackageFiles),
}

#[derive(Debug, Subcommand)]
enum Tenant {
    New(tenant_new::TenantNew),
}

#[derive(Debug, Subcommand)]
enum Provider {
    Test(provider_test::ProviderTest),
}

#[derive(Debug, Subcommand)]
enum Account {
    List(account_list::AccountList),
    Unpin(account_unpin::AccountUnpin),
}

#[derive(Debug, Subcommand)]
enum Token {
    Issue(token_issue::TokenIssue),
    List(token_list::TokenList),
    Revoke(token_revoke::TokenRevoke),
    Rotate(token_rotate::TokenRotate),
}

impl Cli {
    /// Does what was asked.
    ///
    /// # Errors
    /// With what to change; the exit code is 1 then.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Serve(command) => command.run(),
            Command::Validate(command) => command.run(),
            Command::Status(command) => command.run(),
            Command::Explain(command) => command.run(),
            Command::Schema(command) => command.run(),
            Command::Tenant(Tenant::New(command)) => command.run(),
            Command::Provider(Provider::Test(command)) => command.run(),
            Command::Account(Account::List(command)) => command.run(),
            Command::Account(Account::Unpin(command)) => command.run(),
            Command::Token(Token::Issue(command)) => command.run(),
            Command::Token(Token::List(command)) => command.run(),
            Command::Token(Token::Revoke(command)) => command.run(),
            Command::Token(Token::Rotate(command)) => command.run(),
            Command::Audit(command) => command.run(),
            Command::PackageFiles(command) => command.run(),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_is_sound() {
        super::Cli::command().debug_assert();
    }
}
