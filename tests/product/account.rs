//! See `../product.rs`. The daemon asks so for the owners of API tokens; here `postern::product` is asked itself.

use std::{fs, sync::Arc};

use postern::{
    clock,
    decision::Outage,
    issuer::client::Outgoing,
    metrics::Metrics,
    product::{Account, Product},
    tenant::{
        build::{Secrets, build},
        source::TenantSource,
    },
    witness::Silent,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::{told, whose};
use crate::harness::{
    emulator::{Asked, Emulator, Reply, json},
    tenant,
};

mod answers;
mod believed;

pub const TOKEN: &str = "an-administrators-token";

/// A product with an emulator behind it, and the tenant's file that says where that is.
struct World {
    upstream: Emulator,
    product: Arc<Product>,
    runtime: Runtime,
    _folder: TempDir,
}

type Found = Result<Option<Arc<Account>>, Outage>;

impl World {
    fn start(
        kind: &'static str,
        answers: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::with_token(kind, Some(TOKEN), answers)
    }

    /// With that token where the tenant's file says that it lies, or with nothing there: then it is a last good build
    /// that serves.
    fn with_token(
        kind: &'static str,
        token: Option<&str>,
        answers: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let upstream = Emulator::start(answers);
        let folder = tempfile::tempdir().expect("a temporary folder");
        if let Some(token) = token {
            fs::write(folder.path().join("token"), token).expect("the token is written");
        }
        let file = tenant("t")
            .product(kind)
            .upstream(&format!("address = {:?}", upstream.url()))
            .upstream("admin_token = { file = \"token\" }");
        let path = folder.path().join("t.toml");
        let source = TenantSource::of_text("t".parse().expect("a name"), &path, file.text());
        let built = build(&source, Secrets::MayBeAbsent, clock::now());
        let settings = built.settings.expect("the file is good");
        let settings = settings.upstream.expect("the product is asked");
        let runtime = Runtime::new().expect("a runtime");
        let outgoing = Outgoing::new(runtime.handle().clone(), Arc::new(Metrics::default()));
        Self {
            upstream,
            product: Arc::new(Product::new(settings, outgoing)),
            runtime,
            _folder: folder,
        }
    }

    fn account(&self, name: &str) -> Found {
        self.account_at(name, clock::now())
    }

    fn account_at(&self, name: &str, now: u64) -> Found {
        self.runtime
            .block_on(self.product.account(name, now, &Silent))
    }
}

/// A product in which ada is in these groups, and which knows our token.
fn ada(kind: &'static str, groups: &[&str], active: bool) -> World {
    World::start(kind, answers(kind, groups, active))
}

/// What that product answers.
pub fn answers(
    kind: &'static str,
    groups: &[&str],
    active: bool,
) -> impl Fn(&Asked) -> Reply + Send + Sync + use<> + 'static {
    let groups: Vec<String> = groups.iter().map(ToString::to_string).collect();
    move |asked| {
        if asked.header("authorization") != Some(&format!("Bearer {TOKEN}")) {
            return json(401, json!({ "errors": [] }));
        }
        if asked.path() == whose(kind) {
            return told(kind, Some("root"));
        }
        match kind {
            "jira" => jira(asked, &groups, active),
            "confluence" => confluence(asked, &groups, active),
            _ => bitbucket(asked, &groups, active),
        }
    }
}

fn is_ada(asked: &Asked, field: &str) -> bool {
    asked
        .field(field)
        .is_some_and(|name| name.eq_ignore_ascii_case("ada"))
}

fn named(groups: &[String]) -> Vec<Value> {
    groups.iter().map(|name| json!({ "name": name })).collect()
}

fn jira(asked: &Asked, groups: &[String], active: bool) -> Reply {
    assert_eq!(
        (asked.path(), asked.field("expand").as_deref()),
        ("/rest/api/2/user", Some("groups"))
    );
    if !is_ada(asked, "username") {
        return json(
            404,
            json!({ "errorMessages": ["The user named 'eve' does not exist"], "errors": {} }),
        );
    }
    json(
        200,
        json!({
            "key": "JIRAUSER1", "name": "Ada", "active": active, "expand": "groups,applicationRoles",
            "groups": { "size": groups.len(), "items": named(groups) },
        }),
    )
}

fn confluence(asked: &Asked, groups: &[String], active: bool) -> Reply {
    let status = if active { "current" } else { "deactivated" };
    match asked.path() {
        "/rest/api/user" if is_ada(asked, "username") => json(
            200,
            json!({
                "type": "known", "username": "Ada", "userKey": "4028", "status": status,
            }),
        ),
        "/rest/api/user" => json(
            404,
            json!({ "statusCode": 404, "message": "No user found with username : eve" }),
        ),
        "/rest/api/user/memberof" => {
            // Pages of two, however many are asked for.
            let start: usize = asked
                .field("start")
                .expect("a start")
                .parse()
                .expect("a number");
            let page = &groups[start..groups.len().min(start + 2)];
            let more = start + page.len() < groups.len();
            let links = if more {
                json!({ "next": "/rest/api/user/memberof?start=" })
            } else {
                json!({})
            };
            json(
                200,
                json!({ "results": named(page), "start": start, "limit": 2, "size": page.len(), "_links": links }),
            )
        }
        other => panic!("asked at {other}"),
    }
}

fn bitbucket(asked: &Asked, groups: &[String], active: bool) -> Reply {
    let start: usize = asked
        .field("start")
        .expect("a start")
        .parse()
        .expect("a number");
    let page = |all: Vec<Value>| {
        let values: Vec<_> = all.iter().skip(start).take(2).cloned().collect();
        let next = (start + 2 < all.len()).then_some(start + 2);
        json(
            200,
            json!({
                "values": values, "start": start, "size": values.len(), "limit": 2,
                "isLastPage": next.is_none(), "nextPageStart": next,
            }),
        )
    };
    match asked.path() {
        // A filter finds more than the one.
        "/rest/api/latest/admin/users" => page(
            ["adamant", "ada2", "Ada"].iter().map(|name| json!({ "name": name, "slug": name, "active": active && *name == "Ada" })).collect(),
        ),
        "/rest/api/latest/admin/users/more-members" => {
            assert_eq!(asked.field("context").as_deref(), Some("Ada"));
            page(named(groups))
        }
        other => panic!("asked at {other}"),
    }
}
