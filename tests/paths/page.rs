//! The page of test vectors, `vectors.txt`, as both its readers want it: the unit tests of `src/policy/path` and the
//! scenarios.

/// What is judged of a target.
#[derive(Debug, PartialEq, Eq)]
pub enum Judged {
    Is(&'static str),
    Ambiguous,
    Product,
    Outside,
}

/// One line.
pub struct Vector {
    /// `""` or as `/jira`.
    pub context: &'static str,
    pub target: Vec<u8>,
    pub judged: Judged,
    pub why: String,
}

/// Every line of the page.
pub fn page() -> Vec<Vector> {
    let mut context = "";
    let mut vectors = Vec::new();
    for line in include_str!("vectors.txt").lines() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(named) = line.strip_prefix("[context ") {
            context = named.trim_end_matches(']').trim_end_matches('/');
            continue;
        }
        let mut words = line.split_ascii_whitespace();
        let target = bytes(words.next().expect("a target"));
        let judged = match words.next().expect("what is judged") {
            "is" => Judged::Is(words.next().expect("the canonical path")),
            "ambiguous" => Judged::Ambiguous,
            "product" => Judged::Product,
            "outside" => Judged::Outside,
            other => panic!("{other} is nothing that is judged: {line}"),
        };
        let why = words.collect::<Vec<_>>().join(" ");
        assert!(!why.is_empty(), "a line says why: {line}");
        vectors.push(Vector {
            context,
            target,
            judged,
            why,
        });
    }
    vectors
}

/// The target that is written so.
fn bytes(written: &str) -> Vec<u8> {
    if written == r#""""# {
        return Vec::new();
    }
    let mut pieces = written.split(r"\x");
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let byte = piece
            .get(..2)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte {
            Some(byte) => {
                bytes.push(byte);
                bytes.extend_from_slice(&piece.as_bytes()[2..]);
            }
            None => bytes.extend([br"\x", piece.as_bytes()].concat()),
        }
    }
    bytes
}
