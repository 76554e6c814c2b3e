//! Normalization against the same formulas in `f64`, and gradients against differences.

use damper_kernels::norm;

const EPSILON: f32 = 1e-3;

/// Between -1 and 1, other ones for each seed.
fn numbers(count: usize, seed: usize) -> Vec<f32> {
    (0..count)
        .map(|index| ((index + 1) * (seed + 3) * 7919 % 2003) as f32 / 1001.0 - 1.0)
        .collect()
}

fn exactly(values: &[f32]) -> Vec<f64> {
    values.iter().map(|x| f64::from(*x)).collect()
}

fn close(found: &[f32], exact: &[f64], bound: f64) {
    assert_eq!(found.len(), exact.len());
    for (index, (found, exact)) in found.iter().zip(exact).enumerate() {
        let error = (f64::from(*found) - exact).abs();
        assert!(
            error <= bound * exact.abs().max(1.0),
            "{index}: {found}, exactly {exact}"
        );
    }
}

/// Mean and variance, divided by the count.
fn moments(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
    (mean, squares / count)
}

/// Numbers that are normalized together, in two parts: the places in memory, and to which gamma and beta each belongs.
type Group = Vec<(usize, usize)>;

/// Each row is a group, each of its columns has its gamma.
fn layer_groups(rows: usize, width: usize) -> Vec<Group> {
    (0..rows)
        .map(|row| {
            (0..width)
                .map(|column| (row * width + column, column))
                .collect()
        })
        .collect()
}

/// Each channel is a group with one gamma.
fn batch_groups(items: usize, channels: usize, positions: usize) -> Vec<Group> {
    let of_channel = |channel: usize| -> Group {
        (0..items * positions)
            .map(|index| {
                let (item, position) = (index / positions, index % positions);
                ((item * channels + channel) * positions + position, channel)
            })
            .collect()
    };
    (0..channels).map(of_channel).collect()
}

/// What comes out.
fn forward(groups: &[Group], input: &[f64], gamma: &[f64], beta: &[f64]) -> Vec<f64> {
    let mut output = vec![f64::NAN; input.len()];
    for group in groups {
        let values: Vec<f64> = group.iter().map(|(place, _)| input[*place]).collect();
        let (mean, variance) = moments(&values);
        for (place, affine) in group {
            let normal = (input[*place] - mean) / (variance + f64::from(EPSILON)).sqrt();
            output[*place] = normal * gamma[*affine] + beta[*affine];
        }
    }
    output
}

/// The derivative of `Σ gradient output` by one number, by differences.
fn slope(gradient: &[f64], output: impl Fn(f64) -> Vec<f64>) -> f64 {
    let at = |step: f64| -> f64 {
        let output = output(step);
        output.iter().zip(gradient).map(|(y, g)| y * g).sum()
    };
    (at(1e-4) - at(-1e-4)) / 2e-4
}

/// The gradients of input, gamma and beta.
struct Gradients {
    input: Vec<f32>,
    gamma: Vec<f32>,
    beta: Vec<f32>,
}

/// Compares gradients with differences, at some of the places.
fn compare(groups: &[Group], [input, gamma, beta, gradient]: [&[f32]; 4], found: &Gradients) {
    let [input, gamma, beta, gradient] = [input, gamma, beta, gradient].map(exactly);
    let moved = |values: &[f64], place: usize, step: f64| {
        let mut moved = values.to_vec();
        moved[place] += step;
        moved
    };
    let near = |name: &str, place: usize, found: f32, exact: f64| {
        let error = (f64::from(found) - exact).abs();
        assert!(
            error <= 1e-5 * exact.abs().max(1.0),
            "{name} {place}: {found}, exactly {exact}"
        );
    };
    for place in (0..input.len()).step_by(input.len() / 11 + 1) {
        let exact = slope(&gradient, |step| {
            forward(groups, &moved(&input, place, step), &gamma, &beta)
        });
        near("input", place, found.input[place], exact);
    }
    for place in (0..gamma.len()).step_by(gamma.len() / 5 + 1) {
        let exact = slope(&gradient, |step| {
            forward(groups, &input, &moved(&gamma, place, step), &beta)
        });
        near("gamma", place, found.gamma[place], exact);
        let exact = slope(&gradient, |step| {
            forward(groups, &input, &gamma, &moved(&beta, place, step))
        });
        near("beta", place, found.beta[place], exact);
    }
}

