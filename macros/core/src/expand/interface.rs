//! What programs call: forward, predict, training, save and load.
//!
//! The stub beside errors is written by the same code, with bodies that cannot be reached.

use super::context::{Context, tensor};
use super::{docs, forward, names};
use damper_ir::OpKind;
use damper_ir::TaskKind;
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote;

/// The inherent functions of the model, and its place among the networks.
pub(super) fn items(cx: &Context<'_>) -> TokenStream {
    let (name, krate) = (&cx.name, cx.krate);
    let passes = passes(cx);
    let predictions = predictions(cx);
    let storage = storage(cx);
    let network = network(cx);
    quote! {
        impl #name {
            #passes
            #predictions
            #storage
        }

        impl #krate::Network for #name {
            #network
        }
    }
}

/// A name for a parameter beside the inputs.
fn parameter(cx: &Context<'_>, wanted: &str) -> Ident {
    let inputs: Vec<&str> = cx
        .lowered
        .model()
        .inputs
        .iter()
        .map(|input| input.name.as_str())
        .collect();
    names::fresh(wanted, &inputs)
}

/// `pass`, or what neither an input nor a layer is called: the layers' values are locals beside it.
fn pass_parameter(cx: &Context<'_>) -> Ident {
    let inputs = cx
        .lowered
        .model()
        .inputs
        .iter()
        .map(|input| input.name.as_str());
    let layers = cx
        .lowered
        .model()
        .layers
        .iter()
        .map(|statement| statement.name.as_str());
    names::fresh("pass", &inputs.chain(layers).collect::<Vec<_>>())
}

