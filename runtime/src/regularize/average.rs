use crate::layer::SpectralNorm;
use crate::layer::reparameterised::{Layout, iterate};
use crate::optimizer::Beside;
#[cfg(feature = "flex")]
use crate::optimizer::Lent;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, Reparameterization};
#[cfg(feature = "flex")]
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
#[cfg(feature = "flex")]
use burn::tensor::{DType, TensorData};
#[cfg(feature = "flex")]
use damper_flex::Input;
use std::any::Any;
use std::iter::Enumerate;
use std::vec::IntoIter;

/// A running average of a model's weights: every number that is a parameter, running statistics included.
///
/// Of a weight that `weight_norm` or `spectral_norm` computes, the stored tensor and the lengths are averaged. The
/// singular vectors of `spectral_norm` are no average: they are those of the averaged tensor.
#[derive(Clone, Debug)]
pub struct Average<M> {
    rule: Rule,
    model: Option<M>,
    count: usize,
}

#[derive(Clone, Copy, Debug)]
enum Rule {
    Exponential(f64),
    Mean,
}

impl<M: Module> Average<M> {
    /// The exponential moving average: `d * average + (1 - d) * weight`.
    ///
    /// The first weights are the first average. After `n` more `d` is `(1 + n) / (10 + n)`, if that is less than
    /// `decay`: else the first weights would count for `1 / (1 - decay)` steps.
    pub fn exponential(decay: f64) -> Self {
        Self::of(Rule::Exponential(decay))
    }

    /// The mean of all weights (Izmailov et al., arXiv 1803.05407).
    pub fn mean() -> Self {
        Self::of(Rule::Mean)
    }

    fn of(rule: Rule) -> Self {
        Self {
            rule,
            model: None,
            count: 0,
        }
    }

    /// The averaged model, for inference; `None` before the first update.
    pub fn model(&self) -> Option<&M> {
        self.model.as_ref()
    }

    /// Changes the averaged model by what an average does not give: running statistics measured anew. A mean of
    /// weights is the same afterwards.
    pub(crate) fn settle(&mut self, change: impl FnOnce(M) -> M) {
        self.model = self.model.take().map(change);
    }

    /// How many models are in it.
    pub fn count(&self) -> usize {
        self.count
    }

    /// How much of the average the next model leaves.
    fn keep(&self) -> f64 {
        let count = self.count as f64;
        match self.rule {
            Rule::Exponential(decay) => decay.min((1.0 + count) / (10.0 + count)),
            Rule::Mean => count / (count + 1.0),
        }
    }

    /// Lends the average of what has a gradient to the step that comes next, which leads it while it has the weights at
    /// hand. [`update_after`](Self::update_after) does what it did not, and must follow.
    #[cfg(feature = "flex")]
    pub(crate) fn lend(&mut self, model: &M, grads: &GradientsParams, beside: &Beside) {
        let keep = self.keep();
        if let Some(average) = self.model.take() {
            let mut places = Places {
                grads,
                found: Vec::new(),
            };
            model.visit(&mut places);
            let mut lender = Lender {
                keep,
                places: places.found.into_iter().enumerate(),
                lent: Vec::new(),
            };
            self.model = Some(average.map(&mut lender));
            beside.lend(lender.lent);
        }
    }

    /// Adds a model of the same layers.
    pub fn update(&mut self, model: &M) {
        self.update_after(model, &Beside::default());
    }

    /// As [`update`](Self::update), after a step that [`lend`](Self::lend) has lent the average to.
    #[cfg_attr(not(feature = "flex"), expect(unused_variables))]
    pub(crate) fn update_after(&mut self, model: &M, beside: &Beside) {
        // Brings running statistics up to date, and makes a copy: clones of a model share them.
        let model = model.valid();
        self.model = Some(match self.model.take() {
            None => model,
            Some(average) => {
                let keep = self.keep();
                let mut gathered = Gather(Vec::new());
                model.visit(&mut gathered);
                average.map(&mut Blend {
                    keep,
                    new: gathered.0.into_iter().enumerate(),
                    #[cfg(feature = "flex")]
                    lent: beside.returned(),
                    steps: match self.rule {
                        // The vectors follow the average, which hardly moves between two updates.
                        Rule::Exponential(_) => 1,
                        Rule::Mean => 15,
                    },
                    path: Vec::new(),
                    base: None,
                    right: None,
                })
            }
        });
        self.count += 1;
    }
}

/// The weights of a model, in the order of its parameters.
struct Gather(Vec<Box<dyn Any>>);

impl ModuleVisitor for Gather {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push(Box::new(crate::autodiff::plain(param.val())));
    }
}

