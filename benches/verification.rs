//! What verifying costs without a server around it, in loops inside this process.

use std::{
    hint::black_box,
    pin::pin,
    process::{Command, Stdio},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use aws_lc_rs::signature::ParsedPublicKey;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use postern::{
    check::{Found, check},
    clock,
    credential::Authorization,
    decision::Decision,
    dev::Algorithm,
    keys,
    request::{Request, RequestId},
    tenant::Tenant,
    verify::{
        TokenDigest, Verified, judge,
        jwt::{Room, Shape},
    },
    witness::Silent,
};

use crate::{
    Effort,
    process::{Cores, pinned},
    providers,
    statistics::median,
    tokens,
};

/// The loops take turns so often.
const TURNS: u32 = 5;

/// Prints the table.
pub fn measure(effort: &Effort, cores: Cores) -> anyhow::Result<()> {
    let issuer = tokens::issuer()?;
    let tokens: Vec<_> = (0..64)
        .map(|number| tokens::token(&issuer, number))
        .collect();
    let provider = providers::signed(&issuer, Algorithm::Rs256, issuer.url());
    let tenant = providers::tenant(&provider, None)?;
    let raw = tokens
        .iter()
        .map(|token| Raw::of(token))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let slice = Duration::from_secs_f64(effort.loop_seconds / f64::from(TURNS));
    let [mut alone, mut shaped, mut whole, mut known] = [const { Vec::new() }; 4];
    for token in &tokens {
        ensure!(
            matches!(
                check_again(&tenant, token, clock::now()),
                Poll::Ready(Decision::Allow(_))
            ),
            "a token is not allowed"
        );
    }
    let (key_set, now) = (key_set(&tenant)?, clock::now());
    let (key, _) = key_set
        .find(Some(&issuer.kid(Algorithm::Rs256)), keys::Algorithm::Rs256)
        .map_err(|none| anyhow::anyhow!("{none:?}"))?;
    pinned(cores.server, || -> anyhow::Result<()> {
        for _ in 0..TURNS {
            alone.push(micros(slice, &raw, |raw| raw.verify(key))?);
            shaped.push(micros(slice, &tokens, |token| parse(token))?);
            known.push(micros(slice, &tokens, |token| {
                drop(check_again(&tenant, token, now));
                Ok(())
            })?);
            whole.push(micros(slice, &tokens, |token| {
                prove(&tenant, token, now).map(drop)
            })?);
        }
        Ok(())
    })??;

    println!(
        "| RS256 2048, one token after the other, no server; the quickest pass of many | µs | ratio |"
    );
    println!("|---|---|---|");
    let [alone, shaped, whole, known] = [alone, shaped, whole, known].map(|turns| median(&turns));
    println!("| aws-lc-rs with a parsed key, the signature only | {alone:.1} | 1 |");
    match openssl(cores) {
        Ok(openssl) => println!(
            "| `openssl speed rsa2048`, verify, without hashing the token | {openssl:.1} | {:.2} |",
            openssl / alone
        ),
        Err(missing) => println!("| `openssl speed rsa2048` | not run: {missing} | |"),
    }
    println!(
        "| Postern: token to principal (digest, parts, signature, claims and their judgement, headers) | {whole:.1} | {:.2} |",
        whole / alone
    );
    println!(
        "| of which reading the parts, before anything is proved | {shaped:.1} | {:.2} |",
        shaped / alone
    );
    println!(
        "| Postern: the whole check of a token verified before (path, digest, look-up, policy) | {known:.1} | {:.2} |\n",
        known / alone
    );
    Ok(())
}

fn key_set(tenant: &Tenant) -> anyhow::Result<&keys::KeySet> {
    let keys = tenant
        .providers
        .first()
        .and_then(|provider| provider.keys.first());
    keys.and_then(|keys| keys.set.as_deref())
        .context("a key set")
}

/// A token cut up beforehand.
pub struct Raw {
    message: Vec<u8>,
    signature: Vec<u8>,
}

impl Raw {
    /// Of a JWT.
    pub fn of(token: &str) -> anyhow::Result<Self> {
        let (message, signature) = token.rsplit_once('.').context("a JWT")?;
        Ok(Self {
            message: message.into(),
            signature: URL_SAFE_NO_PAD.decode(signature)?,
        })
    }

    /// Its signature alone.
    pub fn verify(&self, key: &ParsedPublicKey) -> anyhow::Result<()> {
        key.verify_sig(&self.message, &self.signature)
            .map_err(|_| anyhow::anyhow!("the signature does not hold"))
    }
}

fn parse(token: &str) -> anyhow::Result<()> {
    let mut room = Room::default();
    match Shape::of(token, &mut room) {
        Ok(Shape::Jwt(jwt)) => {
            drop(black_box(jwt));
            Ok(())
        }
        Ok(Shape::Opaque) => bail!("a JWT is no opaque token"),
        Err(denial) => bail!("{denial}"),
    }
}

/// What `check::check` does with a token that no tenant remembers.
pub fn prove(tenant: &Tenant, token: &str, now: u64) -> anyhow::Result<Verified> {
    let digest = TokenDigest::of(token.as_bytes());
    let mut room = Room::default();
    let judge = judge(tenant, token, &mut room).map_err(|denial| anyhow::anyhow!("{denial}"))?;
    let judge = judge.context("the token is a JWT of the tenant's provider")?;
    let verify = pin!(judge.verify(token, &digest, tenant, now, &Silent));
    match verify.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(verified)) => Ok(verified),
        Poll::Ready(Err(no)) => bail!("{no:?}"),
        Poll::Pending => bail!("a check with a known key waits for nobody"),
    }
}

