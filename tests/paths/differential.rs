//! Judged against read: what passes without a credential is nothing protected, whoever reads it.

use super::{
    corpus,
    tomcat::{lenient, served},
};
use crate::{
    harness::{Answer, Nginx, Postern, connect, issuer, tenant},
    nginx::parts::Recorder,
};
use postern::policy::path::{self, Place};
use std::{io::Write as _, net::TcpStream, thread};

/// The context paths that a product answers under here, and how many odd paths each is asked for.
const CONTEXTS: [&str; 2] = ["", "/jira"];
const PATHS: usize = 2_500;

/// The API of a Jira, decoded, and what the tenant file adds to it.
const API: &[&str] = &[
    "/rest",
    "/rpc",
    "/plugins/servlet",
    "/secure/attachment",
    "/secure/a b",
];

/// What the tenant file opens, one of them within the API.
const PUBLIC: &str = r#"public = ["GET /rest/api/2/serverInfo", "/pages/free/**"]"#;

fn is_under(path: &[u8], root: &str) -> bool {
    path.strip_prefix(root.as_bytes())
        .is_some_and(|rest| matches!(rest.first(), None | Some(b'/')))
}

fn is_api(path: &[u8]) -> bool {
    API.iter().any(|root| is_under(path, root))
}

fn is_public(path: &[u8]) -> bool {
    // A pattern means a path with and without a slash at its end.
    let path = path.strip_suffix(b"/").unwrap_or(path);
    path == b"/rest/api/2/serverInfo" || is_under(path, "/pages/free")
}

/// The first path that is served, though `way`, as which the target passed without a credential, must not lead there.
fn hole(target: &[u8], context: &str, way: &str) -> Option<String> {
    served(target, context).into_iter().find_map(|path| {
        let allowed = match way {
            "outside" => !is_api(&path) && !is_public(&path),
            // A plugin may look at the path before it is decoded.
            "public" => is_public(&path) || is_public(&lenient(&path)) || !is_api(&path),
            _ => false,
        };
        (!allowed).then(|| {
            let [target, path] = [target, &path].map(|bytes| bytes.escape_ascii().to_string());
            format!("{target} under '{context}' passes as {way}, and {path} is served")
        })
    })
}

/// A connection that stays for as long as the server keeps it.
struct Lane<'a> {
    address: &'a str,
    stream: TcpStream,
}

impl<'a> Lane<'a> {
    fn to(address: &'a str) -> Self {
        Self {
            address,
            stream: connect(address),
        }
    }

    fn ask(&mut self, request: &[u8]) -> Answer {
        self.stream.write_all(request).expect("somebody reads");
        let answer = Answer::read(&mut self.stream, "GET");
        // After a 400 of its parser the daemon closes, and does not say so.
        let parsed = answer.status != 400 || answer.header("postern-reason").is_some();
        if !parsed || answer.header("connection") == Some("close") {
            self.stream = connect(self.address);
        }
        answer
    }
}

/// What came of one way to ask for the whole corpus.
#[derive(Default)]
struct Tally {
    passed: usize,
    refused: usize,
    holes: Vec<String>,
}

impl Tally {
    fn count(&mut self, target: &[u8], context: &str, way: Option<&str>) {
        match way {
            Some(way) => {
                self.passed += 1;
                self.holes.extend(hole(target, context, way));
            }
            None => self.refused += 1,
        }
    }

    /// It came to something either way, and to no hole.
    #[track_caller]
    fn is_sound(&self, how: &str, context: &str) {
        let Self {
            passed,
            refused,
            holes,
        } = self;
        println!(
            "{how}, context '{context}': {passed} passed, {refused} refused, {} holes",
            holes.len()
        );
        assert_eq!(passed + refused, PATHS);
        assert!(
            *passed > PATHS / 20 && *refused > PATHS / 20,
            "{passed} passed, {refused} refused"
        );
        assert!(holes.is_empty(), "\n{}", holes.join("\n"));
    }
}