/// `image: Tensor<2>`, for each input.
fn parameters(cx: &Context<'_>) -> TokenStream {
    let parameters = cx.inputs.iter().map(|input| {
        let (name, ty) = (&input.name, input.ty());
        quote!(#name: #ty)
    });
    quote!(#(#parameters),*)
}

/// `image, `, for each input.
fn arguments(cx: &Context<'_>) -> TokenStream {
    let names = cx.inputs.iter().map(|input| &input.name);
    quote!(#(#names),*)
}

/// `[64]` as `[batch, 64]`.
fn batched(shape: &str) -> String {
    match shape.strip_prefix('[') {
        Some("]") => "[batch]".to_owned(),
        Some(axes) => format!("[batch, {axes}"),
        None => shape.to_owned(),
    }
}

fn output_shape(cx: &Context<'_>) -> String {
    cx.shapes.output().map_or_else(
        || "[batch, ..]".to_owned(),
        |shape| batched(&shape.to_string()),
    )
}

/// The shape of the output without the axis of the classes.
fn decided_shape(cx: &Context<'_>) -> String {
    cx.shapes.output().map_or_else(
        || {
            if cx.rank_of_output().is(2) {
                "[batch]"
            } else {
                "[batch, ..]"
            }
            .to_owned()
        },
        |shape| {
            let mut rest = shape.0.clone();
            let classes = cx.shapes.class_axis();
            if classes < rest.len() {
                rest.remove(classes);
            }
            batched(&damper_ir::Shape(rest).to_string())
        },
    )
}

/// The `# Shapes` of a function.
fn shapes(cx: &Context<'_>, output: &str) -> TokenStream {
    let inputs = cx
        .inputs
        .iter()
        .zip(&cx.lowered.model().inputs)
        .map(|(input, spec)| format!("- {}: `{}`", spec.name, batched(&input.shape)));
    let mut text = vec![String::new(), "# Shapes".to_owned(), String::new()];
    text.extend(inputs);
    text.push(format!("- output: `{output}`"));
    docs::lines(text.iter().map(String::as_str))
}

fn passes(cx: &Context<'_>) -> TokenStream {
    let krate = cx.krate;
    let (parameters, arguments) = (parameters(cx), arguments(cx));
    let output = tensor(&cx.rank_of_output());
    let shapes = shapes(cx, &output_shape(cx));
    let pass = pass_parameter(cx);
    let forward = cx.body(
        || quote!(#krate::__private::forward(&mut #krate::Pass::new(), |#pass| self.forward_pass(#arguments, #pass))),
    );
    let forward_pass = cx.body(|| forward::model(cx, &pass));
    let lost = has_activity(&cx.lowered.model().layers).then(|| {
        let note = "it drops the penalty `activity` of this model: in a loop of one's own `run` with a `Pass`, and add \
                    `pass.take_activity()` to the loss; for predictions `logits` or `predict`";
        quote!(#[deprecated(note = #note)])
    });
    quote! {
        /// The output of the layers, as the device says: on a training (autodiff) device with dropout and noise,
        /// else without.
        #shapes
        #lost
        pub fn forward(&self, #parameters) -> #output {
            #forward
        }

        #[doc(hidden)]
        pub fn forward_pass(&self, #parameters, #pass: &mut #krate::Pass) -> #output {
            #forward_pass
        }
    }
}

/// Whether a layer adds a penalty on its values, which only a pass hands on.
fn has_activity(statements: &[damper_ir::Statement]) -> bool {
    statements
        .iter()
        .flat_map(|statement| &statement.ops)
        .any(|op| {
            matches!(op.kind, OpKind::Activity(_))
                || op.kind.templates().any(|(_, block)| has_activity(block))
        })
}

fn predictions(cx: &Context<'_>) -> TokenStream {
    let krate = cx.krate;
    let private = quote!(#krate::__private);
    let (parameters, arguments) = (parameters(cx), arguments(cx));
    let inputs: Vec<&Ident> = cx.inputs.iter().map(|input| &input.name).collect();
    let output = tensor(&cx.rank_of_output());
    let shape = output_shape(cx);
    let shapes = shapes(cx, &shape);
    let (model, pass) = (parameter(cx, "model"), pass_parameter(cx));
    let has_loss = cx.lowered.model().loss.is_some();
    let raw = quote! {
        #(let #inputs = #private::plain(#inputs);)*
        #private::inference(self, |#model, #pass| #model.forward_pass(#arguments, #pass))
    };
    if !has_loss {
        let predict = cx.body(|| raw);
        return quote! {
            /// The output of the layers as at inference, whatever the device: no dropout, no noise, running statistics.
            #shapes
            pub fn predict(&self, #parameters) -> #output {
                #predict
            }
        };
    }
    let task = cx.lowered.spec.task();
    let predicted = docs::line(&format!(
        "What the model predicts: {}. Always as at inference, whatever the device: no dropout, no noise, running \
         statistics.",
        docs::prediction(task, &shape)
    ));
    let samples = parameter(cx, "samples");
    let (predict, logits) = (
        cx.body(|| quote!(#krate::loss::output_activation(&self.spec, self.logits(#arguments)))),
        cx.body(|| raw),
    );
    let predict_mc = cx.body(|| {
        quote! {
            #(let #inputs = #private::plain(#inputs);)*
            #private::monte_carlo(self, #samples, |#model, #pass| {
                #krate::loss::output_activation(&self.spec, #model.forward_pass(#(#inputs.clone(),)* #pass))
            })
        }
    });
    let classify = classify(cx, task);
    let rank = cx.rank_of_output();
    let prediction = if rank.is(2) {
        quote!(#krate::Prediction)
    } else {
        quote!(#krate::Prediction<#rank>)
    };
    quote! {
        #predicted
        #shapes
        pub fn predict(&self, #parameters) -> #output {
            #predict
        }

        /// The output of the last layer, before the output activation of the loss, as at inference.
        #shapes
        pub fn logits(&self, #parameters) -> #output {
            #logits
        }

        #classify

        /// Mean and standard deviation of the prediction over dropout masks: how sure the model is
        /// (Gal and Ghahramani, arXiv 1506.02142).
        #shapes
        pub fn predict_mc(&self, #parameters, #samples: usize) -> #prediction {
            #predict_mc
        }
    }
}

/// `classify`, for classifiers.
fn classify(cx: &Context<'_>, task: Option<&TaskKind>) -> Option<TokenStream> {
    let krate = cx.krate;
    let (parameters, arguments) = (parameters(cx), arguments(cx));
    let (function, rank, docs) = match task? {
        TaskKind::Multiclass(_) => (
            quote!(classes),
            cx.rank_of_output().below(),
            if cx.rank_of_output().is(2) {
                docs::lines(["The index of the most probable class, `[batch]`."])
            } else {
                docs::lines(["The index of the most probable class at each position."])
            },
        ),
        TaskKind::Binary | TaskKind::Multilabel(_) => (
            quote!(threshold_predictions),
            cx.rank_of_output(),
            docs::lines(["1 where the probability is above one half, else 0."]),
        ),
        TaskKind::Regression => return None,
    };
    let shape = match task? {
        TaskKind::Multiclass(_) => decided_shape(cx),
        _ => output_shape(cx),
    };
    let shapes = shapes(cx, &shape);
    let body = cx.body(|| quote!(#krate::loss::#function(&self.spec, self.logits(#arguments))));
    Some(quote! {
        #docs
        #shapes
        pub fn classify(&self, #parameters) -> burn::tensor::Tensor<#rank, burn::tensor::Int> {
            #body
        }
    })
}

fn storage(cx: &Context<'_>) -> TokenStream {
    let (krate, config) = (cx.krate, &cx.config);
    let training = cx.body(|| quote!(#config::new().training()));
    let training = cx.lowered.model().loss.is_some().then(|| {
        quote! {
            /// A training with the declared hyper-parameters and the settings of the `train` section.
            pub fn training() -> #krate::Training<Self> {
                #training
            }
        }
    });
    let spec = cx.body(|| quote!(&self.spec));
    let load = cx.body(|| quote!(#krate::__private::load(path.as_ref(), device)));
    let save = cx.body(|| quote!(#krate::__private::save(self, path.as_ref())));
    quote! {
        #training

        /// The description this model was built from; it prints as a table of layers.
        pub fn spec(&self) -> &#krate::Spec {
            #spec
        }

        /// A saved model, with the hyper-parameters it was saved with, and the columns and classes it was trained on.
        ///
        /// # Errors
        ///
        /// If the file cannot be read, or holds another model; the error says in what they differ.
        pub fn load(
            path: impl ::core::convert::AsRef<::std::path::Path>,
            device: &burn::tensor::Device
        ) -> ::core::result::Result<Self, #krate::LoadError> {
            #load
        }

        /// Writes the weights, the description, and the columns and classes of the training data. A file that is there
        /// already is replaced as a whole, or stays as it was.
        ///
        /// # Errors
        ///
        /// If the file cannot be written.
        pub fn save(
            &self,
            path: impl ::core::convert::AsRef<::std::path::Path>
        ) -> ::core::result::Result<(), #krate::SaveError> {
            #save
        }
    }
}

/// The functions of the trait that training is written against.
fn network(cx: &Context<'_>) -> TokenStream {
    let (krate, config) = (cx.krate, &cx.config);
    let local = |name| Ident::new(name, Span::mixed_site());
    let (inputs, pass) = (local("inputs"), local("pass"));
    let taken = cx.inputs.iter().enumerate().map(|(index, input)| {
        let index = Literal::usize_unsuffixed(index);
        if input.indices {
            quote!(#krate::__private::input_int(#inputs, #index))
        } else {
            quote!(#krate::__private::input(#inputs, #index))
        }
    });
    let (output, target) = (local("output"), local("target"));
    let run = cx.body(|| {
        let value = quote! {
            #krate::__private::forward(#pass, |#pass| self.forward_pass(#(#taken,)* #pass))
        };
        if cx.rank_of_output().is(2) {
            value
        } else {
            quote!(#krate::__private::rows(&self.spec, #value))
        }
    });
    let spec = cx.body(|| quote!(&self.spec));
    let spec_mut = cx.body(|| quote!(&mut self.spec));
    let loss = cx.lowered.loss_path.as_ref().map(|path| {
        let path = names::deeper(path);
        let body = cx.body(|| {
            let span = names::span(&path);
            quote::quote_spanned!(span=> #krate::__private::custom_loss(#path, #output, #target))
        });
        quote! {
            fn loss(&self, #output: burn::tensor::Tensor<2>, #target: &#krate::Target) -> burn::tensor::Tensor<1> {
                #body
            }
        }
    });
    let rank = cx.rank_of_output();
    let rank = (!rank.is(2)).then(|| quote!(const RANK: usize = #rank;));
    quote! {
        type Config = #config;

        #rank

        fn spec(&self) -> &#krate::Spec {
            #spec
        }

        fn spec_mut(&mut self) -> &mut #krate::Spec {
            #spec_mut
        }

        fn run(&self, #inputs: &#krate::Inputs, #pass: &mut #krate::Pass) -> burn::tensor::Tensor<2> {
            #run
        }

        #loss
    }
}
