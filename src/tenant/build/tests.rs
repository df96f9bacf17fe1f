use super::*;
use std::path::Path;
#[test]
fn smoke() {
    for text in [
        "product = \"jira\"\nurl=\"https://jira.example.com/x/\"\n[[provider]]\nkind=\"custom\"\nissuer=\"https://sso.example.com\"\naudience=[\"a\"]\n",
        "produkt = \"jira\"\nurl=\"https://jira.example.com/x?y\"\nenabled=\"yes\"\n[[provider]]\nkind=\"kustom\"\nisuer=\"https://sso.example.com\"\naudience=[]\nclient_secret=\"hunter2\"\nalgorithms=[\"HS256\",\"rs256\"]\n[acces]\nx=1\n",
        "product = \"jira\"\nurl=\"https://jira.example.com\"\n[[provider]]\nkind=\"custom\"\nintrospection_endpoint=\"http://sso.example.com\"\nclient_id=\"x\"\nclient_secret={ env = \"NOPE\" }\n[access]\nallow_networks=[\"10.0.0.1/8\",\"::ffff:10.0.0.0/104\"]\ndeny_networks=[\"10.0.0.0/8\"]\npublic=[\"get /x\"]\n",
    ] {
        let source = TenantSource::of_text(
            "jira".parse().unwrap(),
            Path::new("tenants/jira.toml"),
            text.to_owned(),
        );
        let built = build(&source, Secrets::MustBeThere, 1_700_000_000);
        let excerpt = crate::tenant::excerpt::Excerpt::new(text);
        for p in &built.problems {
            println!("{p}\n{}\n", excerpt.render(p, false));
        }
        println!("{:?}\n=======", built.settings);
    }
    println!("{}", crate::tenant::schema::text());
}
