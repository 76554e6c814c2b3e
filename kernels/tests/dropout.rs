//! What is dropped is random, and the same however the work is cut.

use damper_kernels::dropout::{self, Rate, Source, WORD, Word};

const NUMBERS: usize = 1 << 20;
const SOURCE: Source = Source {
    seed: 7,
    step: 11,
    layer: 3,
};

fn mask(source: Source, rate: Rate) -> Vec<Word> {
    let input = vec![1.0; NUMBERS];
    let (mut output, mut mask) = (vec![0.0; NUMBERS], vec![[0; 8]; dropout::words(NUMBERS)]);
    dropout::forward(source, rate, rate.into(), 0, &input, &mut output, &mut mask).unwrap();
    mask
}

/// 1 for what is kept, 0 for what is dropped.
fn kept(source: Source, probability: f32) -> Vec<f64> {
    let mask = mask(source, Rate::new(probability));
    (0..NUMBERS)
        .map(|index| f64::from(u8::from(dropout::keeps(&mask, index).unwrap())))
        .collect()
}

#[test]
fn kept_numbers_are_scaled_and_the_gradient_takes_the_same_places() {
    // Not a whole number of words.
    for numbers in [0, 1, 63, 64, 65, 1000] {
        let rate = Rate::new(0.4);
        let input: Vec<f32> = (0..numbers).map(|index| index as f32 + 1.0).collect();
        let (mut output, mut into) = (vec![f32::NAN; numbers], vec![f32::NAN; numbers]);
        let mut mask = vec![[0; 8]; dropout::words(numbers)];
        dropout::forward(SOURCE, rate, rate.into(), 0, &input, &mut output, &mut mask).unwrap();
        dropout::backward(rate.scale(), &mask, &input, &mut into).unwrap();
        for (index, &number) in input.iter().enumerate() {
            let expected = if dropout::keeps(&mask, index).unwrap() {
                number * rate.scale()
            } else {
                0.0
            };
            assert_eq!((output[index], into[index]), (expected, expected));
        }
    }
}

#[test]
fn pieces_give_the_bits_of_the_whole() {
    let rate = Rate::new(0.3);
    let whole = mask(SOURCE, rate);
    // Within the words that are drawn together, and between them.
    for cut in [1, 2, 8, 77, 5000] {
        let (input, mut output) = (
            vec![1.0; NUMBERS - cut * WORD],
            vec![0.0; NUMBERS - cut * WORD],
        );
        let mut piece = vec![[0; 8]; whole.len() - cut];
        dropout::forward(
            SOURCE,
            rate,
            rate.into(),
            cut as u64,
            &input,
            &mut output,
            &mut piece,
        )
        .unwrap();
        assert_eq!(piece, whole[cut..]);
    }
}

#[test]
fn no_rate_keeps_all_and_rate_one_drops_all() {
    assert!(kept(SOURCE, 0.0).iter().all(|&kept| kept > 0.0));
    assert!(kept(SOURCE, 1.0).iter().all(|&kept| kept < 1.0));
    assert_eq!(Rate::new(f32::NAN), Rate::new(0.0));
    assert_eq!(
        (Rate::new(0.5).probability(), Rate::new(0.5).scale()),
        (0.5, 2.0)
    );
}

/// Five standard deviations: wrong once in two million seeds.
#[test]
fn the_rate_is_kept() {
    for probability in [1.0 / 65536.0, 0.001, 0.1, 0.25, 0.3, 0.5, 0.75, 0.9] {
        let exact = f64::from(Rate::new(probability).probability());
        assert!((exact - f64::from(probability)).abs() <= 0.5 / 65536.0 + 1e-9);
        let dropped = NUMBERS as f64 - kept(SOURCE, probability).iter().sum::<f64>();
        let deviation = (NUMBERS as f64 * exact * (1.0 - exact)).sqrt();
        assert!(
            (dropped - NUMBERS as f64 * exact).abs() < 5.0 * deviation,
            "{probability}: {dropped}"
        );
    }
}

/// In units of its standard deviation, which is 1 over the root of the count for independent bits.
fn correlation(left: &[f64], right: &[f64], kept: f64) -> f64 {
    let products: f64 = left
        .iter()
        .zip(right)
        .map(|(left, right)| (left - kept) * (right - kept))
        .sum();
    products / (kept * (1.0 - kept)) / (left.len() as f64).sqrt()
}

#[test]
fn layers_steps_seeds_and_places_are_independent() {
    let others = [
        Source { seed: 8, ..SOURCE },
        Source {
            seed: SOURCE.seed + (1 << 32),
            ..SOURCE
        },
        Source { step: 12, ..SOURCE },
        Source { layer: 4, ..SOURCE },
        Source {
            step: SOURCE.layer,
            layer: SOURCE.step,
            ..SOURCE
        },
    ];
    // One bit of the generator for each number, two, and all sixteen.
    for rate in [0.5, 0.25, 0.3].map(Rate::new) {
        let (probability, keep) = (rate.probability(), 1.0 - f64::from(rate.probability()));
        let bits = kept(SOURCE, probability);
        for other in others {
            let score = correlation(&bits, &kept(other, probability), keep);
            assert!(score.abs() < 5.0, "{rate:?}, {other:?}: {score}");
        }
        // Bits and bytes of a word, words, and what is drawn together.
        for distance in [1, 2, 7, 8, 9, 16, 32, 56, 64, 128, 512, 1024, 4096] {
            let score = correlation(&bits[distance..], &bits[..NUMBERS - distance], keep);
            assert!(score.abs() < 5.0, "{rate:?}, {distance}: {score}");
        }
    }
}

/// Bytes of the mask at rate 1/2 take all 256 values equally often: a chi-square with 255 degrees of freedom.
#[test]
fn bytes_are_uniform_in_every_lane() {
    let mask = mask(SOURCE, Rate::new(0.5));
    for lane in 0..8 {
        let mut counts = [0_u32; 256];
        for word in &mask {
            counts[usize::from(word[lane])] += 1;
        }
        let expected = mask.len() as f64 / 256.0;
        let square: f64 = counts
            .iter()
            .map(|&count| (f64::from(count) - expected).powi(2) / expected)
            .sum();
        assert!(
            (square - 255.0).abs() < 5.0 * (2.0_f64 * 255.0).sqrt(),
            "{lane}: {square}"
        );
    }
}

/// Runs of kept or dropped numbers are as many as independent ones have (Wald & Wolfowitz 1940).
#[test]
fn runs_are_as_many_as_they_should_be() {
    for rate in [0.5, 0.3, 0.1] {
        runs_are_as_many_as_chance_makes(&kept(SOURCE, rate));
    }
}

fn runs_are_as_many_as_chance_makes(bits: &[f64]) {
    let kept: f64 = bits.iter().sum();
    let (all, dropped) = (NUMBERS as f64, NUMBERS as f64 - kept);
    let runs = 1.0
        + bits
            .windows(2)
            .filter(|pair| (pair[0] > 0.5) != (pair[1] > 0.5))
            .count() as f64;
    let mean = 2.0 * kept * dropped / all + 1.0;
    let deviation = ((mean - 1.0) * (mean - 2.0) / (all - 1.0)).sqrt();
    assert!(
        (runs - mean).abs() < 5.0 * deviation,
        "{runs} runs, {mean} expected"
    );
}

#[test]
fn lengths_that_do_not_fit_are_errors() {
    let error = dropout::backward(2.0, &[], &[1.0], &mut [0.0]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`mask` has length 0, but length 1 is needed"
    );
}