#[test]
fn rows_are_normalized() {
    for (rows, width) in [(5, 1), (4, 7), (3, 16), (9, 50), (2, 1000), (1, 2500)] {
        let (input, gamma, beta) = (
            numbers(rows * width, 1),
            numbers(width, 2),
            numbers(width, 3),
        );
        let none = vec![0.0; width];
        for (given, used) in [(Some(&beta[..]), &beta), (None, &none)] {
            let mut output = vec![f32::NAN; input.len()];
            let (mut mean, mut inverse) = (vec![f32::NAN; rows], vec![f32::NAN; rows]);
            norm::layer_norm(
                &input,
                width,
                &gamma,
                given,
                EPSILON,
                &mut output,
                &mut mean,
                &mut inverse,
            )
            .unwrap();
            let groups = layer_groups(rows, width);
            let exact = forward(&groups, &exactly(&input), &exactly(&gamma), &exactly(used));
            close(&output, &exact, 1e-6);
            for (row, input) in input.chunks(width).enumerate() {
                let (exact, variance) = moments(&exactly(input));
                close(&mean[row..=row], &[exact], 1e-7);
                let exact = 1.0 / (variance + f64::from(EPSILON)).sqrt();
                close(&inverse[row..=row], &[exact], 1e-6);
            }
        }
    }
}

#[test]
fn the_gradients_of_rows_are_the_derivatives() {
    for (rows, width) in [(4, 7), (3, 16), (9, 50), (2, 1000), (1, 2500)] {
        let (input, gradient) = (numbers(rows * width, 1), numbers(rows * width, 4));
        let (gamma, beta) = (numbers(width, 2), numbers(width, 3));
        let mut output = vec![f32::NAN; input.len()];
        let (mut mean, mut inverse) = (vec![f32::NAN; rows], vec![f32::NAN; rows]);
        norm::layer_norm(
            &input,
            width,
            &gamma,
            Some(&beta),
            EPSILON,
            &mut output,
            &mut mean,
            &mut inverse,
        )
        .unwrap();
        let mut found = Gradients {
            input: output,
            gamma: vec![0.0; width],
            beta: vec![0.0; width],
        };
        norm::layer_norm_backward(
            &input,
            width,
            &gamma,
            &mean,
            &inverse,
            &gradient,
            &mut found.input,
            &mut found.gamma,
            Some(&mut found.beta),
        )
        .unwrap();
        let arguments = [&input[..], &gamma, &beta, &gradient];
        compare(&layer_groups(rows, width), arguments, &found);
        // The gradients of a second piece are added.
        let before = found.gamma.clone();
        norm::layer_norm_backward(
            &input,
            width,
            &gamma,
            &mean,
            &inverse,
            &gradient,
            &mut found.input,
            &mut found.gamma,
            None,
        )
        .unwrap();
        let twice: Vec<f64> = before.iter().map(|x| 2.0 * f64::from(*x)).collect();
        close(&found.gamma, &twice, 1e-6);
    }
}

const BATCHES: [(usize, usize, usize); 6] = [
    (2, 3, 1),
    (40, 300, 1),
    (70, 16, 1),
    (4, 5, 9),
    (3, 2, 100),
    (2, 260, 4),
];

#[test]
fn channels_are_normalized() {
    for (items, channels, positions) in BATCHES {
        let input = numbers(items * channels * positions, 1);
        let (gamma, beta) = (numbers(channels, 2), numbers(channels, 3));
        let (mut mean, mut variance) = (vec![f32::NAN; channels], vec![f32::NAN; channels]);
        norm::batch_statistics(&input, channels, positions, &mut mean, &mut variance).unwrap();
        let groups = batch_groups(items, channels, positions);
        for (channel, group) in groups.iter().enumerate() {
            let values: Vec<f64> = group
                .iter()
                .map(|(place, _)| f64::from(input[*place]))
                .collect();
            let (exact, spread) = moments(&values);
            close(&mean[channel..=channel], &[exact], 1e-7);
            close(&variance[channel..=channel], &[spread], 1e-7);
        }
        let mut output = vec![f32::NAN; input.len()];
        norm::batch_norm(
            &input,
            channels,
            positions,
            &mean,
            &variance,
            EPSILON,
            &gamma,
            &beta,
            &mut output,
        )
        .unwrap();
        let exact = forward(&groups, &exactly(&input), &exactly(&gamma), &exactly(&beta));
        close(&output, &exact, 1e-6);
    }
}

