use std::{fs, os::unix::fs::symlink, path::Path};

use super::{fixed, replace, until_answered};
use crate::harness::{Issuer, Postern, eventually, issuer, tenant};

/// A daemon with the tenant `jira` for the audience `first`, and a token for `second`, which does not pass yet.
fn waiting_for_second(acme: &Issuer) -> (Postern, String) {
    let postern = Postern::with(fixed("jira", acme, "first")).start();
    let token = acme.token().audience("second").sign();
    postern
        .check("jira", &token)
        .is_refused(401, "wrong_audience");
    (postern, token)
}

#[test]
fn a_file_written_in_place_is_served() {
    let acme = issuer();
    let (postern, token) = waiting_for_second(&acme);
    postern.write(&fixed("jira", &acme, "second"));
    until_answered(&postern, "jira", &token, "allowed");
    let first = acme.token().audience("first").sign();
    postern
        .check("jira", &first)
        .is_refused(401, "wrong_audience");
}

#[test]
fn a_file_replaced_by_rename_is_served() {
    let acme = issuer();
    let (postern, token) = waiting_for_second(&acme);
    let second = fixed("jira", &acme, "second");
    replace(&postern.tenant_path("jira"), &second.text());
    until_answered(&postern, "jira", &token, "allowed");
}

#[test]
fn a_file_moved_in_from_another_folder_is_served() {
    let acme = issuer();
    let (postern, token) = waiting_for_second(&acme);
    let elsewhere = postern.folder().join("elsewhere.toml");
    fs::write(&elsewhere, fixed("jira", &acme, "second").text()).expect("it is written");
    fs::rename(&elsewhere, postern.tenant_path("jira")).expect("it is moved");
    until_answered(&postern, "jira", &token, "allowed");
}

/// `ln new.toml jira.toml && rm new.toml`: a rename that refuses to overwrite. No writer ever closes the file
/// under its new name.
#[test]
fn a_file_that_is_linked_in_and_unlinked_elsewhere_is_served() {
    let acme = issuer();
    let postern = Postern::without_tenants().start();
    for name in ["jira", "wiki", "git"] {
        let aside = postern.tenants().join("aside");
        fs::write(&aside, fixed(name, &acme, "first").text()).expect("it is written");
        fs::hard_link(&aside, postern.tenant_path(name)).expect("it is linked");
        fs::remove_file(&aside).expect("it is unlinked");
        let token = acme.token().audience("first").sign();
        until_answered(&postern, name, &token, "allowed");
    }
}

/// A tenant is known from its file's coming to its going, and its neighbour stays.
#[test]
fn a_removed_file_retires_its_tenant_and_a_new_one_starts_it_again() {
    let acme = issuer();
    let (postern, _) = waiting_for_second(&acme);
    let token = acme.token().audience("first").sign();
    until_answered(&postern, "wiki", &token, "tenant_unknown");
    postern.write(&fixed("wiki", &acme, "first"));
    until_answered(&postern, "wiki", &token, "allowed");
    fs::remove_file(postern.tenant_path("wiki")).expect("it is removed");
    until_answered(&postern, "wiki", &token, "tenant_unknown");
    postern
        .check("wiki", &token)
        .is_refused(403, "tenant_unknown");
    postern.check("jira", &token).is_allowed_as("ada");
    postern.write(&fixed("wiki", &acme, "first"));
    until_answered(&postern, "wiki", &token, "allowed");
}

/// A tenant that is renamed answers under its new name and no longer under the old one.
#[test]
fn a_renamed_file_is_another_tenant() {
    let acme = issuer();
    let (postern, _) = waiting_for_second(&acme);
    let token = acme.token().audience("first").sign();
    fs::rename(postern.tenant_path("jira"), postern.tenant_path("issues")).expect("it is renamed");
    until_answered(&postern, "issues", &token, "allowed");
    until_answered(&postern, "jira", &token, "tenant_unknown");
}

/// A folder as Kubernetes mounts a ConfigMap: `jira.toml -> ..data/jira.toml`, `..data -> ..DATE`.
fn mount(folder: &Path, date: &str, texts: &[(&str, String)]) {
    let dated = folder.join(date);
    fs::create_dir_all(&dated).expect("a folder is made");
    for (name, text) in texts {
        fs::write(dated.join(name), text).expect("it is written");
    }
    symlink(date, folder.join("..data_tmp")).expect("a link is made");
    fs::rename(folder.join("..data_tmp"), folder.join("..data")).expect("it is swapped");
    for (name, _) in texts {
        if folder.join(name).symlink_metadata().is_err() {
            symlink(Path::new("..data").join(name), folder.join(name)).expect("a link is made");
        }
    }
}

