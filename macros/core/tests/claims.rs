//! The numbers in messages are true: each is worked out again, step by step.

mod common;

use common::understood;

/// The message of a lint in a training with these settings.
fn message(lint: &str, layer: &str, train: &str) -> String {
    let source = format!(
        "Net\ninput x: [16]\nlayers {{\nfc: linear(8) -> relu{layer};\nhead: linear(3);\n}}\nloss cross_entropy\ntrain {{ {train} }}"
    );
    let (reports, _) = understood(&source);
    let found = reports
        .iter()
        .find(|report| report.lint.as_deref() == Some(lint));
    found
        .unwrap_or_else(|| panic!("{lint} is silent in\n{source}\n{reports:#?}"))
        .message
        .clone()
}

/// The number that stands before a word.
fn before(text: &str, word: &str) -> f64 {
    let (left, _) = text
        .split_once(word)
        .unwrap_or_else(|| panic!("`{word}` in {text}"));
    let number = left.trim_end().rsplit(' ').next().unwrap_or_default();
    number
        .replace(',', "")
        .parse()
        .unwrap_or_else(|_| panic!("`{number}` in {text}"))
}

#[test]
fn a_decay_removes_what_is_said_and_half_of_it_in_so_many_steps() {
    for (layer, optimizer, shrink) in [
        (" with decay(l2 = 10.0)", "sgd(lr = 0.01)", 0.1),
        (" with decay(l2 = 3.0)", "adam(lr = 1e-3)", 3e-3),
        ("", "adamw(lr = 1e-2, weight_decay = 1.0)", 1e-2),
        // The gradient of `weight_decay` goes through the momentum, where ten steps add up.
        (
            "",
            "sgd(lr = 0.1, momentum = 0.9, weight_decay = 5e-3)",
            5e-3,
        ),
        // The gradient of the penalty is 2 * l2 * w.
        (" with penalty(l2 = 0.04)", "sgd(lr = 0.5)", 0.04),
    ] {
        let text = message(
            "weight_decay_out_of_range",
            layer,
            &format!("optimizer: {optimizer}"),
        );
        let share = before(&text, "% of every weight") / 100.0;
        assert!(
            (share / shrink - 1.0).abs() < 0.05,
            "{optimizer}: {share}, {shrink} in {text}"
        );
        let said = before(&text, "steps");
        let (mut weight, mut steps) = (1.0, 0.0);
        while weight > 0.5 {
            weight *= 1.0 - shrink;
            steps += 1.0;
        }
        assert!((said - steps).abs() <= 1.0, "{optimizer}: {said}, {steps}");
    }
}

#[test]
fn a_step_removes_what_momentum_makes_of_a_decay() {
    // Plain steps of `sgd` on the decay alone: after many of them, each one removes `lr * decay / (1 - momentum)`.
    let (rate, decay, momentum) = (0.1, 5e-3, 0.9);
    let (mut weight, mut velocity) = (1.0, 0.0);
    let mut share = 0.0;
    for _ in 0..200 {
        velocity = momentum * velocity + decay * weight;
        let next = weight - rate * velocity;
        share = 1.0 - next / weight;
        weight = next;
    }
    let text = message(
        "weight_decay_out_of_range",
        "",
        "optimizer: sgd(lr = 0.1, momentum = 0.9, weight_decay = 5e-3)",
    );
    let said = before(&text, "% of every weight") / 100.0;
    assert!((said / share - 1.0).abs() < 0.1, "{said}, {share}");
}

#[test]
fn a_soft_threshold_takes_what_is_said() {
    let text = message(
        "weight_decay_out_of_range",
        " with decay(l1 = 5.0)",
        "optimizer: sgd(lr = 0.1)",
    );
    assert!(
        (before(&text, "from every weight") - 0.5).abs() < 1e-9,
        "{text}"
    );
}

#[test]
fn a_rising_schedule_ends_where_it_is_said() {
    for (schedule, epochs, factor, every) in [
        ("exponential(1.5)", 10, 1.5, 1),
        ("step(10, factor = 10.0)", 50, 10.0, 10),
        ("exponential(2.0)", 4, 2.0, 1),
    ] {
        let text = message(
            "runaway_schedule",
            "",
            &format!("schedule: {schedule}, epochs: {epochs}"),
        );
        let mut rate = 1.0;
        for epoch in 1..epochs {
            if epoch % every == 0 {
                rate *= factor;
            }
        }
        assert!(
            (before(&text, "times") / rate - 1.0_f64).abs() < 0.02,
            "{text}: {rate}"
        );
    }
}

#[test]
fn a_rate_is_so_many_times_the_usual_one() {
    for (optimizer, times) in [
        ("adamw(lr = 3.0)", 3000.0),
        ("lion(lr = 0.01)", 100.0),
        ("sgd(lr = 50.0)", 500.0),
    ] {
        let text = message(
            "learning_rate_out_of_range",
            "",
            &format!("optimizer: {optimizer}"),
        );
        assert!((before(&text, "times") - times).abs() < 0.5, "{text}");
    }
    let text = message(
        "learning_rate_out_of_range",
        "",
        "optimizer: sgd(lr = 0.5, momentum = 0.99)",
    );
    // The sum of the shares that are kept: 1 + 0.99 + 0.99^2 + ..
    let steps: f64 = (0..5000).map(|n| 0.99_f64.powi(n)).sum();
    assert!(
        (before(&text, "steps add up") - steps).abs() < 1.0,
        "{text}"
    );
}
