//! New tokens on standard output.

use std::io::{self, Write};

use zeroize::Zeroizing;

use crate::{
    cli::token::{COLUMNS, columns},
    clock,
    http::tokens::Made,
};

/// How they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One token alone; of many, a name, a tab and its token.
    Plain,
    /// One object; of many, one a line.
    Json,
    /// A header, and a record for each.
    Csv,
}

/// Where they are written.
pub struct Sheet<W: Write> {
    form: Form,
    many: bool,
    begun: bool,
    output: W,
}

impl<W: Write> Sheet<W> {
    /// One for a token, or for `many`.
    pub fn new(form: Form, many: bool, output: W) -> Self {
        Self {
            form,
            many,
            begun: false,
            output,
        }
    }

    /// Writes a token, and hands it on at once.
    pub fn write(&mut self, made: &Made) -> io::Result<()> {
        let text = Zeroizing::new(self.text(made)?);
        self.output.write_all(text.as_bytes())?;
        self.output.flush()
    }

    fn text(&mut self, made: &Made) -> io::Result<String> {
        Ok(match (self.form, self.many) {
            (Form::Plain, false) => format!("{}\n", *made.token),
            (Form::Plain, true) => format!("{}\t{}\n", made.about.owner, *made.token),
            (Form::Json, false) => serde_json::to_string_pretty(made)? + "\n",
            (Form::Json, true) => serde_json::to_string(made)? + "\n",
            (Form::Csv, _) => self.csv(made)?,
        })
    }

    fn csv(&mut self, made: &Made) -> io::Result<String> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        if !std::mem::replace(&mut self.begun, true) {
            writer.write_record(["token"].iter().chain(&COLUMNS))?;
        }
        let about = columns(&made.about, None, clock::now());
        let token = std::iter::once(made.token.as_str());
        writer.write_record(token.chain(about.iter().map(String::as_str)))?;
        let bytes = writer
            .into_inner()
            .map_err(csv::IntoInnerError::into_error)?;
        Ok(String::from_utf8(bytes).expect("it was made of texts"))
    }
}
