//! Elementary functions of one number, without branches, so that a loop over them is vectorized.

const LOG2_E: f32 = core::f32::consts::LOG2_E;
const LN_2: f32 = core::f32::consts::LN_2;
/// The rounding error of `ln 2` in `f32`.
const LN_2_LOW: f32 = (core::f64::consts::LN_2 - LN_2 as f64) as f32;
/// Adding it rounds to an integer, which is then in the low bits.
const ROUND: f32 = 12_582_912.0;
/// The factor by which arguments of [`Exponential::of_shrunk`] are scaled.
const SHRINK: f32 = 1.0 / 4_294_967_296.0;

/// `exp(x)` as `(mantissa + low) * 2^exponent`.
#[derive(Clone, Copy)]
struct Exponential {
    mantissa: f32,
    low: f32,
    exponent: i32,
}

impl Exponential {
    /// `factor * 2^exponent`, which may underflow or overflow.
    #[inline(always)]
    fn scaled(self, factor: f32) -> f32 {
        let half = self.exponent >> 1;
        factor * power_of_two(half) * power_of_two(self.exponent - half)
    }
    /// As [`scaled`](Self::scaled), for exponents from -158 to 95 and a factor that was multiplied by [`SHRINK`].
    #[inline(always)]
    fn of_shrunk(self, factor: f32) -> f32 {
        factor * power_of_two(self.exponent + 32)
    }
    /// `exp(x)`, without `low`.
    #[inline(always)]
    fn value(self) -> f32 {
        self.scaled(self.mantissa)
    }
}

#[inline(always)]
fn power_of_two(exponent: i32) -> f32 {
    f32::from_bits(((exponent + 127) as u32) << 23)
}

/// `exp(x + low)`, with `x` clamped to the bounds beyond which the exponential is infinite or 0.
#[inline(always)]
fn exponential(x: f32, low: f32) -> Exponential {
    // Comparisons are false for NaN, so NaN is passed on.
    let x = if x > 130.0 { 130.0 } else { x };
    let x = if x < -150.0 { -150.0 } else { x };
    exponential_within(x, low)
}

/// `exp(x + low)`, where `low` is the rounding error of `x`, and `|x|` is at most 150.
#[inline(always)]
fn exponential_within(x: f32, low: f32) -> Exponential {
    let (rest, exponent) = above_one(x, low);
    let mantissa = 1.0 + rest;
    Exponential {
        mantissa,
        low: rest - (mantissa - 1.0),
        exponent,
    }
}

/// `exp(x + low)` as `(1 + rest) * 2^exponent`, for the same arguments.
#[inline(always)]
fn above_one(x: f32, low: f32) -> (f32, i32) {
    let shifted = x.mul_add(LOG2_E, ROUND);
    let whole = shifted - ROUND;
    // Exact: the difference is small enough to have bits for all digits of `x` and the product.
    let r = whole.mul_add(-LN_2, x);
    let low = whole.mul_add(-LN_2_LOW, low);
    let square = r * r;
    // exp(r) = 1 + r + r² q(r), in pairs that can be computed at the same time.
    let first = r.mul_add(0.166_665_21, 0.499_999_94);
    let second = r.mul_add(0.008_368_687, 0.041_668_277);
    let q = square
        .mul_add(0.001_381_982_2, second)
        .mul_add(square, first);
    let curve = q * square;
    // `low` is added to small terms first, so that it adds no rounding error.
    let growth = square.mul_add(0.5, 1.0 + r);
    let rest = r + low.mul_add(growth, curve);
    (rest, shifted.to_bits() as i32 - ROUND.to_bits() as i32)
}

#[inline(always)]
pub fn exp(x: f32) -> f32 {
    exponential(x, 0.0).value()
}

/// `exp(x - y)` of the exact difference, for `x` up to `y`.
#[inline(always)]
pub fn exp_of_difference(x: f32, y: f32) -> f32 {
    let difference = x - y;
    let part = difference - x;
    // The rounding error of the difference. For infinities it would be NaN.
    let low = (x - (difference - part)) - (y + part);
    let low = if difference > -200.0 { low } else { 0.0 };
    exponential(difference, low).value()
}

