//! Elementary functions of one number, without branches, so that a loop over them becomes vector instructions.

const LOG2_E: f32 = core::f32::consts::LOG2_E;
/// `ln 2` in two parts: products of the first with small whole numbers are exact.
const LN2_HIGH: f32 = 0.693_359_4;
const LN2_LOW: f32 = -2.121_944_4e-4;
/// Adding it rounds to a whole number, which then stands in the low bits.
const ROUND: f32 = 12_582_912.0;

/// `exp(x)` as `(mantissa + low) * scales.0 * scales.1`: all of it may underflow or overflow, no part does.
#[derive(Clone, Copy)]
pub struct Exponential {
    pub mantissa: f32,
    pub low: f32,
    pub scales: (f32, f32),
}

impl Exponential {
    #[inline(always)]
    pub fn scaled(self, factor: f32) -> f32 {
        factor * self.scales.0 * self.scales.1
    }
    /// `exp(x) * factor`, rounded once.
    #[inline(always)]
    pub fn times(self, factor: f32) -> f32 {
        self.scaled(self.mantissa.mul_add(factor, self.low * factor))
    }
    #[inline(always)]
    pub fn value(self) -> f32 {
        self.scaled(self.mantissa)
    }
}

#[inline(always)]
fn power_of_two(exponent: i32) -> f32 {
    f32::from_bits(((exponent + 127) as u32) << 23)
}

#[inline(always)]
pub fn exponential(x: f32) -> Exponential {
    exponential_of_sum(x, 0.0)
}

/// `exp(x + low)`, where `low` is a rounding error of `x`.
#[inline(always)]
pub fn exponential_of_sum(x: f32, low: f32) -> Exponential {
    // Comparisons, not `clamp`: they are false for NaN, which goes on.
    let x = if x > 130.0 { 130.0 } else { x };
    let x = if x < -150.0 { -150.0 } else { x };
    let shifted = x.mul_add(LOG2_E, ROUND);
    let whole = shifted - ROUND;
    let exact = whole.mul_add(-LN2_HIGH, x);
    let r = whole.mul_add(-LN2_LOW, exact);
    let low = whole.mul_add(-LN2_LOW, exact - r) + low;
    let mut p = 0.000_199_183_85_f32;
    p = p.mul_add(r, 0.001_394_607_4);
    p = p.mul_add(r, 0.008_333_264);
    p = p.mul_add(r, 0.041_666_27);
    p = p.mul_add(r, 0.166_666_67);
    p = p.mul_add(r, 0.5);
    let sum = 1.0 + r;
    let rest = (p * r).mul_add(r, r - (sum - 1.0));
    let rest = low.mul_add(sum + rest, rest);
    let mantissa = sum + rest;
    let exponent = shifted.to_bits() as i32 - ROUND.to_bits() as i32;
    let half = exponent >> 1;
    Exponential {
        mantissa,
        low: rest - (mantissa - sum),
        scales: (power_of_two(half), power_of_two(exponent - half)),
    }
}

#[inline(always)]
pub fn exp(x: f32) -> f32 {
    exponential(x).value()
}

/// `exp(x - y)` of the exact difference, for `x` up to `y`.
#[inline(always)]
pub fn exp_of_difference(x: f32, y: f32) -> f32 {
    let difference = x - y;
    let part = difference - x;
    // What the difference lost; not of infinities, of which it would be NaN.
    let low = (x - (difference - part)) - (y + part);
    let low = if difference > -200.0 { low } else { 0.0 };
    exponential_of_sum(difference, low).value()
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
    let far = 1.0 - 2.0 / (exp(2.0 * t) + 1.0);
    let positive = if t < 0.625 { near } else { far };
    positive.copysign(x)
}

#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    let e = exponential(-x.abs());
    let divisor = 1.0 + e.value();
    let inverse = 1.0 / divisor;
    // What the sum lost.
    let lost = e.value() - (divisor - 1.0);
    let exact = (-inverse).mul_add(divisor, 1.0) - inverse * lost;
    let inverse = exact.mul_add(inverse, inverse);
    if x < 0.0 { e.times(inverse) } else { inverse }
}

#[inline(always)]
pub fn silu(x: f32) -> f32 {
    let bounded = if x < -200.0 { -200.0 } else { x };
    times_sigmoid(bounded, bounded, 0.0)
}

/// `x / (1 + exp(-(z + low)))`, where `z` has the sign of `x`, and neither is very negative.
#[inline(always)]
fn times_sigmoid(x: f32, z: f32, low: f32) -> f32 {
    let e = exponential_of_sum(-z.abs(), if z < 0.0 { low } else { -low });
    let value = e.value();
    let divisor = 1.0 + value;
    let lost = value - (divisor - 1.0);
    let quotient = x / divisor;
    // The quotient's rounding error, and that of the divisor.
    let rest = ((-quotient).mul_add(divisor, x) - quotient * lost) / divisor;
    if z < 0.0 {
        e.scaled(
            e.mantissa
                .mul_add(quotient, e.low.mul_add(quotient, e.mantissa * rest)),
        )
    } else {
        quotient
    }
}

/// `t` from which the tail is computed with its exponential.
const TAIL: f32 = 0.7;

