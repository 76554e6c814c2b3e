//! A network written by hand, as `model!` would write it, so that training is tested apart from the macro.

use damper::__private::{Builder, Filling};
use damper::burn;
use damper::burn::config::Config;
use damper::burn::module::Module;
use damper::burn::nn::Linear;
use damper::burn::tensor::{Device, Tensor, activation::relu};
use damper::layer::{BatchNorm, Dropout};
use damper::{Inputs, Network, NetworkConfig, Pass, Spec, SpecError, Target};
use damper_ir::op;
use damper_ir::{LossKind, OpKind};

/// `fc1: linear(hidden) -> batch_norm -> relu -> dropout(rate); head: linear(outputs)`.
#[derive(Module, Debug)]
pub struct Net {
    pub fc1: Linear,
    pub fc1_batch_norm: Option<BatchNorm>,
    pub fc1_dropout: Option<Dropout>,
    pub head: Linear,
    #[module(skip)]
    spec: Spec,
}

#[derive(Config, Debug)]
pub struct NetConfig {
    #[config(default = 16)]
    pub hidden: usize,
    #[config(default = 0.0)]
    pub rate: f64,
    #[config(default = 2)]
    pub outputs: usize,
    #[config(default = false)]
    pub norm: bool,
    #[config(default = 0.0)]
    pub activity: f64,
    /// What acts on the weights of `fc1`.
    #[config(default = "String::new()")]
    pub rules: String,
    #[config(default = "String::from(r#\"{\"cross_entropy\":{\"label_smoothing\":null}}\"#)")]
    pub loss: String,
    #[config(default = "String::from(SGD)")]
    pub optimizer: String,
}

pub const SGD: &str =
    r#"{"kind":{"sgd":{"momentum":0,"dampening":0,"nesterov":0}},"learning_rate":0.1}"#;
pub const MSE: &str = r#""mse""#;

impl Default for NetConfig {
    fn default() -> Self {
        Self::new()
    }
}

impl NetworkConfig for NetConfig {
    type Network = Net;

    fn spec(&self) -> Result<Spec, SpecError> {
        let Self {
            norm,
            rules,
            loss,
            optimizer,
            ..
        } = self;
        let norm = if *norm {
            r#"{"id":2,"field":"fc1_batch_norm","kind":{"batch_norm":{"epsilon":1e-5,"momentum":0.1}}},"#
        } else {
            ""
        };
        let bias = usize::from(norm.is_empty());
        let dropout = if self.rate > 0.0 {
            r#",{"id":4,"field":"fc1_dropout","kind":{"stochastic":{"dropout":{"rate":{"$":1}}}}}"#
        } else {
            ""
        };
        let activity = if self.activity > 0.0 {
            r#",{"id":5,"kind":{"activity":{"l1":{"$":3},"l2":0}}}"#
        } else {
            ""
        };
        let description = format!(
            r#"{{"name":"Net","inputs":[{{"name":"x","shape":[4]}}],"layers":[
                {{"name":"fc1","ops":[
                    {{"id":1,"field":"fc1","kind":{{"linear":{{"out":{{"$":0}},"bias":{bias}}}}},"rules":[{rules}]}},
                    {norm}
                    {{"id":3,"kind":{{"activation":{{"kind":"relu"}}}}}}{activity}{dropout}]}},
                {{"name":"head","ops":[{{"id":6,"field":"head","kind":{{"linear":{{"out":{{"$":2}},"bias":1}}}}}}]}}],
              "loss":{{"kind":{loss}}},
              "train":{{"optimizer":{optimizer},"epochs":3,"batch":16,"seed":7}},
              "levels":[{{"lint":"dropout_with_batch_norm","level":"allow"}}]}}"#
        );
        let values: [Filling; 4] = [
            Filling::size(self.hidden),
            Filling::float(self.rate),
            Filling::size(self.outputs),
            Filling::float(self.activity),
        ];
        Spec::fill(&description, &values)
    }

    fn init(&self, device: &Device) -> Result<Net, SpecError> {
        let spec = self.spec()?;
        let build = Builder::new(&spec, device);
        let net = Net {
            fc1: build.layer("fc1")?,
            fc1_batch_norm: if self.norm {
                Some(build.layer("fc1_batch_norm")?)
            } else {
                None
            },
            fc1_dropout: if self.rate > 0.0 {
                Some(build.layer("fc1_dropout")?)
            } else {
                None
            },
            head: build.layer("head")?,
            spec: spec.clone(),
        };
        Ok(build.finish(net))
    }
}

impl Network for Net {
    type Config = NetConfig;

    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn spec_mut(&mut self) -> &mut Spec {
        &mut self.spec
    }

    fn run(&self, inputs: &Inputs, pass: &mut Pass) -> Tensor<2> {
        let x: Tensor<2> = inputs.float(0).expect("one input");
        let mut x = self.fc1.forward(x);
        if let Some(norm) = &self.fc1_batch_norm {
            x = norm.forward(x);
        }
        x = relu(x);
        let strength = activity(&self.spec);
        if strength > 0.0 {
            pass.activity(&x, strength, 0.0);
        }
        if let Some(dropout) = &self.fc1_dropout {
            x = dropout.forward(x, pass);
        }
        let x = pass.see("fc1", x);
        let x = self.head.forward(x);
        pass.see("head", x)
    }

    fn loss(&self, output: Tensor<2>, target: &Target) -> Tensor<1> {
        let loss = self.spec.model().loss.as_ref();
        if let Some(LossKind::Custom { path }) = loss.map(|loss| &loss.kind) {
            panic!("this loss {path}");
        }
        damper::loss::of(&self.spec, output, target)
    }
}

fn activity(spec: &Spec) -> f64 {
    let mut ops = spec
        .model()
        .layers
        .iter()
        .flat_map(|statement| &statement.ops);
    ops.find_map(|op| match &op.kind {
        OpKind::Activity(op::Activity { l1, .. }) => l1.float(),
        _ => None,
    })
    .unwrap_or(0.0)
}
