//! A Bitbucket behind the proxy, as far as git and git-lfs see it. It believes `Remote-User`, and knows nobody else.

use std::{
    fs,
    io::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
};

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::http_backend;
use crate::harness::emulator::{self, Asked, Emulator, Reply};

/// Where Bitbucket has its repositories.
const SCM: &str = "/scm";
/// Where Bitbucket has the objects of git-lfs.
const STORAGE: &str = "/rest/git-lfs/storage";

/// With the repository `ci/app`, whose branch `main` has a file `README`.
pub struct Bitbucket {
    server: Emulator,
    folder: TempDir,
}

impl Bitbucket {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(folder.path().join("objects")).expect("a folder in it");
        let bitbucket = Self {
            server: Emulator::start(|_| emulator::json(503, json!({}))),
            folder,
        };
        bitbucket.git(
            &["init", "--quiet", "--bare", "--initial-branch=main", "."],
            "",
        );
        bitbucket.commit("main");
        bitbucket
    }

    /// From now on it serves, and says that this is its base URL.
    pub fn serve_at(&self, url: &str, objects: Objects) {
        let serving = Serving {
            folder: self.folder.path().to_owned(),
            storage: format!("{url}{STORAGE}"),
            objects,
        };
        self.server.answer(move |asked| serving.answer(asked));
    }

    pub fn address(&self) -> String {
        self.server.address()
    }

    /// Everything that reached it.
    pub fn asked(&self) -> Vec<Asked> {
        self.server.asked()
    }

    /// A commit of its own on that branch, with a file `README`.
    pub fn commit(&self, branch: &str) {
        let stream = format!(
            "commit refs/heads/{branch}\ncommitter Ada <ada@example.com> 0 +0000\ndata <<.\n{branch}\n.\n\
             M 644 inline README\ndata <<.\nhello\n.\n\n"
        );
        self.git(&["fast-import", "--quiet"], &stream);
    }

    /// A file that git-lfs holds, in another commit on `main`.
    pub fn put_object(&self, name: &str, bytes: &[u8]) {
        let digits = digest(&SHA256, bytes);
        let digits = digits.as_ref().iter().map(|byte| format!("{byte:02x}"));
        let oid = digits.collect::<Vec<_>>().concat();
        let pointer = format!(
            "version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {}",
            bytes.len()
        );
        let stream = format!(
            "commit refs/heads/main\ncommitter Ada <ada@example.com> 0 +0000\ndata <<.\n{name}\n.\n\
             from refs/heads/main^0\nM 644 inline .gitattributes\ndata <<.\n{name} filter=lfs diff=lfs merge=lfs -text\n.\n\
             M 644 inline {name}\ndata <<.\n{pointer}\n.\n\n"
        );
        self.git(&["fast-import", "--quiet"], &stream);
        fs::write(self.folder.path().join("objects").join(oid), bytes).expect("it can be written");
    }

    /// The commit that a branch is at.
    pub fn head(&self, branch: &str) -> String {
        self.git(&["rev-parse", &format!("refs/heads/{branch}")], "")
    }

    /// How many objects of git-lfs it has.
    pub fn objects(&self) -> usize {
        let objects = fs::read_dir(self.folder.path().join("objects"));
        objects.expect("the folder is there").count()
    }

    fn git(&self, arguments: &[&str], input: &str) -> String {
        let repository = self.folder.path().join("ci/app.git");
        fs::create_dir_all(&repository).expect("a folder");
        let mut child = Command::new("git")
            .args(arguments)
            .current_dir(&repository)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("git runs");
        let mut stdin = child.stdin.take().expect("it is piped");
        stdin.write_all(input.as_bytes()).expect("it reads");
        drop(stdin);
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}

/// How it knows who sends or fetches an object of git-lfs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Objects {
    /// Like everybody else.
    ByTheirCredential,
    /// By an `Authorization` of its own, which its answer to the batch hands out for each object (Atlassian's knowledge
    /// base, 1189791625; that it is a `JWT` is known of its answers to git-lfs over SSH).
    ByItsOwn,
}

struct Serving {
    folder: PathBuf,
    /// The address of its storage, for clients.
    storage: String,
    objects: Objects,
}

impl Serving {
    fn answer(&self, asked: &Asked) -> Reply {
        let path = asked.path();
        if let Some(object) = path.strip_prefix(&format!("{STORAGE}/ci/app/")) {
            return self.object(object, asked);
        }
        let Some(user) = asked.header("remote-user") else {
            return emulator::json(401, json!({ "message": "log in" }));
        };
        if !path.starts_with(&format!("{SCM}/")) {
            emulator::json(404, json!({}))
        } else if path.ends_with("/info/lfs/objects/batch") {
            self.batch(asked)
        } else if path.ends_with("/info/lfs/locks/verify") {
            lfs(200, &json!({ "ours": [], "theirs": [], "next_cursor": "" }))
        } else {
            http_backend::answer(&self.folder, SCM, user, asked)
        }
    }

    fn object(&self, object: &str, asked: &Asked) -> Reply {
        let known = match self.objects {
            Objects::ByTheirCredential => asked.header("remote-user").is_some(),
            Objects::ByItsOwn => asked.header("authorization") == Some(&handed_out(object)),
        };
        let file = self.folder.join("objects").join(object);
        match asked.method.as_str() {
            _ if !known => lfs(401, &json!({ "message": "log in" })),
            "PUT" => {
                fs::write(file, &asked.bytes).expect("it can be written");
                lfs(200, &json!({}))
            }
            "GET" => {
                let mut whole = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
                whole.extend(fs::read(file).expect("it is asked for what it offered"));
                Reply::Raw(whole)
            }
            _ => lfs(405, &json!({})),
        }
    }

    /// Where objects are to be sent to or had from (git-lfs, docs/api/batch.md).
    fn batch(&self, asked: &Asked) -> Reply {
        let body: Value = serde_json::from_slice(&asked.bytes).expect("git-lfs sends JSON");
        let operation = body["operation"].as_str().expect("an operation");
        let objects = body["objects"].as_array().expect("objects");
        let objects = objects.iter().map(|object| {
            let oid = object["oid"].as_str().expect("an object has a name");
            let here = self.folder.join("objects").join(oid).is_file();
            let mut action = json!({ "href": format!("{}/ci/app/{oid}", self.storage) });
            if self.objects == Objects::ByItsOwn {
                action["header"] = json!({ "Authorization": handed_out(oid) });
            }
            let mut object = object.clone();
            match (operation, here) {
                ("download", true) | ("upload", false) => {
                    object["actions"] = json!({ operation: action });
                }
                ("download", false) => {
                    object["error"] = json!({ "code": 404, "message": "there is no such object" });
                }
                // It is here already, and no action says so.
                _ => {}
            }
            object
        });
        let objects: Vec<_> = objects.collect();
        lfs(200, &json!({ "transfer": "basic", "objects": objects }))
    }
}

/// What stands for a token that only Bitbucket can read.
fn handed_out(object: &str) -> String {
    format!("JWT e30.{object}.e30")
}

fn lfs(status: u16, body: &Value) -> Reply {
    let kind = "application/vnd.git-lfs+json".to_owned();
    Reply::Full(status, vec![("Content-Type", kind)], body.to_string())
}
