//! `postern schema`: the JSON Schema of a tenant file.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use anyhow::Context;

use crate::tenant::{reference, schema};

/// Print the JSON Schema of a tenant file
///
/// Editors complete keys and mark mistakes with it. Put it beside the tenant files, and let
/// each start with the line `#:schema ./tenant.schema.json`.
#[derive(Debug, clap::Args)]
pub struct Schema {
    /// Print the reference for people instead, as Markdown
    #[arg(long)]
    markdown: bool,
}

impl Schema {
    /// Prints the schema.
    ///
    /// # Errors
    /// Nobody reads it.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let text = if self.markdown {
            reference::markdown()
        } else {
            schema::text()
        };
        io::stdout()
            .write_all(text.as_bytes())
            .context("cannot print the schema")?;
        Ok(ExitCode::SUCCESS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_beside_the_tenant_files_is_the_one_of_the_code() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tenants/tenant.schema.json");
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            written == schema::text(),
            "out of date; run: postern schema > tenants/tenant.schema.json"
        );
    }
}
