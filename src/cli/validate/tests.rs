use std::fs;

use super::*;

const GOOD: &str = "product = \"jira\"\nurl = \"https://jira.example.com\"\n[[provider]]\nkind = \"custom\"\n\
                    issuer = \"https://sso.example.com\"\naudience = \"any\"\n";

fn verdict(paths: &[&Path]) -> Verdict {
    let paths: Vec<PathBuf> = paths.iter().map(|path| path.to_path_buf()).collect();
    Verdict::of(&paths, 1_800_000_000)
}

#[test]
fn every_file_of_a_folder_is_judged_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("good.toml"), GOOD).unwrap();
    fs::write(path("bad.toml"), GOOD.replace("jira", "jirra")).unwrap();
    fs::write(path("Odd.toml"), GOOD).unwrap();
    fs::create_dir(path("sub")).unwrap();
    fs::write(path("sub/other.toml"), "").unwrap();

    let verdict = verdict(&[folder.path(), &path("good.toml")]);
    assert_eq!(verdict.summary(), "3 files, 2 errors, 2 warnings");
    let valid: Vec<bool> = verdict.files.iter().map(|file| file.valid).collect();
    assert_eq!(valid, [false, false, true]);

    let json = serde_json::to_value(&verdict).unwrap();
    assert_eq!(json["files"][2]["valid"], true);
    assert_eq!(json["problems"][1]["key"], "product");
    assert_eq!(json["problems"][1]["line"], 1);
    assert_eq!(json["problems"][1]["column"], 11);
    assert_eq!(json["problems"][1]["severity"], "error");
    assert_eq!(json["problems"][1]["help"], "did you mean \"jira\"?");
}

#[test]
fn what_is_not_there_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let verdict = verdict(&[&folder.path().join("none"), folder.path()]);
    assert_eq!(verdict.summary(), "0 files, 1 error, 1 warning");
    assert!(verdict.problems[0].message.contains("No such file"));
    assert!(verdict.problems[1].message.contains("no tenant file"));
}
