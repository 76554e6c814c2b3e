//! Devices by name.

use burn::tensor::Device;

/// The environment variable that [`device`] reads.
const VARIABLE: &str = "DAMPER_DEVICE";

/// The backends, each a cargo feature of `damper`; whether it is compiled in.
const BACKENDS: [(&str, bool); 3] = [
    ("flex", cfg!(feature = "flex")),
    ("ndarray", cfg!(feature = "ndarray")),
    ("wgpu", cfg!(feature = "wgpu")),
];

/// Why there is no such device.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// No backend has this name.
    #[error("unknown device `{name}`\nhelp: this program has {}", compiled())]
    Unknown {
        /// The name.
        name: String,
    },
    /// The backend is not compiled in.
    #[error(
        "the backend `{backend}` is not compiled in\nhelp: enable it: `cargo add damper --features {backend}`\nnote: this program has {}",
        compiled()
    )]
    Disabled {
        /// The backend, and its cargo feature.
        backend: &'static str,
    },
    /// The number behind the backend's name is not one, or the backend has one device only.
    #[error("`{name}` is not a device: {reason}")]
    Index {
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The machine has no such adapter, or it cannot be used.
    #[error(
        "the device `{name}` cannot be used: {reason}\nhelp: without a GPU use `flex`, or a software Vulkan (Debian: `apt install mesa-vulkan-drivers`)"
    )]
    Adapter {
        /// The name.
        name: String,
        /// What the driver says.
        reason: String,
    },
}

fn compiled() -> String {
    let names: Vec<String> = BACKENDS
        .iter()
        .filter(|(_, compiled)| *compiled)
        .map(|(name, _)| format!("`{name}`"))
        .collect();
    if names.is_empty() {
        "no backend".to_owned()
    } else {
        names.join(", ")
    }
}

/// The device that the environment variable `DAMPER_DEVICE` names: `flex`, `ndarray`, `wgpu`, `wgpu:1`; `flex`
/// without it.
///
/// ```
/// let device = damper::device()?;
/// # Ok::<(), damper::DeviceError>(())
/// ```
///
/// # Errors
///
/// [`DeviceError`] if there is no such device on this machine, or in this program.
pub fn device() -> Result<Device, DeviceError> {
    match std::env::var_os(VARIABLE) {
        Some(name) if !name.is_empty() => named(&name.to_string_lossy()),
        _ => named("flex"),
    }
}

/// The device of this name: `flex`, `ndarray`, `wgpu`, `wgpu:1` (the second discrete GPU), `wgpu:cpu` (software).
///
/// # Errors
///
/// [`DeviceError`] if there is no such device on this machine, or in this program.
pub fn named(name: &str) -> Result<Device, DeviceError> {
    let name = name.trim();
    let (backend, index) = match name.split_once(':') {
        Some((backend, index)) => (backend, Some(index)),
        None => (name, None),
    };
    match BACKENDS
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(backend))
    {
        None => Err(DeviceError::Unknown {
            name: name.to_owned(),
        }),
        Some((backend, false)) => Err(DeviceError::Disabled { backend }),
        Some((backend @ "wgpu", true)) => wgpu(name, backend, index),
        Some((_, true)) if index.is_some_and(|index| index != "0") => Err(DeviceError::Index {
            name: name.to_owned(),
            reason: format!("`{backend}` has one device, the CPU"),
        }),
        Some((backend, true)) => cpu(backend),
    }
}

/// Whether the device is the processor that the program runs on.
pub(crate) fn is_cpu(device: &Device) -> bool {
    BACKENDS
        .iter()
        .filter(|(backend, compiled)| *compiled && *backend != "wgpu")
        .any(|(backend, _)| cpu(backend).is_ok_and(|cpu| cpu == *device))
}

/// Whether the fused operations of `damper_flex` reach the device's memory.
#[cfg(feature = "flex")]
pub(crate) fn is_flex(device: &Device) -> bool {
    *device == Device::flex()
}

#[allow(
    unused_variables,
    reason = "without a CPU backend nothing reads the name"
)]
fn cpu(backend: &'static str) -> Result<Device, DeviceError> {
    match backend {
        #[cfg(feature = "flex")]
        "flex" => Ok(Device::flex()),
        #[cfg(feature = "ndarray")]
        #[allow(deprecated, reason = "the feature asks for it by name")]
        "ndarray" => Ok(Device::ndarray()),
        _ => Err(DeviceError::Disabled { backend }),
    }
}

#[cfg(not(feature = "wgpu"))]
fn wgpu(_name: &str, backend: &'static str, _index: Option<&str>) -> Result<Device, DeviceError> {
    Err(DeviceError::Disabled { backend })
}

#[cfg(feature = "wgpu")]
fn wgpu(name: &str, _backend: &'static str, index: Option<&str>) -> Result<Device, DeviceError> {
    use burn::tensor::DeviceKind;
    use std::collections::HashMap;
    use std::sync::{LazyLock, Mutex, PoisonError};

    // An adapter is opened once: burn refuses to initialize it again.
    static OPENED: LazyLock<Mutex<HashMap<DeviceKind, Device>>> = LazyLock::new(Mutex::default);

    let kind = match index {
        None => DeviceKind::DefaultDevice,
        Some("cpu") => DeviceKind::Cpu,
        Some(index) => DeviceKind::DiscreteGpu(index.parse().map_err(|_| DeviceError::Index {
            name: name.to_owned(),
            reason: format!("`{index}` is neither the number of a GPU from 0 nor `cpu`"),
        })?),
    };
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(device) = opened.get(&kind) {
        return Ok(device.clone());
    }
    let device = match Device::wgpu_options().device_kind(kind.clone()).init() {
        Ok(device) => device,
        // Some other part of the program has opened it: then it works.
        Err(burn::tensor::wgpu::WgpuInitError::Registration { .. }) => Device::wgpu(kind.clone()),
        Err(error) => {
            return Err(DeviceError::Adapter {
                name: name.to_owned(),
                reason: error.to_string(),
            });
        }
    };
    opened.insert(kind, device.clone());
    Ok(device)
}
