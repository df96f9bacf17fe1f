//! Odd paths by the thousand, the same on every run: what attackers write, and what nobody would.

use std::collections::HashSet;

/// Where the interesting things are, and their neighbours.
const PLACES: &[&str] = &[
    "/rest/api/2/myself",
    "/rest",
    "/rpc/json-rpc",
    "/plugins/servlet/x",
    "/secure/attachment/1/a.txt",
    "/secure/a%20b/x",
    "/rest/api/2/serverInfo",
    "/pages/free/a",
    "/s/en/1/_/rest/api/2/myself",
    "/s/en/1/_/download/x.js",
    "/browse/A-1",
    "/restful/x",
    "/secure/Dashboard.jspa",
    "/display/C%23/a%3bb",
    "/",
];

/// What goes before a `/` and may be undone by what follows.
const INSERTED: &[&str] = &[
    "/.",
    "/%2e",
    "/",
    "/x/..",
    "/x/%2e%2E",
    "/x/.%2e",
    "/x/..;a=b",
    "/x/..%3b",
    "/x/..%00",
    "/x/.. ",
    "/x/..%20",
    "/x/%c0%ae%c0%ae",
    "/x/%252e%252e",
    "/%2e%2e/..",
    "/.%252e/..",
    "/%252e.%2f..",
    "/.%252e%5c%2E.",
    "/x%2f..",
    "/x%5c..",
    "/x\\..",
    "/..",
    "/../..",
    "/...",
    ";",
    ";p=1",
    ";p=%2f",
    "%3b",
    "%3Bp",
    "/;",
    "/;/",
    "%3f",
    "?",
    "#",
    "%23",
    "%01",
    "\t",
    "%09",
    "\x01",
    "\x7f",
    "%00",
    "\0",
    " ",
    "%20",
    ".",
    "%",
    "%2",
    "%25",
    "%zz",
    "%2F",
    "%252F",
    "%c0%af",
    "%e0%80%af",
    "%C3%BC",
    "/s/x/_",
    "/S/x/_",
    "/s/_",
    "/s/x/y/_",
    "/_",
    "%2f_",
    "/jira",
    "/JIRA",
    "/confluence",
    "@",
    ":",
    "|",
];

/// What stands at the very start.
const PREFIXES: &[&str] = &[
    "/",
    "/.",
    "/..",
    "/x/..",
    "/;",
    "/%2e",
    "/%2f",
    "\\",
    "/\\",
    "//host",
    "http://host",
    "HTTP://host:80",
    "/s/x/_",
    "/s/x/_/..",
    "/rest/..",
    "/pages/free/..",
    "/pages/free/..;",
    "/pages/free/..%3b/..%3b",
    "/pages/free/%2e%2e%3Bx/..%3b",
    "/jira/..",
    "%2f",
    "",
];

/// What stands at the very end.
const SUFFIXES: &[&str] = &[
    "/",
    "/.",
    "/..",
    "/../..",
    "/..;",
    "#x",
    "?x",
    "?/../rest",
    "%3fx",
    ";x",
    ";/",
    "%00",
    "%00.js",
    ".",
    "%2e",
    " ",
    "%20",
    "/x/%2e%2e",
    "\\",
    "%5c",
    "%",
    "%f",
    ".json",
    ";.js",
    "%3b.js",
    "/_/x",
    "/_/rest/api",
];

/// Other ways to write a `/`.
const SLASHES: &[&str] = &[
    "\\",
    "%2f",
    "%2F",
    "%5c",
    "%5C",
    "%252f",
    "%25%32%66",
    "%c0%af",
    "//",
    "/./",
    "%u002f",
    "\u{2215}",
];

/// `count` different targets for a product under that context path.
pub fn targets(context: &str, count: usize) -> Vec<Vec<u8>> {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut known = HashSet::new();
    let mut targets = Vec::with_capacity(count);
    while targets.len() < count {
        let target = match dice.roll(8) {
            0 => encoded(&mut dice, context),
            1 | 2 => soup(&mut dice, context),
            _ => disguised(&mut dice, context),
        };
        // Neither ends a request line, so neither can be in a target.
        let whole = !target.contains(&b'\r') && !target.contains(&b'\n');
        if whole && known.insert(target.clone()) {
            targets.push(target);
        }
    }
    targets
}

