//! A problem shown within the text that it is about, in the manner of rustc, with the secrets
//! of the text covered.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::problem::{Problem, Severity};

mod cover;

/// The text of a tenant file, fit to be shown: what may be a secret is covered, byte for byte, so that
/// places in it stay where they are.
#[derive(Debug)]
pub struct Excerpt(String);

impl Excerpt {
    /// Covers the secrets of a text, however broken it is.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(cover::secrets(text))
    }

    /// The problem with the lines that it is about. `colour` is for terminals.
    #[must_use]
    pub fn render(&self, problem: &Problem, colour: bool) -> String {
        let level = match problem.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let path = problem.file.display().to_string();
        let title = level.primary_title(problem.title());
        let group = match problem.span.clone().and_then(|span| self.within(span)) {
            Some(span) => {
                let annotation = AnnotationKind::Primary.span(span);
                title.element(Snippet::source(&self.0).path(path).annotation(annotation))
            }
            None => title.element(annotate_snippets::Origin::path(path)),
        };
        let group = match &problem.help {
            Some(help) => group.element(Level::HELP.message(help)),
            None => group,
        };
        let renderer = if colour {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        renderer.render(&[group])
    }

    /// A span that lies within the text, whatever the text has become since it was judged.
    fn within(&self, span: Range<usize>) -> Option<Range<usize>> {
        self.0.get(span.clone()).map(|_| span)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_problem_is_shown_in_its_lines() {
        let mut problem = Problem::of_file(Path::new("tenants/x.toml"), "no such key");
        let text = "product = 1\nclient_secret = \"hunter2\"\n";
        problem.key = "client_secret".to_owned();
        problem.span = Some(12..25);
        problem.help("did you mean it?");
        let expected = "error: client_secret: no such key\n --> tenants/x.toml:2:1\n  |\n\
                        2 | client_secret = *********\n  | ^^^^^^^^^^^^^\n  |\n  = help: did you mean it?";
        assert_eq!(Excerpt::new(text).render(&problem, false), expected);
        assert!(
            Excerpt::new(text)
                .render(&problem, true)
                .contains("\u{1b}[")
        );
        // The file has changed since.
        assert!(
            Excerpt::new("")
                .render(&problem, false)
                .contains("no such key")
        );
    }
}
