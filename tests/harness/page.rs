//! What the documentation shows, so that it is what is tested.

use std::fs;

/// A page of the documentation.
pub fn page(path: &str) -> String {
    fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).expect("the page is there")
}

/// The first block of that language after a mark.
pub fn block(page: &str, after: &str, language: &str) -> String {
    let (_, rest) = page.split_once(after).expect("the mark is there");
    let (_, rest) = rest
        .split_once(&format!("```{language}\n"))
        .expect("a block follows it");
    let (block, _) = rest.split_once("```").expect("the block ends");
    block.to_owned()
}

/// The first block of that language after a mark in docs/clients.md, with the product at `url`.
pub fn client_lines(after: &str, language: &str, url: &str) -> String {
    let lines = block(&page("docs/clients.md"), after, language);
    ["jira", "bitbucket"].iter().fold(lines, |lines, product| {
        lines.replace(&format!("https://{product}.example.com"), url)
    })
}
