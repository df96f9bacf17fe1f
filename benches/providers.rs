//! What a check costs by the kind of its token, and whether a tenant's other providers cost anything: loops inside
//! this process.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::{Context as _, bail, ensure};
use postern::{
    clock,
    decision::Decision,
    dev::{self, Algorithm, Issuer},
    issuer::{ask::Asker, client::Outgoing},
    keys,
    metrics::Metrics,
    pins::Pins,
    policy::rates::Rates,
    provider::{Keys, Provider, Revision},
    tenant::{
        Tenant, build,
        settings::{KeyOrigin, ProviderSettings},
        source::TenantSource,
    },
};

use crate::{
    Effort,
    process::{Cores, pinned},
    statistics::median,
    tokens,
    verification::{Raw, check_again, micros, prove},
};

/// The loops take turns so often.
const TURNS: u32 = 5;
/// The most that nine more providers may add.
const MOST: f64 = 1.1;

/// Prints the tables.
pub fn measure(effort: &Effort, cores: Cores) -> anyhow::Result<()> {
    let slice = Duration::from_secs_f64(effort.loop_seconds / f64::from(TURNS));
    println!(
        "| one token after the other, no server; the quickest pass of many | aws-lc-rs, the signature only, µs | token to principal, µs | ratio | seen before, the whole check, µs |"
    );
    println!("|---|---|---|---|---|");
    for (own, theirs) in [
        (Algorithm::Rs256, keys::Algorithm::Rs256),
        (Algorithm::Rs384, keys::Algorithm::Rs384),
        (Algorithm::Rs512, keys::Algorithm::Rs512),
        (Algorithm::Ps256, keys::Algorithm::Ps256),
        (Algorithm::Ps384, keys::Algorithm::Ps384),
        (Algorithm::Ps512, keys::Algorithm::Ps512),
        (Algorithm::Es256, keys::Algorithm::Es256),
        (Algorithm::Es384, keys::Algorithm::Es384),
        (Algorithm::EdDsa, keys::Algorithm::EdDsa),
    ] {
        let issuer = Issuer::builder().algorithm(own).start()?;
        let tokens: Vec<_> = (0..16)
            .map(|number| tokens::token_by(&issuer, own, number))
            .collect();
        let tenant = tenant(&signed(&issuer, own, issuer.url()), None)?;
        let set = tenant.providers[0].keys[0].set.as_deref();
        let kid = issuer.kid(own);
        let key = set.and_then(|set| set.find(Some(&kid), theirs).ok());
        let (key, _) = key.context("a key")?;
        let raw = tokens.iter().map(|token| Raw::of(token));
        let raw = raw.collect::<anyhow::Result<Vec<_>>>()?;
        let now = clock::now();
        let [mut alone, mut whole, mut known] = [const { Vec::new() }; 3];
        for token in &tokens {
            is_allowed(&tenant, token)?;
        }
        pinned(cores.server, || -> anyhow::Result<()> {
            for _ in 0..TURNS {
                alone.push(micros(slice, &raw, |raw| raw.verify(key))?);
                whole.push(micros(slice, &tokens, |token| {
                    prove(&tenant, token, now).map(drop)
                })?);
                known.push(micros(slice, &tokens, |token| {
                    drop(check_again(&tenant, token, now));
                    Ok(())
                })?);
            }
            Ok(())
        })??;
        let [alone, whole, known] = [alone, whole, known].map(|turns| median(&turns));
        println!(
            "| {theirs} | {alone:.1} | {whole:.1} | {:.2} | {known:.2} |",
            whole / alone
        );
    }
    opaque(slice, cores)?;
    println!();
    ten_providers(slice, cores)
}

/// An opaque token that its issuer was asked about a moment ago.
fn opaque(slice: Duration, cores: Cores) -> anyhow::Result<()> {
    let issuer = Issuer::start()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let metrics = Arc::new(Metrics::default());
    let outgoing = Outgoing::new(runtime.handle().clone(), metrics);
    let text = format!(
        "[[provider]]\nkind = \"custom\"\nissuer = {:?}\nintrospection_endpoint = \"{}/introspect\"\naudience = [{:?}]\n\
         client_id = {:?}\nclient_secret = {{ file = \"secret\" }}\nusername = \"sub\"\n",
        issuer.url(),
        issuer.url(),
        dev::AUDIENCE,
        dev::CLIENT_ID,
    );
    let tenant = tenant(&text, Some(&outgoing))?;
    let tokens: Vec<_> = (0..16)
        .map(|_| {
            let token = issuer.token().groups(["staff"]);
            token.opaque()
        })
        .collect();
    for token in &tokens {
        let decision =
            runtime.block_on(crate::verification::check_of(&tenant, token, clock::now()));
        ensure!(matches!(decision, Decision::Allow(_)), "{decision:?}");
    }
    let now = clock::now();
    let mut known = Vec::new();
    pinned(cores.server, || -> anyhow::Result<()> {
        for _ in 0..TURNS {
            known.push(micros(slice, &tokens, |token| {
                drop(check_again(&tenant, token, now));
                Ok(())
            })?);
        }
        Ok(())
    })??;
    println!("| opaque, by introspection | | | | {:.2} |", median(&known));
    Ok(())
}

