//! The regularizers of feature maps, sequences and embeddings, by their statistics.

use crate::common::{device, numbers};
use damper::Pass;
use damper::burn::module::{Module, Param};
use damper::burn::nn::Embedding;
use damper::burn::tensor::{Device, Int, Tensor, TensorData};
use damper::layer::{DropBlock, EmbeddingDropout, SpatialDropout, VariationalDropout};

/// A training device with a seed of its own.
fn training(seed: u64) -> Device {
    let device = device().autodiff();
    device.seed(seed);
    device
}

/// How far a share of `count` independent draws may be from its probability: five standard deviations.
fn bound(rate: f64, count: usize) -> f64 {
    5.0 * (rate * (1.0 - rate) / count as f64).sqrt()
}

#[track_caller]
fn assert_share(share: f64, rate: f64, count: usize) {
    assert!(
        (share - rate).abs() < bound(rate, count),
        "{share}, wanted {rate}"
    );
}

/// Each group of numbers is 0 as a whole, or `scale` as a whole; gives which are 0. A rate is the nearest multiple of
/// 1/65536, and the scale exact for that.
#[track_caller]
fn dropped(groups: impl Iterator<Item = Vec<f32>>, scale: f32) -> Vec<bool> {
    groups
        .map(|group| {
            let first = group[0];
            assert!(group.iter().all(|number| *number == first), "{group:?}");
            assert!(first == 0.0 || (first - scale).abs() < 1e-5, "{first}");
            first == 0.0
        })
        .collect()
}

fn share(dropped: &[bool]) -> f64 {
    dropped.iter().filter(|dropped| **dropped).count() as f64 / dropped.len() as f64
}

#[test]
fn spatial_dropout_drops_whole_channels() {
    let ones = Tensor::<4>::ones([20, 40, 2, 3], &training(1));
    let output = numbers(SpatialDropout::new(0.25).forward(ones, &mut Pass::new()));
    let channels = dropped(output.chunks(6).map(<[f32]>::to_vec), 4.0 / 3.0);
    assert_share(share(&channels), 0.25, 800);
    // Samples differ.
    assert_ne!(channels[..40], channels[40..80]);
    let line = Tensor::<3>::ones([20, 40, 5], &training(2));
    let output = numbers(SpatialDropout::new(0.25).forward(line, &mut Pass::new()));
    let channels = dropped(output.chunks(5).map(<[f32]>::to_vec), 4.0 / 3.0);
    assert_share(share(&channels), 0.25, 800);
}

#[test]
fn variational_dropout_has_one_mask_for_all_steps() {
    let ones = Tensor::<3>::ones([20, 4, 40], &training(3));
    let output = numbers(VariationalDropout::new(0.3).forward(ones, &mut Pass::new()));
    let features = output.chunks(160).flat_map(|sample| {
        (0..40).map(|feature| (0..4).map(|step| sample[step * 40 + feature]).collect())
    });
    let features = dropped(features, 1.0 / 0.7);
    assert_share(share(&features), 0.3, 800);
    assert_ne!(features[..40], features[40..80]);
}

#[test]
fn embedding_dropout_drops_all_occurrences_of_a_class() {
    let device = training(4);
    let weight = Param::from_tensor(Tensor::ones([500, 3], &device));
    let layer = Embedding { weight };
    let tokens: Vec<i64> = (0..1000).map(|index| index % 500).collect();
    let tokens = Tensor::<2, Int>::from_data(TensorData::new(tokens, [2, 500]), &device);
    let output = numbers(EmbeddingDropout::new(0.2).forward(&layer, tokens, &mut Pass::new()));
    let classes = dropped(output.chunks(3).map(<[f32]>::to_vec), 1.25);
    assert_eq!(classes[..500], classes[500..], "both occurrences");
    assert_share(share(&classes[..500]), 0.2, 500);
}

