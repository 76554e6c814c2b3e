//! The macros that make a type, its words and their pages of one table.

/// The pages of words: an item for each word with its documentation, and a struct with its arguments as fields. An
/// editor shows them where the pointer is on a word inside of `model!`, and completes from them.
///
/// `docs word(positional, ..) { docs argument = expression, .. };` The expression is of [`super::Argument`]; what is
/// in parentheses are the arguments that completion puts after the word.
macro_rules! pages {
    ($(
        $(#[doc = $doc:literal])+
        $word:ident $(($($parameter:ident),*))? $({ $(
            $(#[doc = $about:literal])+ $argument:ident = $value:expr
        ),* $(,)? })? ;
    )*) => {
        /// The words, with their arguments.
        #[allow(unused_imports)]
        pub const WORDS: &[$crate::words::Word] = {
            use $crate::words::*;
            &[$(Word {
                name: $crate::words::plain(stringify!($word)),
                docs: concat!($($doc, "\n"),+),
                arguments: &[$($(($value).documented(
                    $crate::words::plain(stringify!($argument)),
                    concat!($($about, "\n"),+),
                )),*)?],
            }),*]
        };

        /// Their pages.
        pub mod pages {
            $(
                $(#[doc = $doc])+
                #[allow(unused_variables, non_snake_case)]
                pub const fn $word($($($parameter: $crate::words::page::Word),*)?) -> $crate::words::page::Word {
                    $crate::words::page::Word
                }
            )*
        }

        /// Their arguments.
        pub mod arguments {
            $($(
                #[doc = concat!("The arguments of `", stringify!($word), "`.")]
                #[allow(non_camel_case_types)]
                #[derive(Clone, Copy, Debug)]
                pub struct $word {
                    $($(#[doc = $about])+ pub $argument: $crate::words::page::Word,)*
                }
            )?)*
        }
    };
}

/// An enum with a word for each variant, whose fields are the word's arguments.
///
/// `docs word(positional, ..) [ before ] = Variant { docs field: type = argument, .. } + { more } [ after ];` A variant of
/// one value is `Variant(name: type = argument)`. `more` are fields that are no arguments; `before` and `after` are arguments
/// that are not fields.
macro_rules! words {
    (
        $(#[$attribute:meta])*
        pub enum $Enum:ident;
        $(
            $(#[doc = $doc:literal])+
            $word:ident $(($($parameter:ident),*))?
            $([$($(#[doc = $before_doc:literal])+ $before:ident = $before_value:expr),+ $(,)?])?
            = $Variant:ident
            $({ $($(#[doc = $field_doc:literal])+ $(#[serde $serde:tt])? $field:ident: $ty:ty = $value:expr),+ $(,)? }
                $(+ { $($(#[doc = $extra_doc:literal])+ $(#[serde $extra_serde:tt])? $extra:ident: $extra_ty:ty $(= $init:expr)?),+ $(,)? })?)?
            $(($(#[doc = $only_doc:literal])+ $only:ident: $only_ty:ty = $only_value:expr))?
            $([$($(#[doc = $after_doc:literal])+ $after:ident = $after_value:expr),+ $(,)?])?
            ;
        )+
    ) => {
        $(#[$attribute])*
        pub enum $Enum {
            $(
                $(#[doc = $doc])+
                $Variant
                $({
                    $($(#[doc = $field_doc])+ $(#[serde $serde])? $field: $ty,)+
                    $($($(#[doc = $extra_doc])+ $(#[serde $extra_serde])? $extra: $extra_ty,)+)?
                })?
                $(($(#[doc = $only_doc])+ $only_ty))?,
            )+
        }

        $crate::words::pages! {
            $(
                $(#[doc = $doc])+
                $word $(($($parameter),*))? {
                    $($($(#[doc = $before_doc])+ $before = $before_value,)+)?
                    $($($(#[doc = $field_doc])+ $field = $value,)+)?
                    $($(#[doc = $only_doc])+ $only = $only_value,)?
                    $($($(#[doc = $after_doc])+ $after = $after_value,)+)?
                };
            )+
        }

        impl $Enum {
            /// The word of the language.
            pub const fn word(&self) -> &'static str {
                match self { $(Self::$Variant { .. } => stringify!($word),)+ }
            }

            /// Reads the arguments of a word; `None` if it is not in the table.
            #[allow(unused_variables, unused_imports)]
            pub fn read(from: &dyn $crate::words::Read) -> Option<Self> {
                use $crate::words::Field;
                $(if from.word().name == stringify!($word) {
                    return Some(Self::$Variant
                        $({
                            $($field: <$ty as Field>::read(from, stringify!($field)),)+
                            $($($extra: $crate::words::extra!(from: $extra_ty $(, $init)?),)+)?
                        })?
                        $((<$only_ty as Field>::read(from, stringify!($only))))?
                    );
                })+
                None
            }

            $(
                #[doc = concat!("`", stringify!($word), "` with its defaults; what has none is unknown.")]
                #[must_use]
                pub fn $word() -> Self {
                    #[allow(unused_imports)]
                    use $crate::words::{Field, Unwritten};
                    Self::$Variant
                        $({
                            $($field: <$ty as Field>::read(
                                &Unwritten($crate::words::of(WORDS, stringify!($word))),
                                stringify!($field),
                            ),)+
                            $($($extra: Default::default(),)+)?
                        })?
                        $((<$only_ty as Field>::read(
                            &Unwritten($crate::words::of(WORDS, stringify!($word))),
                            stringify!($only),
                        )))?
                }
            )+

            /// The same with another value for an argument: `OptimizerKind::sgd().with("momentum", 0.9)`.
            ///
            /// # Errors
            ///
            /// The word has no argument of this name that is one value.
            #[allow(unused_variables, unused_mut, unused_imports)]
            pub fn with(
                mut self,
                name: &str,
                value: impl Into<$crate::Value>,
            ) -> Result<Self, $crate::words::NoArgument> {
                use $crate::words::Field;
                let value = value.into();
                let mut put = false;
                match &mut self { $(Self::$Variant $({ $($field,)+ .. })? $(($only))? => {
                    $($(put |= name == stringify!($field) && $field.put(value);)+)?
                    $(put |= name == stringify!($only) && $only.put(value);)?
                })+ }
                if put {
                    Ok(self)
                } else {
                    Err($crate::words::NoArgument::new(self.word(), name))
                }
            }

            /// Every value with the argument that it is.
            #[allow(unused_variables)]
            pub fn each_value(&self, visit: &mut dyn FnMut(&'static $crate::words::Argument, &$crate::Value)) {
                let word = $crate::words::of(WORDS, self.word());
                match self { $(Self::$Variant $({ $($field,)+ .. })? $(($only))? => {
                    $($($crate::words::visit(word, stringify!($field), $field, visit);)+)?
                    $($crate::words::visit(word, stringify!($only), $only, visit);)?
                })+ }
            }

            /// Every value, to be changed.
            #[allow(unused_variables, unused_imports, dead_code, reason = "only what a block may hold is changed")]
            pub(crate) fn each_value_mut(&mut self, act: &mut dyn FnMut(&mut $crate::Value)) {
                use $crate::words::Field;
                match self { $(Self::$Variant $({ $($field,)+ .. })? $(($only))? => {
                    $($($field.values_mut().iter_mut().for_each(&mut *act);)+)?
                    $($only.values_mut().iter_mut().for_each(&mut *act);)?
                })+ }
            }

            /// The same, with the defaults where a value is unknown.
            #[allow(unused_variables, unused_imports)]
            #[must_use]
            pub fn filled(mut self) -> Self {
                use $crate::words::Field;
                let word = $crate::words::of(WORDS, self.word());
                match &mut self { $(Self::$Variant $({ $($field,)+ .. })? $(($only))? => {
                    $($($field.fill(word, stringify!($field));)+)?
                    $($only.fill(word, stringify!($only));)?
                })+ }
                self
            }

            /// The arguments as text, without those that need not be written.
            #[allow(unused_variables)]
            pub fn written(&self) -> Vec<String> {
                let word = $crate::words::of(WORDS, self.word());
                let all: &[Option<String>] = match self { $(Self::$Variant $({ $($field,)+ .. })? $(($only))? => &[
                    $($($crate::words::shown($field, word, stringify!($field)),)+)?
                    $($crate::words::shown($only, word, stringify!($only)),)?
                ],)+ };
                all.iter().flatten().cloned().collect()
            }
        }
    };
}

/// A field that is no argument: its default, or what a function reads.
macro_rules! extra {
    ($from:ident: $ty:ty) => {
        Default::default()
    };
    ($from:ident: $ty:ty, $init:expr) => {{
        let init: fn(&dyn $crate::words::Read) -> $ty = $init;
        init($from)
    }};
}

pub(crate) use {extra, pages, words};
