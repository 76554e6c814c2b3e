//! Errors as a person reads them, whoever prints them.

use crate::data::DataError;
use crate::optimizer::StepError;
use crate::{DeviceError, InputError, LoadError, PredictError, SaveError, SpecError, TrainError};
use std::fmt::{Debug, Display, Formatter, Result};

/// `fn main() -> Result<(), Box<dyn Error>>` and `unwrap` print `Debug`: it says what `Display` says.
macro_rules! debug_is_display {
    ($($error:ty),*) => {$(
        impl Debug for $error {
            fn fmt(&self, f: &mut Formatter<'_>) -> Result {
                Display::fmt(self, f)
            }
        }
    )*};
}

debug_is_display!(
    DataError,
    DeviceError,
    InputError,
    LoadError,
    PredictError,
    SaveError,
    SpecError,
    StepError,
    TrainError
);

#[cfg(test)]
mod tests {
    use crate::data;

    #[test]
    fn main_prints_the_message_and_not_the_struct() {
        let table = data::csv_from("x.csv", &b"a,b,y\nred,2,no\n1,2,no\n"[..]);
        let error = table
            .and_then(|table| table.header(true).target("y"))
            .unwrap_err();
        let boxed: Box<dyn std::error::Error> = Box::new(error);
        assert_eq!(format!("{boxed:?}"), boxed.to_string());
        assert!(
            boxed.to_string().starts_with("`x.csv`, line 2, column `a`"),
            "{boxed}"
        );
    }
}