#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let t = x.abs();
    let s = t * t;
    let mut p = 0.002_147_540_2_f32;
    p = p.mul_add(s, -0.008_182_677);
    p = p.mul_add(s, 0.021_702_97);
    p = p.mul_add(s, -0.053_947_203);
    p = p.mul_add(s, 0.133_332_1);
    p = p.mul_add(s, -0.333_333_3);
    let near = (p * s).mul_add(t, t);
    let far = 1.0 - 2.0 / (exp_within(2.0 * if t > 10.0 { 10.0 } else { t }) + 1.0);
    let positive = if t < 0.625 { near } else { far };
    positive.copysign(x)
}

/// As [`tanh`], in fewer operations: within 3 ulp.
#[inline(always)]
pub fn gate_tanh(x: f32) -> f32 {
    let t = x.abs();
    // exp(-2 t) - 1, which is the rest itself near 0.
    let (rest, exponent) = above_one(-2.0 * if t > 10.0 { 10.0 } else { t }, 0.0);
    let scale = power_of_two(exponent);
    let less = scale.mul_add(rest, scale - 1.0);
    (less / (2.0 + less)).copysign(x)
}

/// As [`sigmoid`], in fewer operations: within 3 ulp from -80 on, and constant (2e-35) below.
#[inline(always)]
pub fn gate_sigmoid(x: f32) -> f32 {
    sigmoids(bounded(x, 80.0)).0
}

#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    let t = if x > 0.0 { -x } else { x };
    let e = exponential_within(if t < -105.0 { -105.0 } else { t }, 0.0);
    let value = e.of_shrunk(e.mantissa * SHRINK);
    let divisor = 1.0 + value;
    // The rounding error of the sum.
    let lost = value - (divisor - 1.0);
    let inverse = SHRINK / divisor;
    // The relative error of the inverse, and its absolute error: `1 / divisor` is about `1 - value / 2`.
    let relative = (-inverse).mul_add(divisor, SHRINK) - inverse * lost;
    let rest = relative * value.mul_add(-0.5, 1.0);
    if x < 0.0 {
        let rest = e.mantissa.mul_add(rest, e.low * inverse);
        e.of_shrunk(e.mantissa.mul_add(inverse, rest))
    } else {
        (inverse + rest) * (1.0 / SHRINK)
    }
}

#[inline(always)]
pub fn silu(x: f32) -> f32 {
    let bounded = if x < -120.0 { -120.0 } else { x };
    times_sigmoid(bounded, bounded, 0.0)
}

/// `x / (1 + exp(-(z + low)))`, where `z` has the sign of `x`, and neither is below -150.
#[inline(always)]
fn times_sigmoid(x: f32, z: f32, low: f32) -> f32 {
    let t = if z > 0.0 { -z } else { z };
    let t = if t < -150.0 { -150.0 } else { t };
    let e = exponential_within(t, if z < 0.0 { low } else { -low });
    let value = e.value();
    let divisor = 1.0 + value;
    let lost = value - (divisor - 1.0);
    let quotient = x / divisor;
    if z < 0.0 {
        // `lost` instead of `lost / divisor`: if the divisor is not about 1, the error is far below the bound.
        let rest = e.mantissa.mul_add(-lost, e.low);
        e.scaled(e.mantissa.mul_add(quotient, rest * quotient))
    } else {
        quotient
    }
}

/// `t` times the normal distribution's upper tail `Q(t)`, for `t` from 0 to 14.6.
///
/// Near 0 it is `t` times a polynomial in `t` minus the middle of the interval. Far from 0, `t Q(t) exp(t²/2)` is a
/// polynomial in `1 / (t² + 2.75)`, whose rounding error has little influence. One chain of operations computes both.
#[inline(always)]
fn times_tail(t: f32) -> f32 {
    const MIDDLE: f32 = 0.832_031_25;
    let half = -0.5 * t;
    let exponent = half * t;
    let e = exponential_within(exponent, half.mul_add(t, -exponent));
    let is_far = t > 1.4;
    let inverse = 1.0 / t.mul_add(t, 2.75);
    let z = if is_far { inverse } else { t - MIDDLE };
    let pick = |near: f32, far: f32| if is_far { far * SHRINK } else { near };
    let mut p = pick(0.000_045_534_947, -3_232.220_2);
    p = p.mul_add(z, pick(-0.000_235_215_15, 2_863.365));
    p = p.mul_add(z, pick(-0.000_501_150_1, -1_259.604));
    p = p.mul_add(z, pick(0.002_788_606, 331.307_43));
    p = p.mul_add(z, pick(0.001_581_074_7, -67.886_17));
    p = p.mul_add(z, pick(-0.022_578_437, 9.697_938));
    p = p.mul_add(z, pick(0.014_474_693, -2.374_260_2));
    p = p.mul_add(z, pick(0.117_406_97, 0.099_022_31));
    p = p.mul_add(z, pick(-0.282_217_7, -0.398_936_3));
    // The last sum in two parts.
    let constant = pick(0.202_695_65, 0.398_942_26);
    let sum = p.mul_add(z, constant);
    let sum_low = p.mul_add(z, constant - sum);
    let factor = if is_far { e.mantissa } else { t };
    let product = factor.mul_add(sum, factor * sum_low);
    product * power_of_two(if is_far { e.exponent + 32 } else { 0 })
}

