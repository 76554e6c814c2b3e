//! A budget is judged twice: on the defaults when the crate is compiled, on a program's values in `init`.

use damper::burn::tensor::Device;
use damper::model;

const MIB: f64 = 0.25;

model! {
    /// Keeps its budget with the declared width; the limit of memory is a constant, which only the compiler knows.
    Frugal<hidden: usize = 16, most: usize = 2_000>
    input x: [64]
    layers {
        fc:   linear(hidden) -> relu;
        head: linear(10);
    }
    loss cross_entropy
    budget { params <= most, flops <= 1_000_000, memory <= MIB MiB }
}

#[test]
fn the_declared_width_keeps_the_budget() {
    assert!(FrugalConfig::new().init(&Device::flex()).is_ok());
}

#[test]
fn a_wider_one_is_refused_with_its_largest_layers() {
    let error = FrugalConfig::new()
        .with_hidden(1_000)
        .init(&Device::flex())
        .expect_err("75,010 parameters")
        .to_string();
    for text in [
        "`Frugal` has 75,010 parameters, 73,010 more than its budget of 2,000",
        "`fc` with 65,000 (87 %), `head` with 10,010 (13 %)",
        "`Frugal` takes 300.9 KiB of memory, 44.9 KiB more than its budget of 0.25 MiB",
    ] {
        assert!(error.contains(text), "{text} in\n{error}");
    }
    assert!(!error.contains("FLOPs"), "{error}");
}

#[test]
fn a_limit_is_a_value_like_any_other() {
    let config = FrugalConfig::new().with_hidden(200).with_most(20_000);
    assert!(config.init(&Device::flex()).is_ok());
}
