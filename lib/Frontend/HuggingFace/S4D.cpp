//===- S4D.cpp - Model type s4d -------------------------------------------===//
//
// S4D (arXiv 2206.11893) for the classification of sequences; docs/S4D.md has the configuration and
// the tensors.
//
//===----------------------------------------------------------------------===//

#include "Families.h"
#include "ForwardBuilder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "ssmq/Import/ModelConfig.h"

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::S4DConfig;

namespace {

/// Complex arithmetic on scalars of a body.
struct Complex {
  Value re, im;
};

class ComplexBuilder {
public:
  ComplexBuilder(OpBuilder &builder, Location loc) : builder(builder), loc(loc) {}

  Value constant(double value) {
    return arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(value));
  }
  Value add(Value a, Value b) { return arith::AddFOp::create(builder, loc, a, b); }
  Value sub(Value a, Value b) { return arith::SubFOp::create(builder, loc, a, b); }
  Value mul(Value a, Value b) { return arith::MulFOp::create(builder, loc, a, b); }
  Value div(Value a, Value b) { return arith::DivFOp::create(builder, loc, a, b); }
  Value exp(Value a) { return math::ExpOp::create(builder, loc, a); }

  Complex mul(Complex a, Complex b) {
    return {sub(mul(a.re, b.re), mul(a.im, b.im)), add(mul(a.re, b.im), mul(a.im, b.re))};
  }
  Complex div(Complex a, Complex b) {
    Value norm = add(mul(b.re, b.re), mul(b.im, b.im));
    Value re = add(mul(a.re, b.re), mul(a.im, b.im));
    Value im = sub(mul(a.im, b.re), mul(a.re, b.im));
    return {div(re, norm), div(im, norm)};
  }
  Complex scale(Complex a, Value factor) { return {mul(a.re, factor), mul(a.im, factor)}; }
  Complex addOne(Complex a) { return {add(a.re, constant(1)), a.im}; }
  Complex negate(Complex a) { return scale(a, constant(-1)); }
  Complex exp(Complex a) {
    Value size = exp(a.re);
    return {mul(size, math::CosOp::create(builder, loc, a.im)),
            mul(size, math::SinOp::create(builder, loc, a.im))};
  }
  /// exp(a) - 1 without the cancellation near 0: its real part is
  /// expm1(re) cos(im) - 2 sin(im / 2)^2.
  Complex expMinusOne(Complex a) {
    Value half = math::SinOp::create(builder, loc, mul(a.im, constant(0.5)));
    Value grown =
        mul(math::ExpM1Op::create(builder, loc, a.re), math::CosOp::create(builder, loc, a.im));
    return {sub(grown, mul(constant(2), mul(half, half))), exp(a).im};
  }
  /// The part that the innermost loop asks for.
  Value select(Complex a) {
    Value part = linalg::IndexOp::create(builder, loc, 2);
    Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
    Value isReal = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, part, zero);
    return arith::SelectOp::create(builder, loc, isReal, a.re, a.im);
  }

private:
  OpBuilder &builder;
  Location loc;
};

/// The discrete A and B of a layer, heads x states x 2.
struct System {
  Value a, b;
};

} // namespace

