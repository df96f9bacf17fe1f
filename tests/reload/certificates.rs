use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::until_answered;
use crate::harness::{Postern, TenantFile, eventually, part, tenant};

/// A key and certificates of it, made by OpenSSL.
struct Authority {
    folder: tempfile::TempDir,
}

fn openssl(folder: &Path, arguments: &str) {
    let output = Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(folder)
        .output()
        .expect("openssl runs");
    assert!(output.status.success(), "openssl {arguments}: {output:?}");
}

/// `date` in the form that OpenSSL wants, in seconds from now.
fn date(seconds: i64) -> String {
    let output = Command::new("date")
        .args(["-u", "-d", &format!("{seconds} seconds"), "+%Y%m%d%H%M%SZ"])
        .output()
        .expect("date runs");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

impl Authority {
    fn new() -> Option<Self> {
        let openssl_at = ["/usr/bin/openssl", "/usr/local/bin/openssl"];
        part(
            "openssl",
            openssl_at
                .iter()
                .map(PathBuf::from)
                .find(|path| path.exists()),
        )?;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let ca = "[ca]\ndefault_ca=c\n[c]\ndatabase=index\nnew_certs_dir=.\nserial=serial\ndefault_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n";
        fs::write(folder.path().join("ca.cnf"), ca).expect("it is written");
        fs::write(folder.path().join("index"), "").expect("it is written");
        fs::write(folder.path().join("serial"), "01\n").expect("it is written");
        openssl(
            folder.path(),
            "req -newkey rsa:2048 -nodes -keyout key.pem -subj /CN=partner -out request.pem",
        );
        Some(Self { folder })
    }

    /// A certificate that is valid between these times, in seconds from now.
    fn certificate(&self, from: i64, to: i64) -> String {
        let (from, to) = (date(from), date(to));
        openssl(
            self.folder.path(),
            &format!(
                "ca -config ca.cnf -selfsign -keyfile key.pem -in request.pem -out out.pem -startdate {from} -enddate {to} -batch -notext"
            ),
        );
        fs::read_to_string(self.folder.path().join("out.pem")).expect("it was made")
    }

    /// A token that lives for ten minutes.
    fn token(&self) -> String {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
        let payload = format!(
            "{{\"iss\":\"https://partner.example\",\"sub\":\"ada\",\"aud\":\"jira\",\"exp\":{}}}",
            postern::clock::now() + 600
        );
        let text = format!(
            "{}.{}",
            BASE64.encode(r#"{"alg":"RS256"}"#),
            BASE64.encode(payload)
        );
        let at = |name: &str| self.folder.path().join(name);
        fs::write(at("text"), &text).expect("it is written");
        openssl(
            self.folder.path(),
            "dgst -sha256 -sign key.pem -out signature text",
        );
        let signature = fs::read(at("signature")).expect("it was made");
        format!("{text}.{}", BASE64.encode(signature))
    }
}

fn trusting(certificate: &str) -> TenantFile {
    tenant("jira").provider(&format!(
        "issuer = \"https://partner.example\"\naudience = \"jira\"\ncertificate = '''\n{certificate}'''"
    ))
}

/// A certificate runs out while the daemon runs: from that second on nothing that it proved passes, remembered or
/// not, and the answer is that we cannot tell. A new certificate heals it without a restart.
#[test]
fn a_certificate_that_runs_out_stops_proving_and_a_new_one_heals_it() {
    let Some(partner) = Authority::new() else {
        return;
    };
    let token = partner.token();
    let mut postern = Postern::with(trusting(&partner.certificate(-3600, 8))).start();
    postern.check("jira", &token).is_allowed_as("ada");
    until_answered(&postern, "jira", &token, "issuer_unavailable");
    let answer = postern.check("jira", &partner.token());
    answer.is_refused(503, "issuer_unavailable");
    // A restart does not make the tenant vanish.
    postern.stop();
    postern.run();
    postern
        .check("jira", &token)
        .is_refused(503, "issuer_unavailable");
    assert_eq!(postern.tenant_status("jira")["state"], "stale");
    postern.write(&trusting(&partner.certificate(-3600, 3600)));
    until_answered(&postern, "jira", &token, "allowed");
}

/// A certificate that has run out, or is not valid yet, is refused with its date; the good build before it serves.
#[test]
fn a_certificate_out_of_its_time_is_an_error_with_its_date() {
    let Some(partner) = Authority::new() else {
        return;
    };
    let token = partner.token();
    let postern = Postern::with(trusting(&partner.certificate(-3600, 3600))).start();
    for (from, to, said) in [
        (-7200, -3600, "this certificate expired on "),
        (3600, 7200, "this certificate is not valid before "),
    ] {
        postern.write(&trusting(&partner.certificate(from, to)));
        eventually(said, || {
            let status = postern.tenant_status("jira");
            status["problems"][0]["message"]
                .as_str()
                .is_some_and(|message| message.starts_with(said))
        });
        assert_eq!(postern.tenant_status("jira")["state"], "stale");
        postern.check("jira", &token).is_allowed_as("ada");
    }
    // SIGHUP brings nothing but another look, and the file's own mending ends it.
    postern.write(&trusting(&partner.certificate(-3600, 3600)));
    eventually("it is mended", || {
        postern.tenant_status("jira")["state"] == "serving"
    });
}

/// A certificate that becomes valid while the daemon runs is served at the next SIGHUP, its file untouched.
#[test]
fn a_certificate_that_becomes_valid_is_served_on_sighup() {
    let Some(partner) = Authority::new() else {
        return;
    };
    let token = partner.token();
    let postern = Postern::with(trusting(&partner.certificate(4, 3600))).start();
    postern
        .check("jira", &token)
        .is_refused(503, "tenant_unavailable");
    eventually("it is valid and served", || {
        postern.signal("HUP");
        postern.check("jira", &token).status == 200
    });
}