#[inline(always)]
pub fn gelu(x: f32) -> f32 {
    let t = x.abs();
    let t = if t > 14.6 { 14.6 } else { t };
    let positive = if x < 0.0 { 0.0 } else { x };
    positive - times_tail(t)
}

#[inline(always)]
pub fn gelu_approximate(x: f32) -> f32 {
    const EXACT: f64 = 1.595_769_121_605_730_7;
    const A: f32 = EXACT as f32;
    const B: f32 = (EXACT * 0.044_715) as f32;
    const A_LOW: f32 = (EXACT - A as f64) as f32;
    const B_LOW: f32 = (EXACT * 0.044_715 - B as f64) as f32;
    let t = if x > 20.0 { 20.0 } else { x };
    let t = if t < -20.0 { -20.0 } else { t };
    let square = t * t;
    let square_low = t.mul_add(t, -square);
    let product = B * square;
    let product_low = B.mul_add(square, -product) + B.mul_add(square_low, B_LOW * square);
    let sum = A + product;
    let part = sum - A;
    let sum_low = (A - (sum - part)) + (product - part) + (A_LOW + product_low);
    let z = t * sum;
    let z_low = t.mul_add(sum, -z) + t * sum_low;
    times_sigmoid(if x < 0.0 { t } else { x }, z, z_low)
}

#[inline(always)]
pub fn mish(x: f32) -> f32 {
    let bounded = if x < -200.0 { -200.0 } else { x };
    let t = if bounded > 30.0 { 30.0 } else { bounded };
    let e = exponential(t, 0.0);
    let v = e.value();
    let sum = v + 2.0;
    let divisor = v.mul_add(sum, 2.0);
    let quotient = 2.0 / divisor;
    // The rounding errors of the sum and the divisor.
    let lost = v.mul_add(v - (sum - 2.0), v.mul_add(sum, 2.0 - divisor));
    // tanh(softplus(x)) = v (v + 2) / (v (v + 2) + 2) = v (1 - v (v + 1) / (v (v + 2) + 2)) = 1 - 2 / (v (v + 2) + 2)
    let part = v.mul_add(v, v) / divisor;
    let factor = 1.0 - part;
    let factor_low = (part * quotient).mul_add(0.5 * lost, (1.0 - factor) - part);
    let product = bounded * e.mantissa;
    let product_low = bounded.mul_add(e.mantissa, -product) + bounded * e.low;
    let negative =
        e.scaled(product.mul_add(factor, product.mul_add(factor_low, product_low * factor)));
    // `t`, because infinity minus infinity is NaN; for larger numbers the difference is 0.
    let exact = (-quotient * quotient).mul_add(0.5 * lost, quotient);
    let positive = x - t * exact;
    if x < 0.0 { negative } else { positive }
}

#[inline(always)]
pub fn exp_slope(y: f32) -> f32 {
    y
}

#[inline(always)]
pub fn tanh_slope(y: f32) -> f32 {
    (-y).mul_add(y, 1.0)
}

#[inline(always)]
pub fn sigmoid_slope(y: f32) -> f32 {
    y * (1.0 - y)
}

/// `x` clamped to the bounds beyond which a slope does not change, so that products with it are finite. NaN stays NaN.
#[inline(always)]
fn bounded(x: f32, bound: f32) -> f32 {
    let x = if x > bound { bound } else { x };
    if x < -bound { -bound } else { x }
}

