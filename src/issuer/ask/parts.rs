//! What the ways to ask an API of a provider's own have in common.

use reqwest::Url;
use serde_json::{Map, Value};

use super::Answer;
use crate::{
    issuer::client::FetchError,
    verify::json::{Json, Object},
};

/// `path` below the base of an API.
pub(super) fn below(api: &Url, path: &str) -> Result<Url, FetchError> {
    let text = format!("{}/{path}", api.as_str().trim_end_matches('/'));
    Url::parse(&text).map_err(|_| FetchError::Malformed(format!("{text} is no URL")))
}

/// What is kept of the answers about one token. Everything is named, so that nothing is kept that repeats the token.
#[derive(Default)]
pub(super) struct Picked(Map<String, Value>);

impl Picked {
    /// A member of our own making.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// A member as it was answered; an absent one and a null stay away.
    pub fn keep(&mut self, name: &str, value: Option<&Json<'_>>) {
        let value = value.and_then(|value| serde_json::to_value(value).ok());
        if let Some(value) = value.filter(|value| !value.is_null()) {
            self.0.insert(name.to_owned(), value);
        }
    }

    /// The answer that they make.
    pub fn answer(self) -> Result<Answer, FetchError> {
        let text = Value::Object(self.0).to_string();
        let members = Object::read(text.as_bytes())
            .map_err(|error| FetchError::Malformed(format!("the answer is odd: {error}")))?;
        Ok(Answer::Active(members.into_owned().into()))
    }
}

/// An id in digits, which some APIs write as a text and some as a number.
pub(super) fn digits(value: Option<&Json<'_>>) -> Option<String> {
    match value? {
        Json::Text(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(text.clone().into_owned())
        }
        Json::Number(number) => number.as_u64().map(|number| number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::verify::json::object;

    #[test]
    fn an_id_is_the_same_as_a_text_and_as_a_number() {
        for (value, id) in [
            (json!("10215241773831025"), Some("10215241773831025")),
            (json!(10_215_241_773_831_025_u64), Some("10215241773831025")),
            (json!(""), None),
            (json!("12a"), None),
            (json!(-1), None),
            (json!(1.5), None),
            (json!([1]), None),
            (json!(null), None),
        ] {
            let read = object(&json!({ "id": value }));
            assert_eq!(digits(read.get("id")).as_deref(), id, "{value}");
        }
    }

    #[test]
    fn a_path_lies_below_the_api() {
        for (api, whole) in [
            ("http://127.0.0.1:1", "http://127.0.0.1:1/me"),
            ("https://a.example/v1/", "https://a.example/v1/me"),
        ] {
            let api = Url::parse(api).unwrap();
            assert_eq!(below(&api, "me").unwrap().as_str(), whole);
        }
    }
}
