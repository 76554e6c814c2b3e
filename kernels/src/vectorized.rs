//! Functions that are compiled once for each instruction set.

/// Defines functions whose body is compiled for each instruction set. That of the processor is chosen at run time.
///
/// Functions that the body calls must be `#[inline(always)]`, and all references have the lifetime `'a`.
macro_rules! vectorized {
    (@output) => { () };
    (@output $output:ty) => { $output };
    ($(
        $(#[$attribute:meta])*
        fn $name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $output:ty)? $body:block
    )*) => { $(
        $(#[$attribute])*
        fn $name<'a>($($argument: $type),*) $(-> $output)? {
            struct Kernel<'a> {
                $($argument: $type,)*
            }

            impl<'a> ::pulp::WithSimd for Kernel<'a> {
                type Output = vectorized!(@output $($output)?);

                #[inline(always)]
                fn with_simd<S: ::pulp::Simd>(self, _: S) -> Self::Output {
                    let Self { $($argument),* } = self;
                    $body
                }
            }

            ::pulp::Arch::new().dispatch(Kernel { $($argument),* })
        }
    )* };
}
