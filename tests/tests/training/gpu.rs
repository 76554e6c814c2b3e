//! Training on wgpu goes through burn's own strategy, whose second thread reads the figures.

use super::{Net, NetConfig, noise, quadrants};
use damper::data::Data;
use damper::device::named;
use damper::{Progress, StopReason, TrainError, Training};

fn training(config: NetConfig) -> Training<Net> {
    Training::new(config)
        .device(named("wgpu").unwrap())
        .progress(Progress::Silent)
}

#[test]
fn it_learns_stops_early_and_keeps_the_best_weights() {
    let (train, valid) = (quadrants(64, 1), quadrants(64, 2));
    let run = training(NetConfig::new())
        .epochs(12)
        .learning_rate(0.03)
        .early_stop(3)
        .fit(&train, &valid)
        .unwrap();
    let epochs = &run.history().epochs;
    let lowest = epochs
        .iter()
        .min_by(|a, b| a.valid.loss.total_cmp(&b.valid.loss))
        .unwrap();
    assert_eq!(run.history().best, Some(lowest.epoch));
    assert!(lowest.valid.loss < epochs[0].valid.loss);
    assert!(matches!(
        run.stop_reason(),
        StopReason::Early { .. } | StopReason::Finished
    ));
    // The model that came back is the best epoch's: measured again it has that loss.
    let again = run.valid_measures().loss;
    assert!((again - lowest.valid.loss).abs() < 1e-3, "{again}");
}

#[test]
fn a_loss_that_is_not_finite_names_the_layer() {
    let far: Vec<f32> = noise(4 * 32, 1).iter().map(|x| x * 1e17).collect();
    let data = Data::new((far, 4), vec![0_usize, 1].repeat(16)).unwrap();
    let valid = Data::new((noise(4 * 32, 3), 4), vec![0_usize, 1].repeat(16)).unwrap();
    let error = training(NetConfig::new().with_hidden(256))
        .learning_rate(1e25)
        .batch(16)
        .fit(&data, &valid)
        .unwrap_err();
    assert!(
        matches!(&error, TrainError::NonFinite { epoch: 1, batch: Some(2), layer: Some(layer), .. } if layer == "fc1"),
        "{error}"
    );
}
