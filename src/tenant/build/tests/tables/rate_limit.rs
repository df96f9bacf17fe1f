//! Problems of `[rate_limit]`.

use super::*;

/// Each row is what stands in `[rate_limit]`, from line 7.
#[test]
fn problems_of_rates() {
    let rows: &[(&str, &[Said])] = &[
        (
            "per_token = \"10/s\"\nper_user = \"600/min\"\nper_tenant = \"1000000/h\"\nfailures_per_address = \"1/h\"",
            &[],
        ),
        (
            "per_user = \"often\"\nper_token = \"600/m\"\nper_tenant = \"6 00/min\"",
            &[
                (
                    "8:12",
                    "rate_limit.per_user",
                    "error: \"often\": this is no rate",
                ),
                ("9:13", "rate_limit.per_token", "as in \"600/min\""),
                (
                    "10:14",
                    "rate_limit.per_tenant",
                    "error: \"6 00/min\": this is no rate",
                ),
            ],
        ),
        (
            "per_user = \"0/s\"\nfailures_per_address = \"1000001/s\"",
            &[
                ("8:12", "rate_limit.per_user", "between 1 and 1000000"),
                (
                    "9:24",
                    "rate_limit.failures_per_address",
                    "between 1 and 1000000",
                ),
            ],
        ),
        (
            "per_user = 600",
            &[(
                "8:12",
                "rate_limit.per_user",
                "expected a text, found a whole number",
            )],
        ),
        (
            "per_address = \"1/s\"",
            &[("8:1", "rate_limit.per_address", "error: no such key")],
        ),
        (
            "per_token = \"600/min\"\nper_user = \"600/min\"\nper_tenant = \"5/s\"",
            &[
                (
                    "8:13",
                    "rate_limit.per_token",
                    "warning: this is never used up: rate_limit.per_user (600/min)",
                ),
                (
                    "9:12",
                    "rate_limit.per_user",
                    "warning: this is never used up: rate_limit.per_tenant (5/s)",
                ),
            ],
        ),
        (
            "per_token = \"5/s\"\nper_user = \"60/min\"\nper_tenant = \"1/min\"",
            &[
                (
                    "8:13",
                    "rate_limit.per_token",
                    "warning: this is never used up: rate_limit.per_tenant (1/min)",
                ),
                ("9:12", "rate_limit.per_user", "warning"),
            ],
        ),
    ];
    for (lines, expected) in rows {
        let provider = "issuer = \"https://i\"\naudience = \"a\"\n";
        assert_said(
            &with_provider(&format!("{provider}[rate_limit]\n{lines}")),
            expected,
        );
    }
    assert_said(
        "product = \"jira\"\nurl = \"https://x\"\nprovider = []\n[[rate_limit]]\n",
        &[
            ("3:12", "provider", "warning"),
            ("4:1", "rate_limit", "write [rate_limit], with one bracket"),
        ],
    );
}
