//! JSON that borrows from the bytes it was read from, and in which no member stands twice, at any depth.
//!
//! RFC 7515 §4 and RFC 7519 §4 leave it to the reader to refuse doubled members or to take the last;
//! two readers that differ can be played off against each other, so they are refused. `serde_json::Value` is
//! not used because it takes the last, and because it owns each text: a token has some forty.

use std::{borrow::Cow, cmp::Ordering, fmt};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, SeqAccess, Visitor},
};
use serde_json::Number;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Json<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(Cow<'a, str>),
    /// A list.
    List(Vec<Json<'a>>),
    /// An object.
    Object(Object<'a>),
}

/// The members of an object, each name once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Object<'a> {
    /// In the order of [`order`], so that doubled ones are neighbours.
    members: Vec<(Cow<'a, str>, Json<'a>)>,
}

/// Why bytes are not such an object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotStrictJson(String);

impl<'a> Object<'a> {
    /// Reads a whole object.
    ///
    /// # Errors
    /// [`NotStrictJson`], which tells what is wrong without the content.
    pub fn read(bytes: &'a [u8]) -> Result<Self, NotStrictJson> {
        // Once for all texts, instead of for each.
        let text = str::from_utf8(bytes).map_err(|_| NotStrictJson("it is not UTF-8".into()))?;
        match serde_json::from_str(text) {
            Ok(Json::Object(object)) => Ok(object),
            Ok(_) => Err(NotStrictJson("it is not a JSON object".into())),
            Err(error) => Err(NotStrictJson(error.to_string())),
        }
    }

    /// The member of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Json<'a>> {
        self.place(name).map(|at| &self.members[at].1)
    }

    /// The member of that name, taken out.
    pub fn take(&mut self, name: &str) -> Option<Json<'a>> {
        let at = self.place(name)?;
        Some(std::mem::replace(&mut self.members[at].1, Json::Null))
    }

    /// The object with that member, in place of one of the same name.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: Json<'a>) -> Self {
        match self.find(name) {
            Ok(at) => self.members[at].1 = value,
            Err(at) => self.members.insert(at, (Cow::Borrowed(name), value)),
        }
        self
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.find(name).ok()
    }

    fn find(&self, name: &str) -> Result<usize, usize> {
        self.members
            .binary_search_by(|(member, _)| order(member, name))
    }

    /// The object, independent of the bytes it was read from.
    #[must_use]
    pub fn into_owned(self) -> Object<'static> {
        let owned = |(name, value): (Cow<'_, str>, Json<'_>)| {
            (Cow::Owned(name.into_owned()), value.into_owned())
        };
        Object {
            members: self.members.into_iter().map(owned).collect(),
        }
    }
}

/// Letter by letter: names are short, and `str`'s own order calls `memcmp` for each comparison.
fn order(one: &str, other: &str) -> Ordering {
    one.bytes().cmp(other.bytes())
}

impl Json<'_> {
    /// The text, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// As a message may show it: see [`quoted`](super::claims::quoted).
    #[must_use]
    pub fn quoted(&self) -> String {
        super::claims::quoted(self)
    }

    /// The number, if it is one.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Number(number) => number.as_f64(),
            _ => None,
        }
    }

    /// The member of that name, if it is an object that has one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(object) => object.get(name),
            _ => None,
        }
    }

    /// The texts of a list, or the one text: what a claim of several values may be. Other items are passed over.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let items = match self {
            Self::List(items) => items.as_slice(),
            other => std::slice::from_ref(other),
        };
        items.iter().filter_map(Self::as_str)
    }

    /// The value, independent of the bytes it was read from.
    #[must_use]
    pub fn into_owned(self) -> Json<'static> {
        match self {
            Self::Null => Json::Null,
            Self::Bool(value) => Json::Bool(value),
            Self::Number(number) => Json::Number(number),
            Self::Text(text) => Json::Text(Cow::Owned(text.into_owned())),
            Self::List(items) => Json::List(items.into_iter().map(Json::into_owned).collect()),
            Self::Object(object) => Json::Object(object.into_owned()),
        }
    }
}

impl<'a> From<&'a str> for Json<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl PartialEq<bool> for Json<'_> {
    fn eq(&self, other: &bool) -> bool {
        matches!(self, Self::Bool(value) if value == other)
    }
}

