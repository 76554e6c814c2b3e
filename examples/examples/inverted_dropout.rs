//! What dropout does, and when: `cargo run --release --example inverted_dropout`.
//!
//! The second experiment of the article "Dropout & Regularization in Neural Networks". `DAMPER_SHORT=1` changes nothing:
//! it takes no time.

use damper::burn::tensor::Distribution;
use damper::prelude::*;
use damper_examples::table::Table;
use std::error::Error;

model! {
    /// Nothing but dropout.
    #[allow(dropout_on_input, reason = "to look at dropout alone")]
    pub Mask<rate: f64 = 0.5>

    input ones: [10_000]

    layers {
        mask: dropout(rate);
    }
}

model! {
    /// The article's classifier: dropout after the activations, none after the last layer.
    pub Classifier<rate: f64 = 0.5>

    input features: [20]

    layers {
        fc1:  linear(64) -> relu  with dropout(rate) after relu;
        fc2:  linear(32) -> relu  with dropout(rate) after relu;
        head: linear(5);
    }

    loss cross_entropy
}

fn main() -> Result<(), Box<dyn Error>> {
    let device = damper::device()?;
    device.seed(7);
    let learning = device.clone().autodiff();

    println!(
        "10,000 ones through dropout(rate): survivors are scaled by 1 / (1 - rate), so the mean stays\n"
    );
    let mut table = Table::new(&[
        "rate", "", "not zero", "expected", "mean", "expected", "survivor",
    ]);
    for rate in [0.1, 0.3, 0.5, 0.8] {
        let model = MaskConfig::new().with_rate(rate).init(&learning)?;
        for (name, output) in [
            (
                "training",
                model.forward(Tensor::ones([1, 10_000], &learning)).inner(),
            ),
            (
                "inference",
                model.predict(Tensor::ones([1, 10_000], &device)),
            ),
        ] {
            let values: Vec<f32> = output.into_data().iter().collect();
            let kept = values.iter().filter(|x| **x != 0.0).count() as f64 / 1e4;
            let mean = values.iter().map(|x| f64::from(*x)).sum::<f64>() / 1e4;
            let survivor = values.iter().copied().fold(0.0, f32::max);
            // Four standard errors of a share of 10,000: chance passes them once in 16,000 times.
            let (share, error) = if name == "training" {
                (1.0 - rate, 4.0 * (rate * (1.0 - rate) / 1e4).sqrt())
            } else {
                (1.0, 0.0)
            };
            let error_of_mean = if name == "training" {
                error / (1.0 - rate)
            } else {
                0.0
            };
            table.row([
                rate.to_string(),
                name.to_owned(),
                format!("{kept:.4}"),
                format!("{share:.2} ± {error:.4}"),
                format!("{mean:.4}"),
                format!("1.00 ± {error_of_mean:.4}"),
                format!("{survivor:.3}"),
            ]);
        }
    }
    println!("{table}");

    println!("One sample through the article's classifier, its five class scores:\n");
    let model = ClassifierConfig::new().init(&learning)?;
    let sample = Tensor::<2>::random([1, 20], Distribution::Normal(0.0, 1.0), &device);
    let mut table = Table::new(&["", "class 0", "1", "2", "3", "4"]);
    let mut row = |name: &str, scores: Tensor<2>| {
        let scores: Vec<f32> = scores.into_data().iter().collect();
        let mut cells = scores.iter().map(|score| format!("{score:.3}"));
        let mut next = || cells.next().unwrap_or_default();
        table.row([name.to_owned(), next(), next(), next(), next(), next()]);
        scores
    };
    let first = row(
        "forward, on the training device",
        model.forward(sample.clone()).inner(),
    );
    let second = row("forward, once more", model.forward(sample.clone()).inner());
    let third = row("logits, of the same model", model.logits(sample.clone()));
    let fourth = row("logits, once more", model.logits(sample.clone()));
    let fifth = row(
        "logits, of the inference copy",
        model.valid().logits(sample.clone()),
    );
    let many = model.predict_mc(sample.clone(), 200);
    row("predict: probabilities", model.predict(sample));
    row("predict_mc: mean of 200 masks", many.mean);
    row("predict_mc: deviation", many.std);
    println!("{table}");
    println!(
        "training passes differ: {}; inference passes are equal: {}",
        first != second,
        third == fourth && third == fifth
    );
    println!(
        "The sample was made on the plain device, and was not skipped; `logits`, `predict` and `classify` never drop,"
    );
    println!("whatever the device: there is no `eval()` to forget.");
    Ok(())
}
