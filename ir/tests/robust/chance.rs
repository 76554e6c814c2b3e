//! Any description that bytes can stand for, read by `serde`: a new field or layer is tried without a line here.

use damper_ir::{LINTS, Model};
use serde::de::value::Error;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use serde::{Deserialize, forward_to_deserialize_any};

/// Sequences and structs inside one another: some more than the blocks that a description may nest.
const DEEPEST: usize = 120;
/// Names that meet each other.
const NAMES: [&str; 10] = [
    "a", "b", "c", "x", "y", "fc1", "main", "shortcut", "", "日本",
];
/// Numbers at the edges of what they may be.
const NUMBERS: [f64; 24] = [
    0.0,
    1.0,
    2.0,
    3.0,
    4.0,
    8.0,
    10.0,
    0.1,
    0.5,
    0.9,
    1e-3,
    1e-5,
    1.5,
    100.0,
    1000.0,
    512.0,
    4_294_967_296.0,
    9_007_199_254_740_991.0,
    1e300,
    -1.0,
    -0.0,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
];

/// The description that these bytes stand for. After the last byte all are 0: the shortest end.
pub fn description(bytes: &[u8]) -> Result<Model, Error> {
    Model::deserialize(&mut Chance { bytes, depth: 0 })
}

/// One of the edges, or a small size.
fn number(byte: usize) -> f64 {
    match byte.checked_sub(NUMBERS.len()) {
        None => NUMBERS[byte],
        Some(rest) => (rest / 4) as f64,
    }
}

struct Chance<'b> {
    bytes: &'b [u8],
    depth: usize,
}

impl Chance<'_> {
    fn byte(&mut self) -> usize {
        match self.bytes.split_first() {
            Some((first, rest)) => {
                self.bytes = rest;
                usize::from(*first)
            }
            None => 0,
        }
    }

    fn number(&mut self) -> f64 {
        number(self.byte())
    }

    fn name(&mut self) -> &'static str {
        let byte = self.byte();
        match byte.checked_sub(128) {
            Some(lint) if lint < LINTS.len() => LINTS[lint].name,
            _ => NAMES[byte % NAMES.len()],
        }
    }

    /// One step further in; where it is too deep, nothing more is read.
    fn inside<T>(&mut self, act: impl FnOnce(&mut Self) -> T) -> T {
        self.depth += 1;
        if self.depth > DEEPEST {
            self.bytes = &[];
        }
        let read = act(self);
        self.depth -= 1;
        read
    }
}

impl<'de> Deserializer<'de> for &mut Chance<'_> {
    type Error = Error;

    /// What may be anything is a `Value`.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.byte() {
            byte @ 240.. => visitor.visit_map(Hole(Some(byte as u32 - 240))),
            230..240 => visitor.visit_unit(),
            byte => visitor.visit_f64(number(byte)),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_bool(self.byte() % 2 == 1)
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_u8((self.byte() % 5) as u8)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_u32(self.byte() as u32)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_u64(self.number() as u64)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        // A plain number is one that was written: in JSON there is no other.
        let number = self.number();
        visitor.visit_f64(if number.is_finite() { number } else { 0.0 })
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(self.name())
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(self.name())
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.byte() % 4 == 3 {
            visitor.visit_some(self)
        } else {
            visitor.visit_none()
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let left = self.byte() % 6;
        self.inside(|chance| visitor.visit_seq(Several { chance, left }))
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        left: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.inside(|chance| visitor.visit_seq(Several { chance, left }))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let left = fields.iter();
        self.inside(|chance| visitor.visit_map(Fields { chance, left }))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let variant = variants[self.byte() % variants.len()];
        self.inside(|chance| visitor.visit_enum(One { chance, variant }))
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("a name stands before no value"))
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u16 u128 f32 char bytes byte_buf unit unit_struct tuple_struct map ignored_any
    }
}

/// `{"$": place}`
struct Hole(Option<u32>);

impl<'de> MapAccess<'de> for Hole {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        self.0
            .map(|_| seed.deserialize("$".into_deserializer()))
            .transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(self.0.take().unwrap_or_default().into_deserializer())
    }
}

struct Several<'c, 'b> {
    chance: &'c mut Chance<'b>,
    left: usize,
}

impl<'de> SeqAccess<'de> for Several<'_, '_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        seed.deserialize(&mut *self.chance).map(Some)
    }
}

struct Fields<'c, 'b> {
    chance: &'c mut Chance<'b>,
    left: std::slice::Iter<'static, &'static str>,
}

impl<'de> MapAccess<'de> for Fields<'_, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        self.left
            .next()
            .map(|name| seed.deserialize((*name).into_deserializer()))
            .transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(&mut *self.chance)
    }
}

struct One<'c, 'b> {
    chance: &'c mut Chance<'b>,
    variant: &'static str,
}

impl<'de> EnumAccess<'de> for One<'_, '_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let read = seed.deserialize(self.variant.into_deserializer())?;
        Ok((read, self))
    }
}

impl<'de> VariantAccess<'de> for One<'_, '_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self.chance)
    }

    fn tuple_variant<V: Visitor<'de>>(self, left: usize, visitor: V) -> Result<V::Value, Error> {
        self.chance.deserialize_tuple(left, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.chance.deserialize_struct("", fields, visitor)
    }
}