/// A place with up to four disguises, some of which can't be seen through.
fn disguised(dice: &mut Dice, context: &str) -> Vec<u8> {
    let mut path = dice.pick(PLACES).as_bytes().to_vec();
    let before = dice.roll(4);
    for _ in 0..=before / 2 {
        disguise(dice, &mut path);
    }
    if dice.roll(8) != 0 {
        path.splice(0..0, context.bytes());
    }
    for _ in 0..=(4 - before) / 2 {
        disguise(dice, &mut path);
    }
    path
}

fn disguise(dice: &mut Dice, path: &mut Vec<u8>) {
    let slashes: Vec<usize> = (0..path.len()).filter(|at| path[*at] == b'/').collect();
    let slash = slashes.get(dice.roll(slashes.len().max(1))).copied();
    let anywhere = dice.roll(path.len().max(1));
    match dice.roll(12) {
        0..4 => _ = path.splice(at(slash)..at(slash), dice.pick(INSERTED).bytes()),
        4 => _ = path.splice(0..0, dice.pick(PREFIXES).bytes()),
        5 => path.extend(dice.pick(SUFFIXES).bytes()),
        6 => {
            if let Some(slash) = slash {
                path.splice(slash..=slash, dice.pick(SLASHES).bytes());
            }
        }
        7 => {
            if let Some(byte) = path.get_mut(anywhere) {
                *byte ^= if byte.is_ascii_alphabetic() { 0x20 } else { 0 };
            }
        }
        8 => path.insert(
            anywhere,
            *dice.pick(&[&0xc0, &0xff, &0x80, &b';', &b'%', &b'.']),
        ),
        _ => {
            // One to three bytes in a row, encoded once or twice.
            for at in (anywhere..path.len().min(anywhere + 1 + dice.roll(3))).rev() {
                let text = match dice.roll(5) {
                    0 => format!("%25{:02x}", path[at]),
                    1 | 2 => format!("%{:02X}", path[at]),
                    _ => format!("%{:02x}", path[at]),
                };
                path.splice(at..=at, text.bytes());
            }
        }
    }
}

/// A place, up to four of its letters and digits encoded: the same place to everybody.
fn encoded(dice: &mut Dice, context: &str) -> Vec<u8> {
    let mut path = [context, dice.pick(PLACES)].concat().into_bytes();
    for _ in 0..=dice.roll(4) {
        let at = dice.roll(path.len());
        let in_encoding = (1..=2).any(|back| at >= back && path[at - back] == b'%');
        if path[at].is_ascii_alphanumeric() && !in_encoding {
            let text = format!("%{:02x}", path[at]);
            path.splice(at..=at, text.bytes());
        }
    }
    path
}

fn at(slash: Option<usize>) -> usize {
    slash.unwrap_or_default()
}

/// Anything beside anything.
fn soup(dice: &mut Dice, context: &str) -> Vec<u8> {
    let mut target = if dice.roll(3) == 0 { "/" } else { context }
        .as_bytes()
        .to_vec();
    for _ in 0..=dice.roll(7) {
        let piece = match dice.roll(8) {
            0 | 1 => dice.pick(&["/rest", "rest", "/", "/", "jira", "..", "%2e"]),
            2 => dice.pick(SLASHES),
            3 | 4 => dice.pick(PLACES),
            5 => dice.pick(SUFFIXES),
            _ => dice.pick(INSERTED),
        };
        target.extend(piece.bytes());
    }
    target
}

/// SplitMix64: a seed gives the same numbers everywhere.
struct Dice(u64);

impl Dice {
    /// A number below `sides`.
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % sides as u64).expect("it is below a usize")
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.roll(from.len())]
    }
}
