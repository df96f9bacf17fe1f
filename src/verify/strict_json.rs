//! JSON objects in which no member stands twice, at any depth.
//!
//! RFC 7515 §4 and RFC 7519 §4 leave it to the reader to refuse doubled members or to take the last;
//! two readers that differ can be played off against each other, so they are refused.

use std::fmt;

use serde::{
    Deserializer,
    de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};

/// Why bytes are not such an object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotStrictJson(String);

/// Reads a whole object.
///
/// # Errors
/// [`NotStrictJson`], which tells what is wrong without the content.
pub fn object(bytes: &[u8]) -> Result<Map<String, Value>, NotStrictJson> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Strict
        .deserialize(&mut reader)
        .map_err(|error| NotStrictJson(error.to_string()))?;
    reader
        .end()
        .map_err(|error| NotStrictJson(error.to_string()))?;
    match value {
        Value::Object(members) => Ok(members),
        _ => Err(NotStrictJson("it is not a JSON object".into())),
    }
}

struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Strict)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(Strict)?;
            if map.insert(name, value).is_some() {
                return Err(de::Error::custom("a member stands twice"));
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn doubled_members_are_refused_at_any_depth() {
        assert!(object(br#"{"a":1,"b":{"a":2}}"#).is_ok());
        for doubled in [
            r#"{"a":1,"a":1}"#,
            r#"{"b":{"a":1,"a":2}}"#,
            r#"{"b":[{"a":1,"a":2}]}"#,
            r#"{"a":1,"\u0061":2}"#,
        ] {
            assert!(object(doubled.as_bytes()).is_err(), "{doubled}");
        }
    }

    #[test]
    fn only_a_whole_object_is_read() {
        for wrong in [
            "", "[]", "1", "\"a\"", "null", "{} {}", "{", "{\"a\":}", "{}x",
        ] {
            assert!(object(wrong.as_bytes()).is_err(), "{wrong}");
        }
        assert!(
            object(
                format!(
                    "{}{}",
                    "{\"a\":".repeat(200),
                    "1".to_owned() + &"}".repeat(200)
                )
                .as_bytes()
            )
            .is_err()
        );
    }

    #[test]
    fn it_reads_what_serde_json_reads() {
        let text = r#"{"s":"x","n":-1,"u":18446744073709551615,"f":1.5,"b":true,"z":null,"l":[1,{"k":"v"}]}"#;
        let expected =
            json!({"s":"x","n":-1,"u":u64::MAX,"f":1.5,"b":true,"z":null,"l":[1,{"k":"v"}]});
        assert_eq!(Value::Object(object(text.as_bytes()).unwrap()), expected);
    }

    proptest! {
        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = object(&bytes);
        }
    }
}