/// The whole check, of a token that the tenant may remember.
pub fn check_again(tenant: &Tenant, token: &str, now: u64) -> Poll<Decision> {
    pin!(check_of(tenant, token, now)).poll(&mut Context::from_waker(Waker::noop()))
}

/// The whole check.
pub async fn check_of(tenant: &Tenant, token: &str, now: u64) -> Decision {
    let authorization = format!("Bearer {token}");
    let request = Request {
        id: RequestId::next(),
        method: "GET",
        method_override: None,
        target: b"/rest/api/2/myself",
        address: None,
        is_preflight: false,
        authorization: Authorization::One(authorization.as_bytes()),
        cookie: None,
    };
    check(tenant, &request, now, &mut Found::default()).await
}

/// Microseconds of one `work`: the quickest pass over the inputs within `slice`. A pass takes about a millisecond,
/// so that even on a busy machine some are not interrupted.
pub fn micros<T>(
    slice: Duration,
    inputs: &[T],
    work: impl Fn(&T) -> anyhow::Result<()>,
) -> anyhow::Result<f64> {
    let (started, mut quickest) = (Instant::now(), Duration::MAX);
    while started.elapsed() < slice {
        let pass = Instant::now();
        for input in inputs {
            work(black_box(input))?;
        }
        quickest = quickest.min(pass.elapsed());
    }
    Ok(quickest.as_secs_f64() * 1e6 / f64::from(u32::try_from(inputs.len())?))
}

/// Microseconds of one verification.
fn openssl(cores: Cores) -> anyhow::Result<f64> {
    let mut command = Command::new("openssl");
    command
        .args(["speed", "-mr", "-seconds", "1", "rsa2048"])
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    let output = pinned(cores.server, || command.output())??;
    ensure!(output.status.success(), "it failed");
    // `+F2:` the number of the key, its bits, signatures a second, verifications a second.
    let text = String::from_utf8(output.stdout)?;
    let line = text.lines().find(|line| line.starts_with("+F2:"));
    let per_second: f64 = line
        .and_then(|line| line.rsplit(':').next())
        .context("its output is not as expected")?
        .parse()?;
    Ok(1e6 / per_second)
}
