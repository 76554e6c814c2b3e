//! How training images are varied.

use damper::Augment;
use damper::burn::tensor::{Device, Tensor};
use std::collections::HashMap;

const SIDE: usize = 9;

/// Images whose one bright pixel stands in the middle of the left half.
fn dots(count: usize) -> Tensor<4> {
    let mut image = vec![0.0_f32; SIDE * SIDE];
    image[4 * SIDE + 3] = 1.0;
    let images = image.repeat(count);
    Tensor::<1>::from_floats(images.as_slice(), &Device::flex()).reshape([count, 1, SIDE, SIDE])
}

fn pictures(images: Tensor<4>) -> Vec<Vec<f32>> {
    let numbers: Vec<f32> = images.into_data().iter().collect();
    numbers.chunks(SIDE * SIDE).map(<[f32]>::to_vec).collect()
}

/// How often the bright pixel stands where.
fn places(images: Tensor<4>) -> HashMap<(usize, usize), usize> {
    let mut places = HashMap::new();
    for picture in pictures(images) {
        let at = picture
            .iter()
            .position(|x| *x == 1.0)
            .expect("it is still there");
        *places.entry((at / SIDE, at % SIDE)).or_default() += 1;
    }
    places
}

#[test]
fn a_shift_is_uniform_up_to_its_distance() {
    let places = places(Augment::new().shift(2).apply(dots(5000), 1).unwrap());
    assert_eq!(places.len(), 25);
    for ((y, x), count) in places {
        assert!(y.abs_diff(4) <= 2 && x.abs_diff(3) <= 2);
        // 200 expected, standard deviation 14.
        assert!((130..=270).contains(&count), "{count} at {y}, {x}");
    }
}

#[test]
fn a_shift_brings_zeros_in_and_a_crop_the_border() {
    let ones = || Tensor::<4>::ones([200, 3, SIDE, SIDE], &Device::flex());
    let least = |images: Tensor<4>| images.min().into_scalar::<f32>();
    assert_eq!(
        least(Augment::new().shift(2).apply(ones(), 1).unwrap()),
        0.0
    );
    assert_eq!(least(Augment::new().crop(2).apply(ones(), 1).unwrap()), 1.0);
    let places = places(Augment::new().crop(1).apply(dots(900), 1).unwrap());
    assert_eq!(places.len(), 9);
}

#[test]
fn one_image_in_two_is_mirrored() {
    let places = places(Augment::new().flip(true).apply(dots(2000), 1).unwrap());
    assert_eq!(places.len(), 2);
    let mirrored = places[&(4, 5)];
    // Standard deviation 22.
    assert!((910..=1090).contains(&mirrored), "{mirrored}");
}

#[test]
fn a_rectangle_of_some_images_is_erased() {
    let ones = Tensor::<4>::ones([2000, 1, SIDE, SIDE], &Device::flex());
    let pictures = pictures(Augment::new().erase(0.25).apply(ones, 1).unwrap());
    let mut erased = 0;
    for picture in pictures {
        let zeros: Vec<usize> = (0..picture.len())
            .filter(|at| picture[*at] == 0.0)
            .collect();
        if let (Some(first), Some(last)) = (zeros.first(), zeros.last()) {
            erased += 1;
            let (height, width) = (
                last / SIDE - first / SIDE + 1,
                last % SIDE - first % SIDE + 1,
            );
            assert_eq!(zeros.len(), height * width, "it is a rectangle");
            assert!(zeros.len() * 2 <= picture.len());
        }
    }
    // Standard deviation 19.
    assert!((420..=580).contains(&erased), "{erased}");
}

#[test]
fn channels_move_together() {
    let noise: Vec<f32> = super::noise(3 * SIDE * SIDE, 5);
    let images = Tensor::<1>::from_floats(noise.as_slice(), &Device::flex());
    let one = images
        .clone()
        .narrow(0, 0, SIDE * SIDE)
        .reshape([1, 1, SIDE, SIDE]);
    let all = Augment::new().shift(2).flip(true).erase(0.5).crop(1);
    let three = all.apply(images.reshape([1, 3, SIDE, SIDE]), 3).unwrap();
    let first = three.slice([0..1, 0..1]);
    assert_eq!(pictures(first), pictures(all.apply(one, 3).unwrap()));
}

#[test]
fn the_same_seed_gives_the_same_images() {
    let all = Augment::new().shift(2).flip(true).crop(1).erase(0.5);
    let give = |seed| pictures(all.apply(dots(20), seed).unwrap());
    assert_eq!(give(1), give(1));
    assert_ne!(give(1), give(2));
    assert_eq!(
        pictures(Augment::new().apply(dots(3), 1).unwrap()),
        pictures(dots(3))
    );
}