/// Asks for all of the corpus on two connections.
fn tally(
    address: &str,
    context: &str,
    ask: impl Fn(&mut Lane<'_>, &[u8], &mut Tally) + Sync,
) -> Tally {
    let targets = corpus::targets(context, PATHS);
    let mut whole = Tally::default();
    thread::scope(|scope| {
        let halves: Vec<_> = targets
            .chunks(PATHS.div_ceil(2))
            .map(|half| {
                let ask = &ask;
                scope.spawn(move || {
                    let (mut lane, mut tally) = (Lane::to(address), Tally::default());
                    for target in half {
                        ask(&mut lane, target, &mut tally);
                    }
                    tally
                })
            })
            .collect();
        for half in halves {
            let half = half.join().expect("it asks and counts");
            whole.passed += half.passed;
            whole.refused += half.refused;
            whole.holes.extend(half.holes);
        }
    });
    whole
}

fn guarding(context: &str) -> Postern {
    let jira = tenant("jira").url(&format!("https://jira.example.com{context}"));
    Postern::with(
        jira.trusting(&issuer())
            .access(PUBLIC)
            .access("api_paths = [\"/secure/a%20b\"]"),
    )
    .start()
}

/// 5,000 odd paths through real nginx as the README configures it: what it sends on to the product without a
/// credential leads to nothing protected, by any of Tomcat's rules.
#[test]
fn nothing_protected_passes_nginx_without_a_credential() {
    if Nginx::installed().is_none() {
        return;
    }
    for context in CONTEXTS {
        let postern = guarding(context);
        let product = Recorder::start();
        let nginx = Nginx::start("jira", postern.address(), product.address());
        tally(nginx.address(), context, |lane, target, tally| {
            let line = [
                b"GET ",
                target,
                b" HTTP/1.1\r\nHost: jira.example.com\r\n\r\n",
            ]
            .concat();
            let answer = lane.ask(&line);
            // What nginx made of the target, if it came so far.
            let sent = answer.header("target").map(|digits| {
                let digit = |at| u8::from_str_radix(&digits[at..at + 2], 16).expect("two digits");
                (0..digits.len()).step_by(2).map(digit).collect::<Vec<u8>>()
            });
            match sent {
                Some(sent) => tally.count(&sent, context, answer.header("way")),
                None => {
                    assert!(answer.status >= 400, "{answer:?}");
                    tally.count(target, context, None);
                }
            }
        })
        .is_sound("behind nginx", context);
    }
}

/// The same with a proxy that hands on what it got, as it got it.
#[test]
fn nothing_protected_is_judged_public() {
    for context in CONTEXTS {
        let postern = guarding(context);
        tally(postern.address(), context, |lane, target, tally| {
            let head = b"GET /check/jira HTTP/1.1\r\nHost: postern\r\nX-Original-Method: GET\r\nX-Original-URI: ";
            let answer = lane.ask(&[head, target, b"\r\n\r\n"].concat());
            let way = (answer.status == 200).then(|| answer.header("postern-method").expect("it says how"));
            // A header's value loses the spaces around it, and so does what we are told.
            tally.count(target.trim_ascii(), context, way);
        })
        .is_sound("without nginx", context);
    }
}

/// Judges that many a gate is built with are caught by the same corpus: one that compares the path as it came, one
/// that decodes it before, and one that also does what nginx does to choose a location.
#[test]
fn a_judge_that_reads_paths_in_one_way_is_caught() {
    type Reading = fn(&[u8]) -> Vec<u8>;
    fn normal(path: &[u8]) -> Vec<u8> {
        let mut kept: Vec<&[u8]> = Vec::new();
        for segment in path.split(|byte| *byte == b'/') {
            match segment {
                b"" | b"." => {}
                b".." => _ = kept.pop(),
                _ => kept.push(segment),
            }
        }
        kept.iter()
            .flat_map(|segment| [b"/", *segment].concat())
            .collect()
    }
    let judges: [(&str, Reading); 3] = [
        ("as it came", <[u8]>::to_vec),
        ("decoded", lenient),
        ("decoded and normalised", |path| normal(&lenient(path))),
    ];
    for context in CONTEXTS {
        let mut caught = [0; 3];
        for target in corpus::targets(context, PATHS) {
            let raw = target.split(|byte| *byte == b'?').next();
            let passes = judges.map(|(_, reading)| {
                let path = reading(raw.unwrap_or_default());
                let inner = path.strip_prefix(context.as_bytes()).unwrap_or(b"/");
                !is_api(inner) && !is_public(inner)
            });
            if passes.contains(&true) && hole(&target, context, "outside").is_some() {
                for (caught, passes) in caught.iter_mut().zip(passes) {
                    *caught += usize::from(passes);
                }
            }
        }
        for ((how, _), caught) in judges.iter().zip(caught) {
            println!("context '{context}', {how}: {caught} of {PATHS} get by");
            assert!(
                caught > 50,
                "only {caught} get by a judge that reads paths {how}"
            );
        }
    }
}

/// A path with one reading is served as that path, whoever serves it: what a rule is compared with is what is done.
/// (Encoded delimiters aside, which mean more to somebody who decodes twice; they may only not lead to the API.)
#[test]
fn a_canonical_path_is_the_one_that_is_served() {
    let protected = |path: &str| {
        let path = lenient(path.as_bytes());
        is_api(&path) || is_public(&path)
    };
    for context in CONTEXTS {
        let mut canonical = 0;
        for target in corpus::targets(context, PATHS) {
            let Ok(Place::Canonical(judged)) = path::place(&target, context, protected) else {
                continue;
            };
            if ["%3B", "%23", "%3F"]
                .iter()
                .any(|mark| judged.contains(mark))
            {
                continue;
            }
            canonical += 1;
            let judged = lenient(judged.as_bytes());
            for path in served(&target, context) {
                let decoded = lenient(&path);
                // A server that forwards nothing has no such file; the context path itself may be seen as nothing.
                let nowhere = decoded.is_empty()
                    || decoded[..3.min(decoded.len())].eq_ignore_ascii_case(b"/s/");
                assert!(
                    nowhere || decoded == judged || lenient(&decoded) == judged,
                    "{} is judged as {}, and {} is served",
                    target.escape_ascii(),
                    judged.escape_ascii(),
                    path.escape_ascii()
                );
            }
        }
        println!("context '{context}': {canonical} of {PATHS} have one reading");
        assert!(canonical > PATHS / 20, "{canonical} is not much");
    }
}
