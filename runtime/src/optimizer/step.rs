//! Taking a step of an optimizer: the clip by the global norm, and which parameter each step belongs to.

use super::FusedStep;
use super::clip::{clip_norm, norm_in_memory};
use burn::module::{Flag, Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Bool, Device, Int, Tensor};
use std::fmt;

impl FusedStep {
    /// Clips the gradients by their global norm, if a limit is given, and takes a step of the optimizer that this was
    /// built with.
    ///
    /// A fused step reads the gradients anyway, so it multiplies them by the factor of the clip. Else they are scaled
    /// before. The factor lives as long as the step: no step sees that of another.
    pub(crate) fn step<M: Module>(
        &self,
        optimizer: &mut ModuleOptimizer,
        learning_rate: ModuleLearningRate,
        module: M,
        gradients: GradientsParams,
        max_norm: Option<f64>,
    ) -> M {
        let (gradients, grad_scale) = match max_norm {
            Some(max) => self.clip(&module, gradients, max),
            None => (gradients, 1.0),
        };
        self.set_grad_scale(grad_scale);
        let tracked = Tracked {
            module: Box::new(module),
            step: self.clone(),
        };
        let tracked = optimizer.step(learning_rate, tracked, gradients);
        self.set_grad_scale(1.0);
        *tracked.module
    }

    /// The gradients, and the factor that the step must still apply. It is other than 1 for a fused step only.
    fn clip<M: Module>(
        &self,
        module: &M,
        gradients: GradientsParams,
        max: f64,
    ) -> (GradientsParams, f32) {
        let norm = self
            .is_fused()
            .then(|| norm_in_memory(module, &gradients))
            .flatten();
        match norm {
            Some(norm) => {
                let scale = max / (norm + 1e-6);
                // NaN stays: a norm that is no number reaches the weights, as in `clip_norm`.
                (gradients, if scale > 1.0 { 1.0 } else { scale as f32 })
            }
            None => (clip_norm(module, gradients, max), 1.0),
        }
    }
}

/// A module that tells the state of fused steps which parameter is being mapped. burn's optimizer takes its step by
/// mapping the module, so each step can know its parameter.
#[derive(Clone)]
struct Tracked<M> {
    /// Boxed: burn's optimizer passes it by value several times, and a model of many layers is large.
    module: Box<M>,
    step: FusedStep,
}

impl<M> Tracked<M> {
    fn change(self, change: impl FnOnce(M) -> M) -> Self {
        Self {
            module: Box::new(change(*self.module)),
            step: self.step,
        }
    }
}

impl<M: fmt::Debug> fmt::Debug for Tracked<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.module, f)
    }
}

impl<M: Module> Module for Tracked<M> {
    fn collect_devices(&self, devices: Vec<Device>) -> Vec<Device> {
        self.module.collect_devices(devices)
    }

    fn fork(self, device: &Device) -> Self {
        self.change(|module| module.fork(device))
    }

    fn to_device(self, device: &Device) -> Self {
        self.change(|module| module.to_device(device))
    }

    fn train(self) -> Self {
        self.change(M::train)
    }

    fn valid(&self) -> Self {
        Self {
            module: Box::new(self.module.valid()),
            step: self.step.clone(),
        }
    }

    fn materialize(self) -> Self {
        self.change(M::materialize)
    }

    fn visit<V: ModuleVisitor>(&self, visitor: &mut V) {
        self.module.visit(visitor);
    }

    fn map<Map: ModuleMapper>(self, mapper: &mut Map) -> Self {
        let step = self.step.clone();
        self.change(|module| {
            module.map(&mut Tracker {
                mapper,
                step: &step,
            })
        })
    }
}

/// Notes each parameter before another mapper maps it.
struct Tracker<'a, Map> {
    mapper: &'a mut Map,
    step: &'a FusedStep,
}