/// `exp(x)` for `|x|` up to 80.
#[inline(always)]
fn exp_within(x: f32) -> f32 {
    let e = exponential_within(x, 0.0);
    e.mantissa * power_of_two(e.exponent)
}

/// `1 / (1 + exp(-z))` and 1 minus that, for `|z|` up to 80.
#[inline(always)]
fn sigmoids(z: f32) -> (f32, f32) {
    let e = exp_within(-z.abs());
    let large = 1.0 / (1.0 + e);
    let small = e * large;
    if z < 0.0 {
        (small, large)
    } else {
        (large, small)
    }
}

#[inline(always)]
pub fn silu_slope(x: f32) -> f32 {
    let x = bounded(x, 80.0);
    let (s, rest) = sigmoids(x);
    s * (x * rest + 1.0)
}

#[inline(always)]
pub fn gelu_slope(x: f32) -> f32 {
    let t = bounded(x.abs(), 10.0);
    // `(tail - t * density) / exp(-t²/2)`, less accurate for small values of the denominator.
    let mut p = -0.000_008_051_215_f32;
    p = p.mul_add(t, 0.000_151_760_18);
    p = p.mul_add(t, -0.001_270_017_7);
    p = p.mul_add(t, 0.006_378_962);
    p = p.mul_add(t, -0.022_223_406);
    p = p.mul_add(t, 0.059_488_256);
    p = p.mul_add(t, -0.131_767_32);
    p = p.mul_add(t, 0.249_750_39);
    p = p.mul_add(t, -0.797_864_6);
    p = p.mul_add(t, 0.499_999_73);
    let of_negative = exp_within(-0.5 * t * t) * p;
    if x < 0.0 {
        of_negative
    } else {
        1.0 - of_negative
    }
}

#[inline(always)]
pub fn gelu_approximate_slope(x: f32) -> f32 {
    const A: f32 = 1.595_769;
    const B: f32 = 0.071_354_814;
    let x = bounded(x, 9.0);
    let square = x * x;
    let (s, rest) = sigmoids(x * B.mul_add(square, A));
    s * (x * rest).mul_add((3.0 * B).mul_add(square, A), 1.0)
}

#[inline(always)]
pub fn mish_slope(x: f32) -> f32 {
    let x = if x < -80.0 { -80.0 } else { x };
    let t = if x > 30.0 { 30.0 } else { x };
    let v = exp_within(t);
    let divisor = v.mul_add(v + 2.0, 2.0);
    // With `w = v (v + 2)`: tanh = w / (w + 2), and (1 - tanh²) sigmoid(x) = 4 v (v + 1) / (w + 2)².
    let inverse = 1.0 / divisor;
    let change = 4.0 * (v * inverse) * ((v + 1.0) * inverse);
    t.mul_add(change, v * (v + 2.0) * inverse)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers of both signs, from subnormal ones to those at which the functions reach their limits.
    #[test]
    fn gates_are_within_three_ulp() {
        for (name, function, exact) in [
            ("sigmoid", gate_sigmoid as fn(f32) -> f32, {
                let exact = |x: f64| 1.0 / (1.0 + (-x).exp());
                exact as fn(f64) -> f64
            }),
            ("tanh", gate_tanh, f64::tanh),
        ] {
            for sign in [0, 1 << 31] {
                for bits in (0..80_f32.to_bits()).step_by(4001) {
                    let x = f32::from_bits(bits | sign);
                    let exact = exact(f64::from(x));
                    let size = exact.abs().max(f64::from(f32::MIN_POSITIVE));
                    let ulp = 2_f64.powi(size.log2().floor() as i32 - 23);
                    let error = (f64::from(function(x)) - exact).abs() / ulp;
                    assert!(error <= 3.0, "{name}: {error} ulp at {x:e}");
                }
            }
            for (limit, value) in [(f32::INFINITY, 1.0), (f32::MAX, 1.0)] {
                assert_eq!(function(limit).to_bits(), f32::to_bits(value), "{name}");
            }
            assert!(function(f32::NAN).is_nan(), "{name}");
        }
        assert!(gate_sigmoid(f32::NEG_INFINITY) < 1e-34);
        assert_eq!(gate_tanh(f32::NEG_INFINITY).to_bits(), f32::to_bits(-1.0));
    }
}