/// Both files change in one swap, and the folder that they lay in is removed, all of it more than once.
#[test]
fn a_kubernetes_mount_is_swapped() {
    let acme = issuer();
    let postern = Postern::without_tenants().start();
    let tenants = postern.tenants();
    for round in 1..=4 {
        let audience = format!("round-{round}");
        let date = format!("..2026_11_{round:02}");
        let text = |name| fixed(name, &acme, &audience).text();
        let files = [("jira.toml", text("jira")), ("wiki.toml", text("wiki"))];
        mount(&tenants, &date, &files);
        drop(fs::remove_dir_all(
            tenants.join(format!("..2026_11_{:02}", round - 1)),
        ));
        let token = acme.token().audience(audience).sign();
        until_answered(&postern, "jira", &token, "allowed");
        until_answered(&postern, "wiki", &token, "allowed");
    }
}

/// `current -> v1` becomes `current -> v2` while `--tenants` names `current`: what deployment tools do.
#[test]
fn the_tenants_folder_is_a_link_that_is_swapped() {
    let acme = issuer();
    swapped(&acme, "current", "current");
}

/// The same with the link further up, as git-sync does it: `--tenants current/tenants`.
#[test]
fn the_folder_above_the_tenants_folder_is_a_link_that_is_swapped() {
    let acme = issuer();
    swapped(&acme, "current", "current/tenants");
}

/// `link` holds the tenants folder, or is it.
fn swapped(acme: &Issuer, link: &str, tenants: &str) {
    let mut postern = Postern::with(fixed("jira", acme, "v1"))
        .tenants_at(tenants)
        .start();
    postern.stop();
    let link = postern.folder().join(link);
    let below = postern
        .tenants()
        .strip_prefix(&link)
        .expect("it is below")
        .to_owned();
    fs::rename(&link, postern.folder().join("v1")).expect("it is moved aside");
    let aside = postern.folder().join("new");
    let lead_to = |version: &str| {
        symlink(version, &aside).expect("a link is made");
        fs::rename(&aside, &link).expect("it is swapped");
    };
    for version in ["v2", "v3"] {
        let folder = postern.folder().join(version).join(&below);
        fs::create_dir_all(&folder).expect("a folder is made");
        fs::write(
            folder.join("jira.toml"),
            fixed("jira", acme, version).text(),
        )
        .expect("written");
    }
    lead_to("v1");
    // Files that were written just now are read whatever their times say; these are to be known by their times.
    let last = fs::metadata(postern.folder().join("v3").join(&below)).expect("it is there");
    eventually("the files are old", || {
        let written = std::os::unix::fs::MetadataExt::ctime(&last).unsigned_abs();
        postern::clock::now() > written + 3
    });
    postern.run();
    for version in ["v2", "v3", "v1", "v2"] {
        lead_to(version);
        let token = acme.token().audience(version).sign();
        until_answered(&postern, "jira", &token, "allowed");
    }
    // What is edited where it leads to now is seen as well.
    postern.write(&fixed("jira", acme, "edited"));
    let token = acme.token().audience("edited").sign();
    until_answered(&postern, "jira", &token, "allowed");
}

/// A provider of the issuer's own keys is found again after the tenant left and came back within a second, and
/// its keys are still kept fresh.
#[test]
fn a_tenant_that_leaves_and_comes_back_keeps_following_its_issuer() {
    let acme = issuer();
    let file = tenant("jira").trusting(&acme);
    let postern = Postern::with(file.clone())
        .and(fixed("wiki", &acme, "first"))
        .start();
    postern.until_keys("jira");
    fs::remove_file(postern.tenant_path("jira")).expect("it is removed");
    until_answered(&postern, "jira", &acme.token().sign(), "tenant_unknown");
    postern.write(&file);
    until_answered(&postern, "jira", &acme.token().sign(), "allowed");
    acme.rotate();
    until_answered(&postern, "jira", &acme.token().sign(), "allowed");
}