#[test]
fn drop_block_drops_squares_and_keeps_the_sum() {
    let ones = Tensor::<4>::ones([16, 8, 12, 12], &training(5));
    let output = numbers(DropBlock::new(0.1, 3).forward(ones, &mut Pass::new()));
    let count = output.len();
    let zeros = output.iter().filter(|number| **number == 0.0).count();
    // Where seeds overlap a little less than the rate is dropped: 1 - (1 - gamma)^9 of the inner positions.
    let gamma = 0.1 * 144.0 / 9.0 / 100.0_f64;
    let inner = 1.0 - (1.0 - gamma).powi(9);
    let mut wanted = 0.0;
    for row in 0..12 {
        for column in 0..12 {
            let reach = |at: usize| (at.min(9) + 1 - at.saturating_sub(2)) as i32;
            wanted += 1.0 - (1.0 - gamma).powi(reach(row) * reach(column));
        }
    }
    let wanted = wanted / 144.0;
    assert!(inner < 0.15 && wanted > 0.08 && wanted < 0.1);
    // Nine numbers fall together.
    assert_share(zeros as f64 / count as f64, wanted, count / 9);
    let sum: f32 = output.iter().sum();
    assert!((f64::from(sum) / count as f64 - 1.0).abs() < 1e-4, "{sum}");
    // Every zero lies in a square of zeros.
    for map in output.chunks(144) {
        let zero = |row: usize, column: usize| map[row * 12 + column] == 0.0;
        let square = |top: usize, left: usize| {
            (top..top + 3).all(|row| (left..left + 3).all(|column| zero(row, column)))
        };
        for row in 0..12_usize {
            for column in 0..12_usize {
                let inside = (row.saturating_sub(2)..=row.min(9)).any(|top| {
                    (column.saturating_sub(2)..=column.min(9)).any(|left| square(top, left))
                });
                assert_eq!(zero(row, column), inside, "row {row}, column {column}");
            }
        }
    }
}

#[test]
fn drop_block_follows_its_schedule() {
    let layer = DropBlock::new(0.4, 2).starting_at(0.0);
    let zeros = |progress: f64, seed: u64| {
        let ones = Tensor::<3>::ones([8, 8, 64], &training(seed));
        let output = numbers(layer.forward(ones, &mut Pass::at(progress)));
        output.iter().filter(|number| **number == 0.0).count() as f64 / output.len() as f64
    };
    assert_eq!(zeros(0.0, 6), 0.0);
    let (half, whole) = (zeros(0.5, 7), zeros(1.0, 8));
    assert!((0.15..0.21).contains(&half), "{half}");
    assert!((0.3..0.41).contains(&whole), "{whole}");
}

/// A region wider than the map takes the whole of that axis, and nothing that is left may become infinite.
#[test]
fn drop_block_of_more_than_the_map() {
    let ones = Tensor::<4>::ones([4, 4, 2, 3], &training(9));
    let output = numbers(DropBlock::new(0.5, 7).forward(ones, &mut Pass::new()));
    assert!(output.iter().all(|number| number.is_finite()));
    let maps = dropped(
        output
            .chunks(6)
            .map(|map| map.iter().map(|n| f32::from(u8::from(*n != 0.0))).collect()),
        1.0,
    );
    assert!(maps.contains(&true) && maps.contains(&false), "{maps:?}");
}

#[test]
fn at_inference_they_give_their_input_back() {
    let device = device();
    let image = Tensor::<4>::ones([2, 3, 4, 4], &device);
    let sequence = Tensor::<3>::ones([2, 3, 4], &device);
    assert_eq!(
        numbers(SpatialDropout::new(0.9).forward(image.clone(), &mut Pass::new())),
        [1.0; 96]
    );
    assert_eq!(
        numbers(DropBlock::new(0.9, 2).forward(image, &mut Pass::new())),
        [1.0; 96]
    );
    assert_eq!(
        numbers(VariationalDropout::new(0.9).forward(sequence, &mut Pass::new())),
        [1.0; 24]
    );
    let layer = Embedding {
        weight: Param::from_tensor(Tensor::ones([5, 2], &device)),
    };
    let tokens = Tensor::<2, Int>::from_ints([[0, 4, 2]], &device);
    assert_eq!(
        numbers(EmbeddingDropout::new(0.9).forward(&layer, tokens, &mut Pass::new())),
        [1.0; 6]
    );
    // Frozen layers do not act either, also on a training device.
    let image = Tensor::<4>::ones([2, 3, 4, 4], &training(10));
    assert_eq!(
        numbers(
            SpatialDropout::new(0.9)
                .freeze()
                .forward(image, &mut Pass::new())
        ),
        [1.0; 96]
    );
}
