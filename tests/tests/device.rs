//! Devices by name: what is not there is an error that says what is.

use damper::DeviceError;
use damper::burn::tensor::Device;
use damper::device::named;

#[test]
fn flex_is_always_there() {
    assert_eq!(named("flex").unwrap(), Device::flex());
}

#[test]
fn an_unknown_name_lists_what_is_compiled_in() {
    let error = named("cuda").unwrap_err();
    assert!(matches!(&error, DeviceError::Unknown { name } if name == "cuda"));
    let text = error.to_string();
    assert!(
        text.contains("unknown device `cuda`") && text.contains("`flex`"),
        "{text}"
    );
}

#[cfg(not(feature = "wgpu"))]
#[test]
fn a_backend_that_is_not_compiled_in_names_its_feature() {
    let text = named("wgpu").unwrap_err().to_string();
    assert!(
        text.contains("`wgpu` is not compiled in") && text.contains("--features wgpu"),
        "{text}"
    );
}

#[test]
fn a_number_that_is_none_is_an_error() {
    assert!(matches!(named("flex:one"), Err(DeviceError::Index { .. })));
    assert!(matches!(named("flex:1"), Err(DeviceError::Index { .. })));
}

#[cfg(feature = "wgpu")]
#[test]
fn an_adapter_that_is_not_there_is_an_error() {
    assert!(named("wgpu").is_ok());
    assert!(matches!(named("wgpu:99"), Err(DeviceError::Adapter { .. })));
}