#[test]
fn the_gradients_of_channels_are_the_derivatives() {
    for (items, channels, positions) in BATCHES {
        let count = items * channels * positions;
        let (input, gradient) = (numbers(count, 1), numbers(count, 4));
        let (gamma, beta) = (numbers(channels, 2), numbers(channels, 3));
        let (mut mean, mut variance) = (vec![f32::NAN; channels], vec![f32::NAN; channels]);
        norm::batch_statistics(&input, channels, positions, &mut mean, &mut variance).unwrap();
        let mut found = Gradients {
            input: vec![f32::NAN; count],
            gamma: vec![f32::NAN; channels],
            beta: vec![f32::NAN; channels],
        };
        norm::batch_norm_backward(
            &input,
            channels,
            positions,
            &mean,
            &variance,
            EPSILON,
            &gamma,
            &gradient,
            &mut found.input,
            &mut found.gamma,
            &mut found.beta,
        )
        .unwrap();
        let arguments = [&input[..], &gamma, &beta, &gradient];
        compare(&batch_groups(items, channels, positions), arguments, &found);
    }
}

/// A mean of ten thousand deviations: what `f32` keeps of the differences, the variance keeps.
#[test]
fn numbers_far_from_zero_lose_nothing() {
    let input: Vec<f32> = numbers(1024, 1).iter().map(|x| x + 10_000.0).collect();
    let (mean, variance) = moments(&exactly(&input));
    let (mut found, mut spread) = ([0.0], [0.0]);
    norm::batch_statistics(&input, 1, 1024, &mut found, &mut spread).unwrap();
    close(&found, &[mean], 1e-7);
    close(&spread, &[variance], 1e-7);
    let (mut output, mut inverse) = (vec![0.0; 1024], [0.0]);
    norm::layer_norm(
        &input,
        1024,
        &[1.0; 1024],
        None,
        EPSILON,
        &mut output,
        &mut found,
        &mut inverse,
    )
    .unwrap();
    let exact = 1.0 / (variance + f64::from(EPSILON)).sqrt();
    close(&inverse, &[exact], 1e-6);
}

#[test]
fn what_is_no_number_stays_in_its_row_and_channel() {
    let mut input = numbers(3 * 50, 1);
    input[70] = f32::NAN;
    let (mut output, mut mean, mut other) = (vec![0.0; 150], [0.0; 3], [0.0; 3]);
    let ones = [1.0; 50];
    norm::layer_norm(
        &input,
        50,
        &ones,
        None,
        EPSILON,
        &mut output,
        &mut mean,
        &mut other,
    )
    .unwrap();
    for (index, found) in output.iter().enumerate() {
        assert_eq!(found.is_nan(), index / 50 == 1, "{index}");
    }
    norm::batch_statistics(&input, 3, 50, &mut mean, &mut other).unwrap();
    assert_eq!(mean.map(f32::is_nan), [false, true, false]);
    assert_eq!(other.map(f32::is_nan), [false, true, false]);
}

#[test]
fn nothing_is_no_error() {
    norm::layer_norm(&[], 0, &[], None, EPSILON, &mut [], &mut [], &mut []).unwrap();
    norm::layer_norm(&[], 1, &[1.0], None, EPSILON, &mut [], &mut [], &mut []).unwrap();
    norm::batch_statistics(&[], 0, 4, &mut [], &mut []).unwrap();
    norm::batch_norm(&[], 0, 0, &[], &[], EPSILON, &[], &[], &mut []).unwrap();
}

#[test]
fn lengths_that_do_not_fit_are_errors() {
    let name = |result: Result<(), damper_kernels::LengthMismatch>| result.unwrap_err().name;
    let (two, four) = ([1.0; 2], [1.0; 4]);
    let (mut out, mut a, mut b) = (four, two, two);
    let mut layer = |input: &[f32], gamma: &[f32], beta: Option<&[f32]>| {
        name(norm::layer_norm(
            input, 2, gamma, beta, EPSILON, &mut out, &mut a, &mut b,
        ))
    };
    assert_eq!(layer(&[1.0; 5], &two, None), "input");
    assert_eq!(layer(&[1.0; 6], &two, None), "output");
    assert_eq!(layer(&four, &four, None), "gamma");
    assert_eq!(layer(&four, &two, Some(&four)), "beta");
    assert_eq!(
        name(norm::batch_statistics(&four, 2, 3, &mut a, &mut b)),
        "input"
    );
    assert_eq!(
        name(norm::batch_statistics(&four, 2, 1, &mut a, &mut out)),
        "variance"
    );
}
