//! Names from standard input, one a line.

use std::{
    io::{self, BufRead, Read as _},
    thread,
};

use tokio::sync::mpsc::{self, Receiver};

/// How many names are read ahead, some megabytes: whoever pipes fewer sees how many there are, and when it will be over.
const AHEAD: usize = 50_000;
/// The longest line that is read whole, in bytes: no account has as long a name.
const LONGEST: usize = 4096;

/// A line.
pub struct Line {
    /// From 1.
    pub number: u64,
    /// Or why there is none.
    pub name: Result<String, &'static str>,
}

/// Reads the names of standard input by and by, on a thread of its own since a pipe may let it wait. `counted` is told
/// how many there are, once all are read.
pub fn read(counted: impl FnOnce(u64) + Send + 'static) -> Receiver<io::Result<Line>> {
    let (found, names) = mpsc::channel(AHEAD);
    thread::spawn(move || {
        let mut count = 0;
        for line in lines(io::stdin().lock()) {
            count += 1;
            if found.blocking_send(line).is_err() {
                return;
            }
        }
        counted(count);
    });
    names
}

/// The lines that are not empty.
fn lines(mut input: impl BufRead) -> impl Iterator<Item = io::Result<Line>> {
    let lines = (1..).map_while(move |number| match line(&mut input) {
        Ok(None) => None,
        Ok(Some(name)) => Some(Ok(Line { number, name })),
        Err(error) => Some(Err(error)),
    });
    // What can't be read now can't be read later either, and would be tried for ever.
    let mut broken = false;
    lines
        .take_while(move |line| !std::mem::replace(&mut broken, line.is_err()))
        .filter(|line| !matches!(line, Ok(Line { name: Ok(name), .. }) if name.is_empty()))
}

fn line(input: &mut impl BufRead) -> io::Result<Option<Result<String, &'static str>>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(LONGEST).expect("it is small");
    if input.by_ref().take(limit).read_until(b'\n', &mut bytes)? == 0 {
        return Ok(None);
    }
    if bytes.last() != Some(&b'\n') && bytes.len() == LONGEST {
        input.skip_until(b'\n')?;
        return Ok(Some(Err("it is too long for a name")));
    }
    let name = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let name = name.strip_suffix(b"\r").unwrap_or(name);
    let name = String::from_utf8(name.to_vec());
    Ok(Some(name.map_err(|_| "it is not UTF-8")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: impl BufRead) -> Vec<(u64, Result<String, &'static str>)> {
        let lines = lines(input).map(|line| line.expect("it can be read"));
        lines.map(|line| (line.number, line.name)).collect()
    }

    #[test]
    fn each_line_is_a_name() {
        let found = read(&b"ada\n\nBob Doe\r\n \xff\nzo\xc3\xab"[..]);
        let name = |name: &str| Ok(name.to_owned());
        let wanted = [
            (1, name("ada")),
            (3, name("Bob Doe")),
            (4, Err("it is not UTF-8")),
            (5, name("zoë")),
        ];
        assert_eq!(found, wanted);
    }

    /// A line without an end takes no memory, and the next is read as it stands.
    #[test]
    fn a_line_that_is_no_name_is_passed_over() {
        let longest = "x".repeat(LONGEST - 1);
        let text = format!("{longest}\n{longest}xx\nada");
        let found = read(text.as_bytes());
        let wanted = [
            (1, Ok(longest)),
            (2, Err("it is too long for a name")),
            (3, Ok("ada".to_owned())),
        ];
        assert_eq!(found, wanted);
    }

    #[test]
    fn what_breaks_off_is_told_once() {
        struct Broken;
        impl io::Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::InvalidData.into())
            }
        }
        let input = b"ada\n".chain(io::BufReader::new(Broken));
        let found: Vec<_> = lines(input).map(|line| line.is_ok()).collect();
        assert_eq!(found, [true, false]);
    }
}
