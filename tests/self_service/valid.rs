//! See `../self_service.rs`. `.ci/install` installs the validator.

use std::{path::Path, process::Command};

use crate::harness::part;

/// PyPI's `openapi-spec-validator` takes the description, and not one that lacks a thing that OpenAPI 3.1 requires.
#[test]
fn the_description_is_valid_openapi() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join("tests/openapi/venv/bin/python");
    let Some(python) = part("openapi-spec-validator", python.is_file().then_some(python)) else {
        return;
    };
    let judge = |file: &Path| {
        let validator = ["-B", "-m", "openapi_spec_validator", "--schema", "3.1"];
        let judged = Command::new(&python).args(validator).arg(file).output();
        judged.expect("python runs")
    };
    let file = root.join("src/http/self_service/openapi.json");
    let judged = judge(&file);
    assert!(judged.status.success(), "{judged:?}");

    let text = std::fs::read_to_string(file).expect("it is there");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let broken = folder.path().join("broken.json");
    std::fs::write(
        &broken,
        text.replace("\"in\": \"path\"", "\"in\": \"nowhere\""),
    )
    .expect("it is written");
    assert!(!judge(&broken).status.success());
}