/// The normal distribution's upper tail times `exp(t²/2)`, for `t` from `TAIL`.
#[inline(always)]
pub fn scaled_tail(t: f32) -> (f32, f32) {
    let divisor = t.mul_add(0.25, 1.0);
    let u = 1.0 / divisor;
    let lost = t.mul_add(0.25, 1.0 - divisor);
    // Relative error of `u`.
    let error = (-u).mul_add(divisor, 1.0) - u * lost;
    let v = u - 0.5;
    let mut p = 0.014_061_117_f32;
    p = p.mul_add(v, -0.047_051_188);
    p = p.mul_add(v, -0.056_527_84);
    p = p.mul_add(v, 0.060_015_89);
    p = p.mul_add(v, 0.241_625_98);
    p = p.mul_add(v, 0.373_049_7);
    p = p.mul_add(v, 0.387_136_8);
    p = p.mul_add(v, 0.303_948_3);
    // The last sum and the product in two parts: the constant is the larger term.
    let constant = 0.188_821_29;
    let sum = p.mul_add(v, constant);
    let sum_low = p.mul_add(v, constant - sum);
    let tail = sum * u;
    let tail_low = sum.mul_add(u, -tail) + sum_low * u;
    // The logarithm's derivative by that of `u` is about `1 + 1.95 u`.
    let low = (tail * error).mul_add(u.mul_add(1.95, 1.0), tail_low);
    (tail, low)
}

/// `(Φ(x) - 1/2) / x` from `x²`, for `|x|` below `TAIL`.
#[inline(always)]
fn near_half(square: f32) -> f32 {
    let mut q = 0.000_100_083_19_f32;
    q = q.mul_add(square, -0.001_177_775_4);
    q = q.mul_add(square, 0.009_970_922);
    q = q.mul_add(square, -0.066_490_084);
    q.mul_add(square, 0.398_942_26)
}

#[inline(always)]
pub fn gelu(x: f32) -> f32 {
    let t = x.abs();
    let t = if t > 20.0 { 20.0 } else { t };
    let bounded = if x < -20.0 { -20.0 } else { x };
    let square = t * t;
    let low = t.mul_add(t, -square);
    let e = exponential_of_sum(-0.5 * square, -0.5 * low);
    let (scaled, scaled_low) = scaled_tail(t);
    let tail = e.mantissa * scaled;
    let tail_low =
        e.mantissa.mul_add(scaled, -tail) + e.mantissa.mul_add(scaled_low, e.low * scaled);
    let near = x * near_half(square).mul_add(x, 0.5);
    let negative = e.scaled(bounded.mul_add(tail, bounded * tail_low));
    let positive = (-t).mul_add(e.scaled(tail), x);
    if t < TAIL {
        near
    } else if x < 0.0 {
        negative
    } else {
        positive
    }
}

#[inline(always)]
pub fn gelu_tanh(x: f32) -> f32 {
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
    let e = exponential(t);
    let v = e.value();
    let sum = v + 2.0;
    let divisor = v.mul_add(sum, 2.0);
    let quotient = 2.0 / divisor;
    // What the sum and the divisor lost.
    let lost = v.mul_add(v - (sum - 2.0), v.mul_add(sum, 2.0 - divisor));
    // tanh(softplus(x)) = v (v + 2) / (v (v + 2) + 2) = v (1 - v (v + 1) / (v (v + 2) + 2)) = 1 - 2 / (v (v + 2) + 2)
    let part = v.mul_add(v, v) / divisor;
    let factor = 1.0 - part;
    let factor_low = (part * quotient).mul_add(0.5 * lost, (1.0 - factor) - part);
    let product = bounded * e.mantissa;
    let product_low = bounded.mul_add(e.mantissa, -product) + bounded * e.low;
    let negative =
        e.scaled(product.mul_add(factor, product.mul_add(factor_low, product_low * factor)));
    // `t`, since infinity less infinity is NaN; beyond it nothing is taken off.
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

/// `x` between bounds beyond which a slope no longer changes: products of the rest stay finite. NaN goes on.
#[inline(always)]
fn bounded(x: f32, bound: f32) -> f32 {
    let x = if x > bound { bound } else { x };
    if x < -bound { -bound } else { x }
}

/// `1 / (1 + exp(-z))` and `1 -` it, for `z` within 80.
#[inline(always)]
fn sigmoids(z: f32) -> (f32, f32) {
    let e = exp(-z.abs());
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
    let x = bounded(x, 120.0);
    let (s, rest) = sigmoids(x);
    s * (x * rest + 1.0)
}

#[inline(always)]
pub fn gelu_slope(x: f32) -> f32 {
    const DENSITY: f32 = 0.398_942_3;
    let x = bounded(x, 20.0);
    let t = x.abs();
    let e = exp(-0.5 * t * t);
    let tail = e * scaled_tail(t).0;
    let far = if x < 0.0 { tail } else { 1.0 - tail };
    let near = near_half(x * x).mul_add(x, 0.5);
    let below = if t < TAIL { near } else { far };
    (x * DENSITY).mul_add(e, below)
}

#[inline(always)]
pub fn gelu_tanh_slope(x: f32) -> f32 {
    const A: f32 = 1.595_769;
    const B: f32 = 0.071_354_814;
    let x = bounded(x, 20.0);
    let square = x * x;
    let (s, rest) = sigmoids(x * B.mul_add(square, A));
    s * (x * rest).mul_add((3.0 * B).mul_add(square, A), 1.0)
}

#[inline(always)]
pub fn mish_slope(x: f32) -> f32 {
    let x = if x < -120.0 { -120.0 } else { x };
    let t = if x > 30.0 { 30.0 } else { x };
    let v = exp(t);
    let divisor = v.mul_add(v + 2.0, 2.0);
    // With `w = v (v + 2)`: tanh = w / (w + 2), and (1 - tanh²) sigmoid(x) = 4 v (v + 1) / (w + 2)².
    let inverse = 1.0 / divisor;
    let change = 4.0 * (v * inverse) * ((v + 1.0) * inverse);
    t.mul_add(change, v * (v + 2.0) * inverse)
}
