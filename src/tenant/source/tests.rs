use std::time::{Duration, Instant};

use super::*;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn write(folder: &tempfile::TempDir, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path
}

const TEXT: &str = "[[provider]]\npublic_key = { file = \"key.pem\" }\nca = { file = \"/none/ca.pem\" }\n\
                    client_secret = { file = \"secret\" }\n";

#[test]
fn a_file_is_read_with_all_that_it_refers_to() {
    let folder = folder();
    let path = write(&folder, "jira.toml", TEXT);
    write(&folder, "key.pem", "key");
    write(&folder, "secret", "hunter2\n");
    let source = TenantSource::read(&path).unwrap();
    assert_eq!(source.id.as_str(), "jira");
    assert_eq!(source.file("key.pem"), Ok("key"));
    assert!(
        source
            .file("/none/ca.pem")
            .unwrap_err()
            .contains("No such file")
    );
    let secret = source
        .secret(&SecretPlace::File("secret".to_owned()))
        .unwrap();
    assert_eq!(secret.expose(), "hunter2");
    let expected: Vec<PathBuf> = [
        "/none/ca.pem".into(),
        folder.path().join("key.pem"),
        folder.path().join("secret"),
    ]
    .into();
    assert_eq!(source.referenced_paths(), expected);
    assert!(!format!("{source:?}").contains("hunter2"));
}

#[test]
fn the_digest_notices_every_file() {
    let folder = folder();
    let path = write(&folder, "jira.toml", TEXT);
    let mut digests = Vec::new();
    let mut note = || digests.push(TenantSource::read(&path).unwrap().digest());
    note();
    for (name, text) in [
        ("key.pem", "key"),
        ("secret", "a"),
        ("secret", "b"),
        ("key.pem", "other"),
        ("jira.toml", ""),
    ] {
        write(&folder, name, text);
        note();
    }
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), 6);
}

#[test]
fn what_is_no_tenant_file_is_refused() {
    let folder = folder();
    let read = |path: &Path| TenantSource::read(path).unwrap_err().to_string();
    let long = " ".repeat(usize::try_from(MAX_FILE).unwrap() + 1);
    assert!(read(&write(&folder, "Jira.toml", "")).contains("not named like a tenant"));
    assert!(read(&write(&folder, "jira.conf", "")).contains("not named like a tenant"));
    assert!(read(&write(&folder, "long.toml", &long)).contains("longer than 262144 bytes"));
    assert!(read(&write(&folder, "binary.toml", b"a = \"\xff\"")).contains("(byte 5)"));
    assert!(read(&folder.path().join("none.toml")).contains("No such file"));
    fs::create_dir(folder.path().join("folder.toml")).unwrap();
    assert!(read(&folder.path().join("folder.toml")).contains("no regular file"));
    TenantSource::read(&write(&folder, "fits.toml", &long[1..])).unwrap();
}

/// To open a pipe in the ordinary way would wait for its other end, and with it the daemon.
#[test]
fn a_pipe_is_refused_at_once() {
    let folder = folder();
    let path = folder.path().join("pipe.toml");
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let before = Instant::now();
    assert!(matches!(
        TenantSource::read(&path),
        Err(ReadProblem::NotAFile)
    ));
    assert!(before.elapsed() < Duration::from_secs(1));
}

/// As Kubernetes mounts do: the file is a link, and what it refers to lies beside the link.
#[test]
fn references_are_relative_to_the_link_and_not_to_its_target() {
    let (folder, elsewhere) = (folder(), folder());
    let target = write(&elsewhere, "x", TEXT);
    write(&folder, "key.pem", "key");
    let path = folder.path().join("jira.toml");
    std::os::unix::fs::symlink(target, &path).unwrap();
    assert_eq!(
        TenantSource::read(&path).unwrap().file("key.pem"),
        Ok("key")
    );
}

#[test]
fn secrets_are_read_from_where_they_lie() {
    let folder = folder();
    write(&folder, "crlf", "a b\r\n");
    write(&folder, "empty", "\n");
    write(&folder, "lines", "a\nb\n");
    write(&folder, "long", "a".repeat(20_000));
    let read = |place: SecretPlace, credentials: Option<&Path>| {
        place
            .read(folder.path(), credentials)
            .map(|secret| secret.expose().to_owned())
    };
    let file = |name: &str| read(SecretPlace::File(name.to_owned()), None);
    assert_eq!(file("crlf"), Ok("a b".to_owned()));
    assert_eq!(file("empty"), Err("is empty".to_owned()));
    assert!(file("lines").unwrap_err().contains("more than one line"));
    assert!(file("long").unwrap_err().contains("longer"));
    let credential = |name: &str| {
        let place = SecretPlace::Credential(name.to_owned());
        read(place, Some(folder.path()))
    };
    assert_eq!(credential("crlf"), Ok("a b".to_owned()));
    for name in ["../crlf", "..", "", "/etc/passwd"] {
        assert_eq!(
            credential(name),
            Err("is no name of a systemd credential".to_owned())
        );
    }
    let without = read(SecretPlace::Credential("crlf".to_owned()), None);
    assert!(without.unwrap_err().contains("given no credentials"));
    let env = |name: &str| read(SecretPlace::Env(name.to_owned()), None);
    assert_eq!(env("PATH"), Ok(env::var("PATH").unwrap()));
    assert_eq!(env("POSTERN_TEST_NOT_SET"), Err("is not set".to_owned()));
    assert_eq!(
        env("A=B"),
        Err("is no name of an environment variable".to_owned())
    );
}

#[test]
fn a_record_brings_back_all_but_the_secrets() {
    let folder = folder();
    let path = write(&folder, "jira.toml", TEXT);
    write(&folder, "key.pem", "key");
    write(&folder, "secret", "hunter2");
    let before = TenantSource::read(&path).unwrap();
    let stored = serde_json::to_string(&before.to_record(5)).unwrap();
    assert!(!stored.contains("hunter2"));

    write(&folder, "jira.toml", "broken");
    fs::remove_file(folder.path().join("key.pem")).unwrap();
    write(&folder, "secret", "rotated");
    let record: SourceRecord = serde_json::from_str(&stored).unwrap();
    assert_eq!(record.saved_at, 5);
    let after = TenantSource::from_record(&record, folder.path()).unwrap();
    assert_eq!(
        (&after.id, &after.path, &after.text),
        (&before.id, &before.path, &before.text)
    );
    assert_eq!(after.file("key.pem"), Ok("key"));
    let secret = after
        .secret(&SecretPlace::File("secret".to_owned()))
        .unwrap();
    assert_eq!(secret.expose(), "rotated");
}

#[test]
fn a_record_of_a_later_version_is_refused() {
    let id = "jira".parse().unwrap();
    let record = TenantSource::of_text(id, Path::new("jira.toml"), String::new()).to_record(0);
    let mut value = serde_json::to_value(&record).unwrap();
    value["version"] = 2.into();
    let record: SourceRecord = serde_json::from_value(value).unwrap();
    assert_eq!(
        TenantSource::from_record(&record, Path::new("")).unwrap_err(),
        InvalidRecord::Newer(2)
    );
}
