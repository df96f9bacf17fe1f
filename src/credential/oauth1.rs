//! A request that an application link signs with OAuth 1.0a (RFC 5849 §3.1). Only the product has the consumers' keys,
//! so that here it is told only whether it is one at all.

use std::borrow::Cow;

use url::form_urlencoded;

use super::malformed;
use crate::{
    decision::Denial,
    policy::{product::is_under, query::Query},
};

/// What the products want of a signed request, once each; of these only the token may be empty, and is where an
/// application speaks for itself.
const REQUIRED: [&str; 6] = [
    TOKEN,
    "oauth_consumer_key",
    "oauth_signature_method",
    "oauth_signature",
    "oauth_timestamp",
    "oauth_nonce",
];
/// What there is none of yet where the first token is asked for (RFC 5849 §2.1).
const TOKEN: &str = "oauth_token";
/// Where that is.
pub const REQUEST_TOKEN: &str = "/plugins/servlet/oauth/request-token";

/// Whether a browser brings parameters of OAuth to this path, on its way to grant an application access or back.
#[must_use]
pub fn is_page_of_dance(path: &str) -> bool {
    is_under(path, "/plugins/servlet/oauth/authorize")
        || is_under(path, "/plugins/servlet/applinks/oauth/login-dance")
}

/// Whether the query alone holds a signed request.
#[must_use]
pub fn is_signed_in_query(query: &Query<'_>) -> bool {
    signed(&query.oauth, None).is_ok()
}

/// Judges what follows the scheme `OAuth`, together with the query, since a request may be signed in parts of both. It
/// is for the `path`, if that has only one reading.
///
/// # Errors
/// [`Denied::MalformedToken`](crate::decision::Denied::MalformedToken).
pub fn judge(parameters: &[u8], query: &Query<'_>, path: Option<&str>) -> Result<(), Denial> {
    let mut all = read(parameters).ok_or_else(|| {
        malformed("the parameters of the scheme OAuth are not name=\"value\", separated by commas")
    })?;
    all.extend(query.oauth.iter().cloned());
    signed(&all, path)
}

type Parameter<'p> = (Cow<'p, str>, Cow<'p, str>);

fn signed(parameters: &[Parameter<'_>], path: Option<&str>) -> Result<(), Denial> {
    for required in REQUIRED {
        let mut values = parameters.iter().filter(|(name, _)| name == required);
        let may_be_absent = required == TOKEN
            && path.is_some_and(|path| path.trim_end_matches('/') == REQUEST_TOKEN);
        let problem = match (values.next(), values.next()) {
            (Some((_, value)), None) if required == TOKEN || !value.is_empty() => continue,
            (None, None) if may_be_absent => continue,
            (Some(_), Some(_)) => "is there more than once",
            (Some(_), None) => "is empty",
            (None, _) => "is missing",
        };
        return Err(malformed(format!(
            "the scheme is OAuth, and {required} {problem}; an application link signs with {}, once each",
            REQUIRED.join(", ")
        )));
    }
    Ok(())
}

/// RFC 5849 §3.5.1. Names and values come back decoded; a realm is one of them.
fn read(parameters: &[u8]) -> Option<Vec<Parameter<'_>>> {
    let mut rest = str::from_utf8(parameters).ok()?.strip_prefix(' ')?;
    let mut all = Vec::with_capacity(8);
    loop {
        let (name, after) = rest.trim_start_matches([' ', '\t']).split_once("=\"")?;
        let (value, after) = after.split_once('"')?;
        if name.is_empty()
            || name.contains(|letter: char| !letter.is_ascii_graphic() || letter == '"')
        {
            return None;
        }
        all.push((decoded(name), decoded(value)));
        let after = after.trim_matches([' ', '\t']);
        if after.is_empty() {
            return Some(all);
        }
        rest = after.strip_prefix(',')?;
    }
}

fn decoded(text: &str) -> Cow<'_, str> {
    // As a name without a value. What a `&` or `=` would separate is one text here.
    if text.contains(['&', '=']) || !text.contains(['%', '+']) {
        return text.into();
    }
    let mut pairs = form_urlencoded::parse(text.as_bytes());
    pairs.next().map_or(Cow::Borrowed(text), |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#" realm="a,b", oauth_consumer_key="k", oauth_token="",oauth_signature_method="RSA-SHA1", oauth_signature="a%2Bb%3D", oauth_timestamp="1",	oauth_nonce="n", oauth_version="1.0""#;

    fn judged(header: &str, query: &str, path: Option<&str>) -> Result<(), String> {
        let query = Query::read(Some(query.as_bytes()));
        judge(header.as_bytes(), &query, path).map_err(|denial| denial.to_string())
    }

    #[test]
    fn a_whole_signature_is_six_parameters_once_each_wherever_they_are() {
        judged(WHOLE, "", None).unwrap();
        let moved = WHOLE.replace(r#"oauth_nonce="n", "#, "");
        judged(&moved, "a=b&%6fauth_nonce=n", None).unwrap();
        assert!(
            judged(&moved, "", None)
                .unwrap_err()
                .contains("oauth_nonce is missing")
        );
        assert!(
            judged(WHOLE, "oauth_nonce=n", None)
                .unwrap_err()
                .contains("more than once")
        );
        assert!(
            judged(WHOLE, "oauth_token=", None)
                .unwrap_err()
                .contains("more than once")
        );
        let empty = WHOLE.replace(r#""k""#, r#""""#);
        assert!(
            judged(&empty, "", None)
                .unwrap_err()
                .contains("oauth_consumer_key is empty")
        );
    }

    #[test]
    fn the_first_token_is_asked_for_without_one() {
        let first = WHOLE.replace(r#" oauth_token="","#, "");
        judged(&first, "", Some(REQUEST_TOKEN)).unwrap();
        assert!(judged(&first, "", Some("/plugins/servlet/oauth/access-token")).is_err());
        assert!(judged(&first, "", None).is_err());
    }

    #[test]
    fn what_is_no_list_of_parameters_is_refused() {
        for header in [
            "",
            " ",
            "x",
            " junk",
            " a=b",
            " a=\"b",
            " a=\"b\" c=\"d\"",
            " a=\"b\",",
            " =\"b\"",
            " a b=\"c\"",
            "a=\"b\"",
        ] {
            assert!(read(header.as_bytes()).is_none(), "{header}");
        }
        assert_eq!(read(b" %61=\"%62\"").unwrap(), [("a".into(), "b".into())]);
    }
}
