//! `--help`, unknown flags, bad values.

use super::{run, says, stdout};

/// Every command explains itself, in lines that fit a terminal.
#[test]
fn every_command_explains_itself() {
    for (command, words) in [
        (
            &[][..],
            &[
                "serve", "validate", "status", "schema", "tenant", "provider", "account", "token",
                "audit",
            ][..],
        ),
        (
            &["serve"],
            &[
                "--tenants",
                "POSTERN_TENANTS",
                "--listen",
                "127.0.0.1:8470",
                "unix:PATH",
                "--trusted-proxies",
                "--announce",
                "--dev",
                "--log",
                "--log-reads",
            ],
        ),
        (&["validate"], &["[PATH]", "--json", "Exits with 1"]),
        (&["status"], &["[TENANT]", "--admin-socket", "--json"]),
        (
            &["schema"],
            &["JSON Schema", "#:schema ./tenant.schema.json"],
        ),
        (&["tenant"], &["new"]),
        (
            &["tenant", "new"],
            &[
                "<NAME>",
                "--product",
                "jira",
                "confluence",
                "bitbucket",
                "--provider",
                "custom",
                "--url",
            ],
        ),
        (&["account"], &["list", "unpin"]),
        (
            &["account", "list"],
            &["<TENANT>", "--admin-socket", "--json", "Exits with 1"],
        ),
        (
            &["account", "unpin"],
            &["<TENANT>", "<ACCOUNT>", "--admin-socket", "--json"],
        ),
        (&["provider"], &["test"]),
        (
            &["provider", "test"],
            &["<TENANT>", "<PROVIDER>", "standard input", "--json"],
        ),
    ] {
        explains_itself(command, words);
    }
}

/// So do those around API tokens.
#[test]
fn the_commands_of_tokens_explain_themselves() {
    for (command, words) in [
        (&["token"][..], &["issue", "list", "revoke", "rotate"][..]),
        (
            &["token", "issue"],
            &[
                "<TENANT>",
                "<USER>",
                "--expires",
                "90d",
                "--scope",
                "--network",
                "--path",
                "--grant",
                "--json",
                "--csv",
                "standard input",
                "Exits with 3",
            ],
        ),
        (
            &["token", "list"],
            &[
                "[TENANT]",
                "--user",
                "--expiring",
                "14d",
                "--unused",
                "--json",
                "--csv",
                "Exits with 1",
            ],
        ),
        (
            &["token", "revoke"],
            &[
                "<ID>...",
                "--user",
                "--tenant",
                "--yes",
                "--json",
                "exits with 3",
            ],
        ),
        (&["token", "rotate"], &["<ID>", "--overlap", "--json"]),
        (
            &["audit"],
            &["--since", "2026-11-25", "--tenant", "--json", "by whom"],
        ),
    ] {
        explains_itself(command, words);
    }
}

#[track_caller]
fn explains_itself(command: &[&str], words: &[&str]) {
    let arguments = [command, &["--help"]].concat();
    let output = run(&arguments);
    let help = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{command:?}");
    for word in words {
        assert!(
            help.contains(word),
            "{word:?} in the help of {command:?}:\n{help}"
        );
    }
    let longest = help.lines().map(|line| line.chars().count()).max();
    assert!(
        longest <= Some(100),
        "{command:?}: {longest:?} characters in a line"
    );
    assert!(
        !help.contains("package-files"),
        "what packages are made with is nobody else's business"
    );
}

/// Every flag of the daemon can be set from the environment.
#[test]
fn every_flag_of_serve_has_its_variable() {
    let help = stdout(&run(&["serve", "--help"]));
    for flag in [
        "tenants",
        "data",
        "listen",
        "ops-listen",
        "admin-socket",
        "trusted-proxies",
        "log",
        "announce",
        "workers",
    ] {
        let variable = format!("POSTERN_{}", flag.replace('-', "_").to_uppercase());
        assert!(
            help.contains(&format!("--{flag}")) && help.contains(&variable),
            "{variable}"
        );
    }
}

#[test]
fn it_tells_its_version() {
    let output = run(&["--version"]);
    assert_eq!(
        stdout(&output),
        format!("postern {}\n", env!("CARGO_PKG_VERSION"))
    );
}

/// A typing error is not a start: 2, and the nearest that there is.
#[test]
fn what_is_not_understood_exits_with_two() {
    for (arguments, words) in [
        (&[][..], &["Usage: postern"][..]),
        (&["sevre"], &["unrecognized subcommand", "serve"]),
        (
            &["serve", "--tenant", "x"],
            &["unexpected argument '--tenant'", "--tenants"],
        ),
        (
            &["serve", "--listen", "8470"],
            &["--listen", "127.0.0.1:8470"],
        ),
        (
            &["serve", "--listen", "localhost:8470"],
            &["--listen", "unix:/run/postern/check.sock"],
        ),
        (&["serve", "--listen", "unix:"], &["wants a path"]),
        (&["serve", "--ops-listen", "here"], &["--ops-listen"]),
        (
            &["serve", "--trusted-proxies", "proxy.example.com"],
            &["--trusted-proxies", "10.0.0.0/8"],
        ),
        (
            &["serve", "--trusted-proxies", "10.0.0.0/33"],
            &["--trusted-proxies", "10.0.0.0/8"],
        ),
        (&["serve", "--log", "xml"], &["pretty", "json"]),
        (&["serve", "--workers", "0"], &["--workers", "1..=1024"]),
        (
            &["serve", "--dev", "--tenants", "x"],
            &["cannot be used with"],
        ),
        (
            &[
                "tenant",
                "new",
                "Jira",
                "--product",
                "jira",
                "--provider",
                "custom",
            ],
            &["Jira", "a-z"],
        ),
        (
            &[
                "tenant",
                "new",
                "../jira",
                "--product",
                "jira",
                "--provider",
                "custom",
            ],
            &["../jira"],
        ),
        (
            &[
                "tenant",
                "new",
                "jira",
                "--product",
                "trello",
                "--provider",
                "custom",
            ],
            &["jira, confluence, bitbucket"],
        ),
        (&["tenant", "new", "jira"], &["--product", "--provider"]),
        (&["status", "JIRA"], &["JIRA"]),
        (&["account", "unpin", "jira"], &["<ACCOUNT>"]),
        (&["account", "list", "../jira"], &["../jira"]),
        (&["token", "issue", "jira"], &["<USER>"]),
        (
            &["token", "issue", "jira", "ada", "--scope", "all"],
            &["read", "write"],
        ),
        (
            &["token", "issue", "jira", "ada", "--expires", "soon"],
            &["--expires"],
        ),
        (
            &["token", "list", "--json", "--csv"],
            &["cannot be used with"],
        ),
        (&["token", "revoke"], &["required", "--tenant"]),
        (
            &["token", "revoke", "AAAAAAAAAAAA", "--tenant", "jira"],
            &["cannot be used with"],
        ),
        (&["token", "rotate"], &["<ID>"]),
        (&["audit", "--since", "yesterday"], &["2026-11-25"]),
        (&["validate", "--jsno"], &["--json"]),
        (&["provider", "test", "jira"], &["<PROVIDER>"]),
    ] {
        says(&run(arguments), 2, words);
    }
}
