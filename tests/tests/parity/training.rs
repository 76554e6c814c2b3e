//! Mixed targets, targets by position, and averages of weights.

use crate::common::{Fixture, device};
use damper::burn::module::Param;
use damper::burn::nn::Linear;
use damper::optimizer::Average;
use damper::{__private, Spec, Target, loss};
use damper_ir::{LossKind, Reads, Value};

fn fixture() -> Fixture {
    Fixture::open("training")
}

#[test]
fn mixed_targets_with_smoothing_and_weights() {
    let fixture = fixture();
    let some = [1.0, 2.0, 0.5, 1.5].map(Value::known).to_vec();
    for (name, smoothing, weights) in [
        ("plain", None, Vec::new()),
        ("smooth", Some(0.1), Vec::new()),
        ("weighted", Some(0.1), some),
    ] {
        let kind = LossKind::CrossEntropy {
            label_smoothing: smoothing.map(Value::known),
            weights,
            from: Reads::Logits,
            z: None,
        };
        let logits = fixture
            .tensor::<2>("logits", &device().autodiff())
            .require_grad();
        let target = Target::Values(fixture.tensor("mixed", &device()));
        let value = loss::value(&kind, logits.clone(), &target);
        fixture.assert(&format!("{name}.value"), value.clone());
        let gradient = logits.grad(&value.backward()).expect("a gradient");
        fixture.assert(&format!("{name}.gradient"), gradient);
    }
}

/// A model that gives three maps of 2 x 4 pixels.
fn maps() -> Spec {
    let description = r#"{"name":"Maps","inputs":[{"name":"image","shape":[3,2,4]}],
        "layers":[{"name":"out","ops":[{"id":1,"kind":{"activation":{"kind":"relu"}}}]}],
        "loss":{"kind":{"cross_entropy":{"label_smoothing":0.1}}},
        "levels":[{"lint":"relu_on_logits","level":"allow"},{"lint":"missing_nonlinearity","level":"allow"}]}"#;
    Spec::fill(description, &[]).expect("a good description")
}

#[test]
fn a_class_for_each_pixel() {
    let (fixture, spec) = (fixture(), maps());
    let maps = fixture
        .tensor::<4>("maps", &device().autodiff())
        .require_grad();
    let target = Target::Classes(fixture.classes("pixels", &device()));
    let value = loss::of(&spec, __private::rows(&spec, maps.clone()), &target);
    fixture.assert("pixels.value", value.clone());
    let gradient = maps.grad(&value.backward()).expect("a gradient");
    fixture.assert("pixels.gradient", gradient);

    let maps = fixture.tensor::<4>("maps", &device());
    fixture.assert(
        "pixels.predicted",
        loss::output_activation(&spec, maps.clone()),
    );
    let classes = loss::classes::<4, 3>(&spec, maps.clone());
    assert_eq!(classes.dims(), [2, 2, 4]);
    let same = classes.unsqueeze_dim::<4>(1).equal(maps.argmax(1));
    assert!(same.all().into_scalar::<bool>());
}

#[test]
fn averages_of_weights() {
    let fixture = fixture();
    for (name, mut average) in [
        ("ema", Average::exponential(0.25)),
        ("mean", Average::mean()),
    ] {
        for step in 0..5 {
            average.update(&Linear {
                weight: Param::from_tensor(
                    fixture.tensor(&format!("step{step}.weight"), &device()),
                ),
                bias: Some(Param::from_tensor(
                    fixture.tensor(&format!("step{step}.bias"), &device()),
                )),
            });
        }
        let model = average.model().expect("five updates");
        fixture.assert(&format!("{name}.weight"), model.weight.val());
        let bias = model.bias.as_ref().expect("it has one");
        fixture.assert(&format!("{name}.bias"), bias.val());
    }
}
