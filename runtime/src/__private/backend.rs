//! Errors that depend on a feature of this crate: the generated code brings the error, at the user's token, and the
//! macro lets it pass where the feature is off.

#[cfg(feature = "flex")]
#[doc(hidden)]
#[macro_export]
macro_rules! __unless_flex {
    ($($error:tt)*) => {};
}

#[cfg(not(feature = "flex"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __unless_flex {
    ($($error:tt)*) => { $($error)* };
}

#[cfg(feature = "ndarray")]
#[doc(hidden)]
#[macro_export]
macro_rules! __unless_ndarray {
    ($($error:tt)*) => {};
}

#[cfg(not(feature = "ndarray"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __unless_ndarray {
    ($($error:tt)*) => { $($error)* };
}

#[cfg(feature = "wgpu")]
#[doc(hidden)]
#[macro_export]
macro_rules! __unless_wgpu {
    ($($error:tt)*) => {};
}

#[cfg(not(feature = "wgpu"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __unless_wgpu {
    ($($error:tt)*) => { $($error)* };
}
