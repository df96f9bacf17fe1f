//! Tenant files, as an operator would write them.

use postern::dev::{self, Issuer};

/// A tenant file in the making. It trusts nobody until told so.
#[derive(Clone, Debug)]
pub struct TenantFile {
    name: String,
    product: &'static str,
    url: String,
    top: String,
    providers: Vec<String>,
    api_tokens: String,
    access: String,
    rate_limit: String,
    upstream: String,
}

/// A Jira tenant of that name at `https://NAME.example.com`.
pub fn tenant(name: &str) -> TenantFile {
    TenantFile {
        name: name.into(),
        product: "jira",
        url: format!("https://{name}.example.com"),
        top: String::new(),
        providers: Vec::new(),
        api_tokens: String::new(),
        access: String::new(),
        rate_limit: String::new(),
        upstream: String::new(),
    }
}

impl TenantFile {
    /// The tenant's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same under another name.
    pub fn named(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }

    /// Another product.
    pub fn product(mut self, product: &'static str) -> Self {
        self.product = product;
        self
    }

    /// Another base URL, say with a context path.
    pub fn url(mut self, url: &str) -> Self {
        self.url = url.into();
        self
    }

    /// A line before the first section, like `enabled = false`.
    pub fn top(mut self, line: &str) -> Self {
        self.top.push_str(line);
        self.top.push('\n');
        self
    }

    /// Trusts JWTs of that issuer (found by discovery) for the audience that its tokens have by default.
    pub fn trusting(self, issuer: &Issuer) -> Self {
        self.provider(&format!(
            "issuer = {:?}\naudience = [{:?}]",
            issuer.url(),
            dev::AUDIENCE
        ))
    }

    /// Trusts that issuer's word about opaque tokens. The secret comes from the environment variable
    /// `DEV_SECRET`, which the harness gives to every daemon.
    pub fn asking(self, issuer: &Issuer) -> Self {
        self.provider(&format!(
            "issuer = {:?}\naudience = [{:?}]\nintrospection_endpoint = \"{}/introspect\"\nclient_id = {:?}\nclient_secret = {{ env = \"DEV_SECRET\" }}",
            issuer.url(),
            dev::AUDIENCE,
            issuer.url(),
            dev::CLIENT_ID
        ))
    }

    /// A `[[provider]]` with these lines, of kind custom unless they say otherwise.
    pub fn provider(mut self, lines: &str) -> Self {
        self.providers.push(lines.into());
        self
    }

    /// A line in the last provider.
    ///
    /// # Panics
    /// If there is no provider.
    pub fn with(mut self, line: &str) -> Self {
        let last = self.providers.last_mut().expect("there is a provider");
        last.push('\n');
        last.push_str(line);
        self
    }

    /// A line in `[api_tokens]`, like `enabled = true`.
    pub fn api_tokens(mut self, line: &str) -> Self {
        self.api_tokens.push_str(line);
        self.api_tokens.push('\n');
        self
    }

    /// A line in `[access]`.
    pub fn access(mut self, line: &str) -> Self {
        self.access.push_str(line);
        self.access.push('\n');
        self
    }

    /// A line in `[rate_limit]`.
    pub fn rate_limit(mut self, line: &str) -> Self {
        self.rate_limit.push_str(line);
        self.rate_limit.push('\n');
        self
    }

    /// A line in `[upstream]`.
    pub fn upstream(mut self, line: &str) -> Self {
        self.upstream.push_str(line);
        self.upstream.push('\n');
        self
    }

    /// Asks the product at `address` whether sessions are somebody's.
    pub fn checking_sessions(self, address: &str) -> Self {
        self.access("sessions = \"check\"")
            .upstream(&format!("address = {address:?}"))
    }

    /// The whole text.
    pub fn text(&self) -> String {
        let mut text = format!(
            "product = {:?}\nurl = {:?}\n{}",
            self.product, self.url, self.top
        );
        for provider in &self.providers {
            let kind = if provider.contains("kind = ") {
                ""
            } else {
                "kind = \"custom\"\n"
            };
            text += &format!("\n[[provider]]\n{kind}{provider}\n");
            // Required where there are several; scenarios that are about it say so themselves.
            let says = |key: &str| provider.lines().any(|line| line.starts_with(key));
            if self.providers.len() > 1 && !says("accounts") && !says("username_map") {
                text += "accounts = [\"*\"]\n";
            }
        }
        if !self.api_tokens.is_empty() {
            text += &format!("\n[api_tokens]\n{}", self.api_tokens);
        }
        if !self.access.is_empty() {
            text += &format!("\n[access]\n{}", self.access);
        }
        if !self.rate_limit.is_empty() {
            text += &format!("\n[rate_limit]\n{}", self.rate_limit);
        }
        if !self.upstream.is_empty() {
            text += &format!("\n[upstream]\n{}", self.upstream);
        }
        text
    }
}