impl PartialEq<str> for Json<'_> {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == Some(other)
    }
}

impl fmt::Display for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(number) => number.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => serializer.collect_seq(items),
            Self::Object(object) => {
                serializer.collect_map(object.members.iter().map(|(name, value)| (name, value)))
            }
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Json<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Strict)
    }
}

struct Strict;

impl<'de> Visitor<'de> for Strict {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json<'de>, E> {
        Ok(Number::from_f64(value).map_or(Json::Null, Json::Number))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json<'de>, A::Error> {
        // Fewer would be moved twice more: claims have some twenty members.
        let mut members = Vec::with_capacity(8);
        while let Some(Name(name)) = map.next_key()? {
            members.push((name, map.next_value()?));
        }
        members.sort_unstable_by(|(one, _), (other, _)| order(one, other));
        if members.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err(de::Error::custom("a member stands twice"));
        }
        Ok(Json::Object(Object { members }))
    }
}

/// A member's name. serde itself never borrows into a `Cow`.
struct Name<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_str(Strict)? {
            Json::Text(name) => Ok(Self(name)),
            _ => Err(de::Error::custom("a member's name is a text")),
        }
    }
}

/// What a test writes with `json!`.
#[cfg(test)]
#[must_use]
pub fn object(value: &serde_json::Value) -> Object<'static> {
    Object::read(value.to_string().as_bytes())
        .expect("an object")
        .into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn is_read(text: &str) -> bool {
        Object::read(text.as_bytes()).is_ok()
    }

    #[test]
    fn doubled_members_are_refused_at_any_depth() {
        assert!(is_read(r#"{"a":1,"b":{"a":2}}"#));
        for doubled in [
            r#"{"a":1,"a":1}"#,
            r#"{"b":1,"a":1,"c":2,"a":1}"#,
            r#"{"b":{"a":1,"a":2}}"#,
            r#"{"b":[{"a":1,"a":2}]}"#,
            r#"{"a":1,"\u0061":2}"#,
        ] {
            assert!(!is_read(doubled), "{doubled}");
        }
    }

    #[test]
    fn only_a_whole_object_is_read() {
        for wrong in [
            "", "[]", "1", "\"a\"", "null", "{} {}", "{", "{\"a\":}", "{}x", "{1:2}",
        ] {
            assert!(!is_read(wrong), "{wrong}");
        }
        assert!(!is_read(&format!(
            "{}1{}",
            "{\"a\":".repeat(200),
            "}".repeat(200)
        )));
    }

    #[test]
    fn a_member_is_put_where_it_is_found() {
        let mut object = Object::default();
        for (name, value) in [("b", "1"), ("a", "2"), ("c", "3"), ("b", "4")] {
            object = object.with(name, value.into());
        }
        let text = Json::Object(object).to_string();
        assert_eq!(text, r#"{"a":"2","b":"4","c":"3"}"#);
    }

    #[test]
    fn a_member_is_found_by_its_name_alone() {
        let object = Object::read(br#"{"b":1,"a":{"x\n":null},"":[true,"t"]}"#).unwrap();
        assert_eq!(object.get("b").and_then(Json::as_f64), Some(1.0));
        assert_eq!(
            object.get("a").and_then(|a| a.get("x\n")),
            Some(&Json::Null)
        );
        assert_eq!(object.get("").unwrap().texts().collect::<Vec<_>>(), ["t"]);
        assert_eq!(object.get("B"), None);
    }

    proptest! {
        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Object::read(&bytes);
        }

        /// Without doubled members there is one reading, and it is everybody's.
        #[test]
        fn it_reads_what_serde_json_reads(members in prop::collection::btree_map("\\PC{0,3}", any::<(i64, f64, String, Option<bool>)>(), 0..20)) {
            let value = serde_json::json!({ "inner": members, "list": [members] });
            let text = value.to_string();
            let object = Object::read(text.as_bytes()).unwrap();
            let again = Json::Object(object.clone()).to_string();
            let reading = |text: &str| serde_json::from_str::<Value>(text).unwrap();
            prop_assert_eq!(reading(&again), reading(&reading(&text).to_string()));
            prop_assert_eq!(object.clone().into_owned(), object);
        }
    }
}