/// `keep * average + (1 - keep) * new`.
fn blend<const D: usize>(average: Tensor<D>, new: Tensor<D>, keep: f64) -> Tensor<D> {
    #[cfg(feature = "flex")]
    let (average, new) = match damper_flex::blend(average, new, keep) {
        Ok(average) => return average,
        Err(given) => given,
    };
    average.mul_scalar(keep) + new.mul_scalar(1.0 - keep)
}

/// Where the weights lie that have a gradient and can be reached, in the order of the parameters.
#[cfg(feature = "flex")]
struct Places<'a> {
    grads: &'a GradientsParams,
    found: Vec<Option<usize>>,
}

#[cfg(feature = "flex")]
impl ModuleVisitor for Places<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let place = self.grads.get::<D>(param.id).and_then(|_| {
            let weights = Input::of(crate::autodiff::plain(param.val())).ok()?;
            let weights = weights.into_primitive();
            Some(weights.as_slice::<f32>()?.as_ptr().addr())
        });
        self.found.push(place);
    }
}

/// Takes the averages out, and leaves one number in the place of each.
#[cfg(feature = "flex")]
struct Lender {
    keep: f64,
    places: Enumerate<IntoIter<Option<usize>>>,
    lent: Vec<Lent>,
}

#[cfg(feature = "flex")]
impl ModuleMapper for Lender {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some((index, Some(address))) = self.places.next() else {
            return param;
        };
        param.map(|average| {
            if average.dtype() != DType::F32 {
                return average;
            }
            let empty = Tensor::zeros([1; D], &average.device());
            self.lent.push(Lent {
                index,
                address,
                average: average.into_data(),
                keep: self.keep,
                led: false,
            });
            empty
        })
    }
}

struct Blend {
    keep: f64,
    new: Enumerate<IntoIter<Box<dyn Any>>>,
    /// What a step had of the average.
    #[cfg(feature = "flex")]
    lent: Vec<Lent>,
    /// Steps of the power iteration for each weight with `spectral_norm`.
    steps: usize,
    /// Names and containers.
    path: Vec<(String, String)>,
    /// The last averaged weight as a matrix, which singular vectors would belong to.
    base: Option<Tensor<2>>,
    /// The right singular vector that belongs to the left one just found.
    right: Option<Tensor<1>>,
}

impl Blend {
    /// What was lent of the parameter at an index, and whether it is led already.
    #[cfg(feature = "flex")]
    fn returned(&mut self, index: Option<usize>) -> Option<(TensorData, bool)> {
        let place = self
            .lent
            .iter()
            .position(|lent| Some(lent.index) == index)?;
        let Lent { average, led, .. } = self.lent.swap_remove(place);
        Some((average, led))
    }

    /// The singular vector of the averaged weight, if this parameter is one.
    fn singular(&mut self, old: &Tensor<1>) -> Option<Tensor<1>> {
        let mut names = self.path.iter().rev().map(|(name, _)| name.as_str());
        let (name, around) = (names.next()?, names.next()?);
        if around != SpectralNorm::NAME {
            return None;
        }
        if name == "v" {
            return self.right.take();
        }
        let base = self.base.take().filter(|_| name == "u")?;
        let column = old.clone().unsqueeze_dim::<2>(1);
        let mut v = base.clone().transpose().matmul(column).squeeze_dim::<1>(1);
        let mut u = old.clone();
        for _ in 0..self.steps {
            (u, v) = iterate(&base, v);
        }
        self.right = Some(v);
        Some(u)
    }
}

impl ModuleMapper for Blend {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.push((name.to_owned(), container.to_owned()));
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (index, new) = self.new.next().unzip();
        let new = new.and_then(|new| new.downcast::<Tensor<D>>().ok());
        #[cfg(feature = "flex")]
        let (param, new) = match self.returned(index) {
            Some((average, led)) => {
                let param = param.map(|lent| Tensor::from_data(average, &lent.device()));
                (param, new.filter(|_| !led))
            }
            None => (param, new),
        };
        #[cfg(not(feature = "flex"))]
        let _ = index;
        let found = if D == 1 {
            self.singular(&param.val().reshape([-1]))
        } else {
            None
        };
        if let Some(found) = found {
            return param.map(|old| found.reshape(old.dims()));
        }
        let param = param.map(|average| match new {
            Some(new) if new.dims() == average.dims() => blend(average, *new, self.keep),
            _ => average,
        });
        if D > 1 {
            let mut containers = self.path.iter().rev().map(|(_, container)| container);
            let container = containers.find(|container| container.starts_with("Struct:"));
            self.base = container.map(|container| Layout::of(container).matrix(param.val()));
        }
        param
    }
}