/// Section 2 of arXiv 2206.11893: zero-order hold A' = exp(dt A), B' = (A' - 1) / A B, or bilinear
/// A' = (1 + dt A / 2) / (1 - dt A / 2), B' = dt B / (1 - dt A / 2), with dt = exp(log_dt) and
/// A = -exp(A_real_log) + i A_imag.
static System discretize(ForwardBuilder &b, int64_t heads, const S4DConfig &config) {
  int64_t states = config.numStates;
  SmallVector<Value> inputs = {b.wideWeight("log_dt", {heads}),
                               b.wideWeight("A_real_log", {heads, states}),
                               b.wideWeight("A_imag", {heads, states})};
  MLIRContext *context = inputs.front().getContext();
  AffineExpr head, state, part;
  bindDims(context, head, state, part);
  auto at = [&](ArrayRef<AffineExpr> places) { return AffineMap::get(3, 0, places, context); };
  SmallVector<AffineMap> maps = {at({head}), at({head, state}), at({head, state})};
  bool isBilinear = config.discretization == S4DConfig::Discretization::Bilinear;
  auto getA = [](ComplexBuilder &c, ValueRange values) -> Complex {
    return {c.mul(c.constant(-1), c.exp(values[1])), values[2]};
  };
  auto getStepped = [&](ComplexBuilder &c, ValueRange values) {
    return c.scale(getA(c, values), c.exp(values[0]));
  };
  System system;
  system.a = b.compute({heads, states, 2}, inputs, maps,
                       [&](OpBuilder &builder, Location loc, ValueRange values) {
                         ComplexBuilder c(builder, loc);
                         Complex stepped = getStepped(c, values);
                         if (!isBilinear)
                           return c.select(c.exp(stepped));
                         Complex half = c.scale(stepped, c.constant(0.5));
                         return c.select(c.div(c.addOne(half), c.addOne(c.negate(half))));
                       });
  // Both parts of B.
  Value continuous = b.wideWeight("B", {heads, states, 2});
  inputs.append(2, continuous);
  for (int64_t i : {0, 1})
    maps.push_back(at({head, state, getAffineConstantExpr(i, context)}));
  system.b = b.compute(
      {heads, states, 2}, inputs, maps, [&](OpBuilder &builder, Location loc, ValueRange values) {
        ComplexBuilder c(builder, loc);
        Complex stepped = getStepped(c, values), in = {values[3], values[4]};
        if (!isBilinear)
          return c.select(c.mul(c.div(c.expMinusOne(stepped), getA(c, values)), in));
        Complex half = c.scale(stepped, c.constant(0.5));
        return c.select(c.div(c.scale(in, c.exp(values[0])), c.addOne(c.negate(half))));
      });
  return system;
}

static Value buildLayer(ForwardBuilder &b, const Twine &path, const ::ssmq::ModelConfig &config,
                        Value input) {
  const S4DConfig &s4d = *config.s4d;
  int64_t heads = config.hiddenSize;
  b.enter(path + ".ssm");
  SmallVector<int64_t> shape = {heads, s4d.numStates, 2};
  System system = s4d.isDiscrete ? System{b.wideWeight("A", shape), b.wideWeight("B", shape)}
                                 : discretize(b, heads, s4d);
  Value y =
      b.diagonalScan(input, system.a, system.b, b.wideWeight("C", shape), b.weight("D", {heads}));
  y = s4d.activation == S4DConfig::Activation::QGelu ? b.qGelu(y) : b.gelu(y);
  b.enter(path);
  y = b.linear("mixing", y, s4d.hasGate ? 2 * heads : heads, /*bias=*/true);
  if (s4d.hasGate) {
    SmallVector<Value> parts = b.split(y, {heads, heads});
    b.enter(path + ".mixing");
    y = b.gluGate(parts[0], parts[1]);
    b.enter(path);
  }
  if (s4d.hasResidual)
    y = b.add(input, y);
  return s4d.hasNorm ? b.layerNorm("norm", y, config.normEpsilon) : y;
}

Value mlir::ssm::buildS4D(ForwardBuilder &b, const ::ssmq::ModelConfig &config) {
  const S4DConfig &s4d = *config.s4d;
  b.enter("");
  Value x = b.linear("encoder", b.getInputs(), config.hiddenSize, /*bias=*/true);
  for (int64_t i = 0; i < s4d.numLayers; ++i)
    x = buildLayer(b, "layers." + Twine(i), config, x);
  b.enter("pool");
  Value pooled = s4d.pooling == S4DConfig::Pooling::Mean ? b.meanOfSteps(x) : b.lastStep(x);
  b.enter("");
  return b.linear("classifier", pooled, config.vocabSize, /*bias=*/true);
}
