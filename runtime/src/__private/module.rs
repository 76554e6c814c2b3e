//! burn's `Module` for a struct of many fields.

/// Changes some fields of a module at once.
///
/// A function that moves every field of a struct is slow to compile when there are many: each call in it may panic, and
/// the compiler writes code for each of them that drops all the other fields. That grows with the square of the number of
/// fields. Moving a few fields at a time, in a function that is not inlined, keeps the square small.
#[inline(never)]
pub fn part<T>(fields: T, change: impl FnOnce(T) -> T) -> T {
    change(fields)
}

/// Implements what `#[derive(burn::module::Module)]` does, a part of the fields at a time; see [`part`].
///
/// Each part has a name, and lists its fields with their index in the tuple that the part is moved as. The fields behind
/// `skip` are not modules.
#[doc(hidden)]
#[macro_export]
macro_rules! __large_module {
    ($name:ident { $($part:ident { $($field:ident $place:tt,)* })* ; skip { $($skip:ident,)* } }) => {
        const _: () = {
            use $crate::__private::burn::module::{
                Content, Devices, DisplaySettings, Module, ModuleDisplay, ModuleDisplayDefault, ModuleMapper,
                ModuleVisitor,
            };
            use $crate::__private::burn::tensor::Device;

            const CONTAINER: &str = concat!("Struct:", stringify!($name));

            impl Module for $name {
                fn num_params(&self) -> usize {
                    let mut parameters = 0;
                    $($(parameters += Module::num_params(&self.$field);)*)*
                    parameters
                }

                fn visit<Visitor: ModuleVisitor>(&self, visitor: &mut Visitor) {
                    $($(
                        visitor.enter_module(stringify!($field), CONTAINER);
                        Module::visit(&self.$field, visitor);
                        visitor.exit_module(stringify!($field), CONTAINER);
                    )*)*
                }

                fn collect_devices(&self, devices: Devices) -> Devices {
                    $($(let devices = Module::collect_devices(&self.$field, devices);)*)*
                    devices
                }

                fn map<Mapper: ModuleMapper>(self, mapper: &mut Mapper) -> Self {
                    $crate::__large_module!(
                        @change self { $($part { $($field $place,)* })* ; skip { $($skip,)* } }
                        module, name => {
                            mapper.enter_module(name, CONTAINER);
                            let module = Module::map(module, mapper);
                            mapper.exit_module(name, CONTAINER);
                            module
                        }
                    )
                }

                fn to_device(self, device: &Device) -> Self {
                    $crate::__large_module!(
                        @change self { $($part { $($field $place,)* })* ; skip { $($skip,)* } }
                        module, _name => Module::to_device(module, device)
                    )
                }

                fn fork(self, device: &Device) -> Self {
                    $crate::__large_module!(
                        @change self { $($part { $($field $place,)* })* ; skip { $($skip,)* } }
                        module, _name => Module::fork(module, device)
                    )
                }

                fn train(self) -> Self {
                    $crate::__large_module!(
                        @change self { $($part { $($field $place,)* })* ; skip { $($skip,)* } }
                        module, _name => Module::train(module)
                    )
                }

                fn materialize(self) -> Self {
                    $crate::__large_module!(
                        @change self { $($part { $($field $place,)* })* ; skip { $($skip,)* } }
                        module, _name => Module::materialize(module)
                    )
                }

                fn valid(&self) -> Self {
                    Self {
                        $($($field: Module::valid(&self.$field),)*)*
                        $($skip: self.$skip.clone(),)*
                    }
                }
            }

            impl ::core::clone::Clone for $name {
                fn clone(&self) -> Self {
                    Self {
                        $($($field: self.$field.clone(),)*)*
                        $($skip: self.$skip.clone(),)*
                    }
                }
            }

            impl ::core::fmt::Display for $name {
                fn fmt(&self, formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    let text = ModuleDisplay::format(self, DisplaySettings::default());
                    formatter.write_str(&text)
                }
            }

            impl ModuleDisplayDefault for $name {
                fn content(&self, content: Content) -> ::core::option::Option<Content> {
                    let content = content.set_top_level_type(stringify!($name));
                    $($(let content = content.add(stringify!($field), &self.$field);)*)*
                    $(let content = content.add_debug_attribute(stringify!($skip), &self.$skip);)*
                    content.optional()
                }

                fn num_params(&self) -> usize {
                    Module::num_params(self)
                }
            }

            impl ModuleDisplay for $name {}
        };
    };
    (@change $self:ident { $($part:ident { $($field:ident $place:tt,)* })* ; skip { $($skip:ident,)* } } $module:ident, $label:ident => $change:expr) => {{
        $(
            let $part = $crate::__private::part(
                ($($self.$field,)*),
                |$part| ($({
                    let ($module, $label) = ($part.$place, stringify!($field));
                    $change
                },)*),
            );
        )*
        Self { $($($field: $part.$place,)*)* $($skip: $self.$skip,)* }
    }};
}