impl<Map: ModuleMapper> ModuleMapper for Tracker<'_, Map> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.mapper.enter_module(name, container);
    }

    fn exit_module(&mut self, name: &str, container: &str) {
        self.mapper.exit_module(name, container);
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        self.step.set_current(Some(param.id));
        let param = self.mapper.map_float(param);
        self.step.set_current(None);
        param
    }

    fn map_int<const D: usize>(&mut self, param: Param<Tensor<D, Int>>) -> Param<Tensor<D, Int>> {
        self.mapper.map_int(param)
    }

    fn map_bool<const D: usize>(
        &mut self,
        param: Param<Tensor<D, Bool>>,
    ) -> Param<Tensor<D, Bool>> {
        self.mapper.map_bool(param)
    }

    fn map_flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
        self.mapper.map_flag(flag)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ModelOptimizer, build_with};
    use super::*;
    use crate::Spec;
    use burn::nn::{Linear, LinearConfig};
    use burn::tensor::{Distribution, FloatDType, TensorData, Tolerance};
    use damper_ir::words::Unwritten;
    use damper_ir::{Id, Optimizer, OptimizerKind, Value};

    #[derive(Module, Debug)]
    struct Net {
        head: Linear,
    }

    const MAX_NORM: f64 = 0.5;

    fn net() -> Net {
        let device = Device::default().autodiff();
        device.seed(3);
        Net {
            head: LinearConfig::new(4, 2).init(&device),
        }
    }

    fn spec(kind: OptimizerKind, max_norm: Option<f64>) -> Spec {
        let json = r#"{"name":"Net","inputs":[{"name":"x","shape":[4]}],
            "layers":[{"name":"head","ops":[{"id":1,"field":"head","kind":{"linear":{"out":2,"bias":1}}}]}],
            "loss":{"kind":{"cross_entropy":{"label_smoothing":null}}},"train":{}}"#;
        let spec = Spec::fill(json, &[]).expect("a good description");
        let mut model = spec.model().clone();
        if let Some(train) = &mut model.train {
            train.optimizer = Some(Optimizer {
                id: Id::NONE,
                kind,
                learning_rate: Value::known(0.01),
                weight_decay: None,
            });
            train.clip_norm = max_norm.map(Value::known);
        }
        Spec::check(model).expect("a good description")
    }

    /// Every optimizer of the language, with momentum where it has one.
    fn all() -> Vec<OptimizerKind> {
        let words = damper_ir::train::optimizer::WORDS.iter();
        let defaults = words.filter_map(|word| OptimizerKind::read(&Unwritten(word)));
        defaults
            .map(|kind| kind.clone().with("epsilon", 1e-3).unwrap_or(kind))
            .map(|kind| kind.clone().with("momentum", 0.5).unwrap_or(kind))
            .collect()
    }

    /// Gradients of random numbers of this size, of the type of the weights.
    fn gradients(net: &Net, size: f64) -> GradientsParams {
        struct Random {
            size: f64,
            grads: GradientsParams,
        }
        impl ModuleVisitor for Random {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                let weights = param.val().inner();
                let grad = weights.random_like(Distribution::Normal(0.0, self.size));
                self.grads.register(param.id, grad);
            }
        }
        let mut random = Random {
            size,
            grads: GradientsParams::new(),
        };
        net.visit(&mut random);
        random.grads
    }

    /// The same gradients again.
    fn copy(net: &Net, grads: &GradientsParams) -> GradientsParams {
        struct Copy<'a>(&'a GradientsParams, GradientsParams);
        impl ModuleVisitor for Copy<'_> {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                if let Some(grad) = self.0.get::<D>(param.id) {
                    self.1.register(param.id, grad);
                }
            }
        }
        let mut copy = Copy(grads, GradientsParams::new());
        net.visit(&mut copy);
        copy.1
    }

    fn close(a: &Net, b: &Net, what: &str) {
        struct Numbers(Vec<f32>);
        impl ModuleVisitor for Numbers {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                let numbers = param.val().into_data().convert::<f32>();
                self.0.extend(numbers.iter::<f32>());
            }
        }
        let [a, b] = [a, b].map(|net| {
            let mut numbers = Numbers(Vec::new());
            net.visit(&mut numbers);
            let count = numbers.0.len();
            TensorData::new(numbers.0, [count])
        });
        println!("{what}");
        a.assert_approx_eq::<f32>(&b, Tolerance::rel_abs(1e-5, 1e-6));
    }

    /// `clip(norm)` is applied once, whoever multiplies by the factor.
    #[test]
    fn every_optimizer_applies_the_clip() {
        assert!(all().len() > 5);
        for kind in all() {
            let mut clipping = ModelOptimizer::new(&spec(kind.clone(), Some(MAX_NORM)));
            let mut plain = ModelOptimizer::new(&spec(kind.clone(), None));
            let mut a = net();
            let mut b = a.clone();
            for size in [1.0, 0.01, 3.0, 0.001, 1.0] {
                let grads = gradients(&a, size);
                let same = copy(&a, &grads);
                a = clipping.step(0.01, a, grads);
                let same = clip_norm(&b, same, MAX_NORM);
                b = plain.step(0.01, b, same);
                close(&a, &b, &format!("{kind:?}"));
            }
        }
    }

    /// The factor of one step is not there in the next, however that one is clipped.
    #[test]
    fn a_factor_is_applied_once() {
        let kind = OptimizerKind::sgd();
        let (mut optimizer, step) = build_with(&spec(kind.clone(), Some(MAX_NORM)), "");
        let (mut plain, unclipped) = build_with(&spec(kind, None), "");
        assert_eq!(step.is_fused(), cfg!(feature = "flex"));
        let mut a = net();
        let mut b = a.clone();
        // The norm of `f64` is not known at once, so those gradients are scaled before the step.
        for (dtype, max_norm) in [
            (FloatDType::F32, Some(MAX_NORM)),
            (FloatDType::F64, Some(MAX_NORM)),
            (FloatDType::F32, Some(MAX_NORM)),
            (FloatDType::F32, None),
            (FloatDType::F64, None),
        ] {
            a = cast(a, dtype);
            b = cast(b, dtype);
            let grads = gradients(&a, 1.0);
            let same = copy(&a, &grads);
            let same = match max_norm {
                Some(max) => clip_norm(&b, same, max),
                None => same,
            };
            a = step.step(&mut optimizer, 0.1.into(), a, grads, max_norm);
            b = unclipped.step(&mut plain, 0.1.into(), b, same, None);
            close(&a, &b, &format!("{dtype:?} {max_norm:?}"));
        }
    }

    fn cast(net: Net, dtype: FloatDType) -> Net {
        struct Cast(FloatDType);
        impl ModuleMapper for Cast {
            fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
                param.map(|weights| Tensor::from_inner(weights.inner().cast(self.0)).require_grad())
            }
        }
        net.map(&mut Cast(dtype))
    }
}