/// The same tokens, where their issuer is the only provider, and where it is the last of ten.
fn ten_providers(slice: Duration, cores: Cores) -> anyhow::Result<()> {
    let algorithm = Algorithm::Rs256;
    let issuer = Issuer::builder().algorithm(algorithm).start()?;
    let own = signed(&issuer, algorithm, issuer.url());
    let others: String = (0..9)
        .map(|number| {
            let name = format!("https://sso-{number}.example.com/realms/corp");
            let other = signed(&issuer, algorithm, &name);
            other.replace("kind =", &format!("name = \"other-{number}\"\nkind ="))
        })
        .collect();
    let accounts = |text: String| text.replace("kind =", "accounts = [\"*\"]\nkind =");
    let tenants = [
        tenant(&accounts(own.clone()), None)?,
        tenant(&accounts(others + &own), None)?,
    ];
    let tokens: Vec<_> = (0..64)
        .map(|number| tokens::token_by(&issuer, algorithm, number))
        .collect();
    for tenant in &tenants {
        for token in &tokens {
            is_allowed(tenant, token)?;
        }
    }
    let now = clock::now();
    let mut seen = [const { Vec::new() }; 2];
    let mut fresh = [const { Vec::new() }; 2];
    pinned(cores.server, || -> anyhow::Result<()> {
        for _ in 0..TURNS {
            for (at, tenant) in tenants.iter().enumerate() {
                seen[at].push(micros(slice, &tokens, |token| {
                    drop(check_again(tenant, token, now));
                    Ok(())
                })?);
                fresh[at].push(micros(slice, &tokens, |token| {
                    prove(tenant, token, now).map(drop)
                })?);
            }
        }
        Ok(())
    })??;
    println!("| RS256 | one provider, µs | ten providers, µs | ratio | target |");
    println!("|---|---|---|---|---|");
    for (what, [one, ten]) in [
        ("seen before, the whole check", seen),
        ("token to principal", fresh),
    ] {
        let (one, ten) = (median(&one), median(&ten));
        let ratio = ten / one;
        let held = if ratio <= MOST { "held" } else { "**missed**" };
        println!("| {what} | {one:.2} | {ten:.2} | {ratio:.2} | ≤ {MOST}: {held} |");
    }
    println!();
    Ok(())
}

/// Asks once, so that it is remembered.
pub fn is_allowed(tenant: &Tenant, token: &str) -> anyhow::Result<()> {
    match check_again(tenant, token, clock::now()) {
        std::task::Poll::Ready(Decision::Allow(_)) => Ok(()),
        other => bail!("a token is not allowed: {other:?}"),
    }
}

/// A provider whose key is written in the file.
pub fn signed(issuer: &Issuer, algorithm: Algorithm, name: &str) -> String {
    format!(
        "[[provider]]\nkind = \"custom\"\nissuer = {name:?}\naudience = [{:?}]\nusername = \"preferred_username\"\n\
         public_key = \"\"\"\n{}\"\"\"\nalgorithms = [\"{algorithm}\"]\n",
        dev::AUDIENCE,
        issuer.public_key_pem(algorithm),
    )
}

/// A tenant as the daemon makes it.
pub fn tenant(providers: &str, outgoing: Option<&Outgoing>) -> anyhow::Result<Tenant> {
    tenant_with(providers, "", outgoing)
}

/// The same with more in `[access]`.
pub fn tenant_with(
    providers: &str,
    access: &str,
    outgoing: Option<&Outgoing>,
) -> anyhow::Result<Tenant> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("secret"), dev::CLIENT_SECRET)?;
    let text = format!(
        "product = \"jira\"\nurl = \"https://jira.example.com\"\n{providers}\n[access]\nallow_groups = [\"staff\"]\n{access}\n"
    );
    let id = "bench".parse().map_err(|_| anyhow::anyhow!("no name"))?;
    let source = TenantSource::of_text(id, Path::new(&folder.path().join("bench.toml")), text);
    let built = build::build(&source, build::Secrets::MustBeThere, clock::now());
    let Some(settings) = built.settings else {
        bail!("the tenant file is broken: {:?}", built.problems);
    };
    let providers = settings.providers.iter();
    let providers = providers.map(|settings| provider(settings, outgoing));
    Ok(Tenant {
        product: None,
        pins: Arc::new(Pins::without_ledger(settings.id.clone())),
        providers: providers.collect::<anyhow::Result<_>>()?,
        api_tokens: None,
        settings: Arc::new(settings),
        verdicts: Arc::default(),
        rates: Rates::default(),
        decisions: Arc::default(),
        recent: Arc::default(),
    })
}

fn provider(
    settings: &Arc<ProviderSettings>,
    outgoing: Option<&Outgoing>,
) -> anyhow::Result<Provider> {
    let origins = settings.signature.iter().flat_map(|proof| &proof.keys);
    let keys = origins.map(|origin| match origin {
        KeyOrigin::Fixed(set) => Ok(Keys {
            set: Some(Arc::clone(set)),
            source: None,
            stale_after: 0,
        }),
        _ => bail!("the key stands in the file"),
    });
    Ok(Provider {
        settings: Arc::clone(settings),
        revision: Revision::next(),
        keys: keys.collect::<anyhow::Result<_>>()?,
        answer_keys: None,
        asker: outgoing
            .map(|outgoing| Arc::new(Asker::new(Arc::clone(settings), outgoing.clone()))),
        refusals: Arc::default(),
    })
}
