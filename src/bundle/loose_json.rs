//! Reading JSON whose values may be of any type: a value of a wrong type is
//! none, and never an error.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A list with more elements is none: an empty record is two bytes of text and
/// hundreds of memory. No node has a tenth of it.
const ELEMENTS: usize = 50_000;

/// A SHA-256 digest.
pub type Sha256 = [u8; 32];

/// Reads a text that is one JSON object.
pub(super) fn from_object<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, String> {
    match serde_json::from_str(text) {
        Ok(Loose::<T, IgnoredAny>::Object(value)) => Ok(value),
        Ok(_) => Err("it is no JSON object".into()),
        Err(error) => Err(error.to_string()),
    }
}

/// For `#[serde(deserialize_with)]`: a value without parts, or none.
pub(super) fn loosely<'de, D: Deserializer<'de>, T: From<Scalar<'de>>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(match Loose::deserialize(deserializer)? {
        Loose::Scalar(scalar) => scalar.into(),
        Loose::<IgnoredAny, IgnoredAny>::Object(_) | Loose::List(_) => Scalar::Null.into(),
    })
}

/// For `#[serde(deserialize_with)]`: a list of objects, or none; what is no
/// object is left out of it.
pub(super) fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    elements(
        deserializer,
        |element: Loose<T, IgnoredAny>| match element {
            Loose::Object(value) => Some(value),
            _ => None,
        },
    )
}

/// For `#[serde(deserialize_with)]`: a list of texts, or none; what is no text
/// is left out of it.
pub(super) fn texts<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<String>>, D::Error> {
    elements(
        deserializer,
        |element: Loose<IgnoredAny, IgnoredAny>| match element {
            Loose::Scalar(Scalar::Text(text)) => Some(text.into_owned()),
            _ => None,
        },
    )
}

fn elements<'de, D: Deserializer<'de>, E: Deserialize<'de>, T>(
    deserializer: D,
    convert: impl FnMut(E) -> Option<T>,
) -> Result<Option<Vec<T>>, D::Error> {
    Ok(match Loose::<IgnoredAny, E>::deserialize(deserializer)? {
        Loose::List(values) => Some(values.into_iter().filter_map(convert).collect()),
        _ => None,
    })
}

/// A value that has no parts.
#[derive(Debug)]
pub(super) enum Scalar<'de> {
    Boolean(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(Cow<'de, str>),
    Null,
}

impl From<Scalar<'_>> for Option<String> {
    fn from(value: Scalar<'_>) -> Self {
        match value {
            Scalar::Text(text) => Some(text.into_owned()),
            _ => None,
        }
    }
}

impl From<Scalar<'_>> for String {
    fn from(value: Scalar<'_>) -> Self {
        Option::from(value).unwrap_or_default()
    }
}

impl From<Scalar<'_>> for bool {
    fn from(value: Scalar<'_>) -> Self {
        matches!(value, Scalar::Boolean(true))
    }
}

impl From<Scalar<'_>> for Option<u64> {
    fn from(value: Scalar<'_>) -> Self {
        match value {
            Scalar::Unsigned(value) => Some(value),
            _ => None,
        }
    }
}

impl From<Scalar<'_>> for Option<i32> {
    fn from(value: Scalar<'_>) -> Self {
        match value {
            Scalar::Unsigned(value) => value.try_into().ok(),
            Scalar::Signed(value) => value.try_into().ok(),
            _ => None,
        }
    }
}

impl From<Scalar<'_>> for Option<f64> {
    fn from(value: Scalar<'_>) -> Self {
        match value {
            Scalar::Unsigned(value) => Some(value as f64),
            Scalar::Float(value) => Some(value),
            _ => None,
        }
    }
}

impl From<Scalar<'_>> for Option<Sha256> {
    fn from(value: Scalar<'_>) -> Self {
        let Scalar::Text(text) = value else {
            return None;
        };
        let digits: &[u8; 64] = text.as_bytes().try_into().ok()?;
        let mut hash = [0; 32];
        let mut all = 0;
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            if let [high, low] = pair {
                let (high, low) = (hexadecimal(*high), hexadecimal(*low));
                all |= high | low;
                *byte = high << 4 | low;
            }
        }
        (all <= 0xf).then_some(hash)
    }
}

/// A digit's value, 0xff for what is none.
fn hexadecimal(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => 0xff,
    }
}

/// Any JSON value: an object is read as an `O`, a list's elements as `E`.
enum Loose<'de, O, E> {
    Object(O),
    List(Vec<E>),
    Scalar(Scalar<'de>),
}

impl<'de, O: Deserialize<'de>, E: Deserialize<'de>> Deserialize<'de> for Loose<'de, O, E> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LooseVisitor(PhantomData))
    }
}

struct LooseVisitor<O, E>(PhantomData<(O, E)>);

impl<'de, O: Deserialize<'de>, E: Deserialize<'de>> Visitor<'de> for LooseVisitor<O, E> {
    type Value = Loose<'de, O, E>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any value")
    }
    fn visit_unit<Error>(self) -> Result<Self::Value, Error> {
        Ok(Loose::Scalar(Scalar::Null))
    }
    fn visit_bool<Error>(self, value: bool) -> Result<Self::Value, Error> {
        Ok(Loose::Scalar(Scalar::Boolean(value)))
    }
    fn visit_u64<Error>(self, value: u64) -> Result<Self::Value, Error> {
        Ok(Loose::Scalar(Scalar::Unsigned(value)))
    }
    fn visit_i64<Error>(self, value: i64) -> Result<Self::Value, Error> {
        Ok(Loose::Scalar(Scalar::Signed(value)))
    }
    fn visit_f64<Error>(self, value: f64) -> Result<Self::Value, Error> {
        Ok(Loose::Scalar(Scalar::Float(value)))
    }
    fn visit_str<Error>(self, value: &str) -> Result<Self::Value, Error> {
        Ok(Loose::Scalar(Scalar::Text(Cow::Owned(value.to_owned()))))
    }
    fn visit_borrowed_str<Error>(self, value: &'de str) -> Result<Self::Value, Error> {
        Ok(Loose::Scalar(Scalar::Text(Cow::Borrowed(value))))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut kept = Vec::new();
        while let Some(element) = list.next_element()? {
            if kept.len() <= ELEMENTS {
                kept.push(element);
            }
        }
        if kept.len() > ELEMENTS {
            return Ok(Loose::Scalar(Scalar::Null));
        }
        Ok(Loose::List(kept))
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        O::deserialize(MapAccessDeserializer::new(map)).map(Loose::Object)
    }
}
