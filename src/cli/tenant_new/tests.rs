use clap::ValueEnum as _;

use super::*;

fn command(folder: &Path, url: Option<&str>) -> TenantNew {
    TenantNew {
        name: "jira".parse().unwrap(),
        product: Product::Jira,
        provider: Kind::Custom,
        url: url.map(str::to_owned),
        tenants: folder.to_owned(),
    }
}

#[test]
fn what_is_written_is_valid_and_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let tenants = folder.path().join("tenants");
    command(&tenants, Some("https://example.com/jira"))
        .run()
        .unwrap();
    let path = tenants.join("jira.toml");
    let source = TenantSource::read(&path).unwrap();
    let built = build(&source, Secrets::MustBeThere, 0);
    assert!(built.problems.is_empty(), "{:?}", built.problems);
    assert_eq!(built.settings.unwrap().context_path, "/jira");
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        MODE
    );

    let error = command(&tenants, None).run().unwrap_err();
    assert!(error.to_string().contains("exists already"));
    assert_eq!(TenantSource::read(&path).unwrap().text, source.text);
    assert_eq!(
        fs::read_dir(&tenants).unwrap().count(),
        1,
        "nothing is left over"
    );
}

#[test]
fn every_product_has_its_own_text() {
    for product in [Product::Jira, Product::Confluence, Product::Bitbucket] {
        let command = TenantNew {
            product,
            ..command(Path::new("tenants"), None)
        };
        let text = command.text(true);
        let source = TenantSource::of_text("x".parse().unwrap(), Path::new("x.toml"), text);
        let built = build(&source, Secrets::MustBeThere, 0);
        assert!(built.problems.is_empty(), "{:?}", built.problems);
        assert_eq!(built.settings.unwrap().product, product);
        // What stands in comments must be right as well: uncommented, it is valid.
        let uncommented: Vec<&str> = source
            .text
            .lines()
            .map(|line| {
                line.strip_prefix("# ")
                    .filter(|rest| rest.contains(" = "))
                    .unwrap_or(line)
            })
            .collect();
        let source = TenantSource::of_text(
            "x".parse().unwrap(),
            Path::new("x.toml"),
            uncommented.join("\n"),
        );
        for problem in build(&source, Secrets::MayBeAbsent, 0).problems {
            assert!(problem.message.contains("can't be read"), "{problem}");
        }
    }
}

#[test]
fn every_kind_of_provider_has_its_own_text() {
    for kind in Kind::value_variants() {
        let command = TenantNew {
            name: "wiki".parse().unwrap(),
            provider: *kind,
            product: Product::Confluence,
            ..command(Path::new("tenants"), None)
        };
        let text = command.text(false);
        let source = TenantSource::of_text("x".parse().unwrap(), Path::new("x.toml"), text);
        let built = build(&source, Secrets::MayBeAbsent, 0);
        for problem in &built.problems {
            assert!(problem.message.contains("can't be read"), "{problem}");
        }
        let settings = built.settings.unwrap();
        assert_eq!(settings.providers[0].preset.kind, *kind);
        assert!(
            !source.text.to_lowercase().contains("jira"),
            "{}",
            source.text
        );
    }
}

#[test]
fn a_url_that_is_none_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for url in [
        "jira.example.com",
        "https://a\"\nenabled = false",
        "https://a/?b",
    ] {
        assert!(command(folder.path(), Some(url)).run().is_err());
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
