//! Where a declaration may stand, and who sees it.

use damper::model;

model! {
    /// Private to this module.
    Private
    input x: [4]
    layers {
        fc:   linear(8) -> relu;
        head: linear(2);
    }
    loss mse
}

mod inner {
    use damper::model;

    model! {
        /// Seen by the parent only.
        pub(super) First
        input x: [4]
        layers {
            fc:   linear(8) -> relu;
            head: linear(2);
        }
        loss mse
    }

    model! {
        /// Seen in this crate; without a loss, so that it can be a layer.
        pub(crate) Encoder<units: usize = 8>
        input x: [4]
        layers { fc: linear(units) -> relu; }
    }
}

mod reexported {
    pub use damper as nets;

    /// `damper` under the name of a re-export.
    mod user {
        super::nets::model! {
            pub(in crate::visibility) Net
            input x: [4]
            layers { head: linear(2); }
            loss mse
        }
        #[test]
        fn the_re_export_is_enough() {
            assert!(NetConfig::new().spec().is_ok());
        }
    }
}

model! {
    /// Another model as a layer, with one of its hyper-parameters set.
    pub(crate) Outer
    input x: [4]
    layers {
        encoder: inner::Encoder(units = 6);
        head:    linear(3);
    }
    loss cross_entropy
}

#[test]
fn models_are_found_where_they_are_visible() {
    assert!(PrivateConfig::new().spec().is_ok());
    assert!(inner::FirstConfig::new().spec().is_ok());

    let device = damper::device().expect("a device");
    let outer = OuterConfig::new()
        .init(&device)
        .expect("the defaults are checked");
    assert_eq!(outer.encoder.fc.weight.dims(), [4, 6]);
    assert_eq!(outer.head.weight.dims(), [6, 3]);
}

#[test]
fn a_model_may_stand_in_a_function() {
    model! {
        /// Known here only.
        Local
        input x: [4]
        layers { head: linear(2); }
        loss mse
    }
    assert!(LocalConfig::new().spec().is_ok());
}
