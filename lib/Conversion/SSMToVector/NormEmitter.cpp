//===- NormEmitter.cpp - Normalizations -----------------------------------===//

#include "Emitters.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::ssm;

using Values = KernelBuilder::Values;

/// Sum of f(x) over columns [base, base + extent) of a row, in several sums: a single one would
/// wait for the latency of additions.
static Value sumOver(KernelBuilder &k, Value x, Value row, Value base, int64_t extent,
                     function_ref<Value(Value)> f) {
  int64_t lanes = k.lanesFor(extent);
  int64_t chains = std::min<int64_t>(4, llvm::divideCeil(extent, lanes));
  Values sums = k.overColumns(base, extent, chains * lanes, Values(chains, k.zeros(lanes)),
                              [&](Value column, int64_t count, ValueRange before) {
                                Values next(before);
                                for (int64_t first = 0; first < count; first += lanes) {
                                  int64_t part = std::min(lanes, count - first);
                                  Value values = f(k.load(x, {row, k.add(column, first)}, part));
                                  Value &sum = next[first / lanes];
                                  sum = arith::AddFOp::create(k, sum, k.pad(values, lanes));
                                }
                                return next;
                              });
  Value sum = sums.front();
  for (Value other : llvm::drop_begin(sums))
    sum = arith::AddFOp::create(k, sum, other);
  return k.sumLanes(sum);
}

static Value mean(KernelBuilder &k, Value sum, int64_t count) {
  return arith::DivFOp::create(k, sum, k.f32(static_cast<float>(count)));
}

static Value inverseRoot(KernelBuilder &k, Value square, APFloat eps) {
  Value shifted = arith::AddFOp::create(k, square, k.f32(eps.convertToFloat()));
  Value root = math::SqrtOp::create(k, shifted);
  return arith::DivFOp::create(k, k.f32(1.0f), root);
}

static Value multiply(KernelBuilder &k, Value a, Value b) { return arith::MulFOp::create(k, a, b); }

void mlir::ssm::emit(KernelBuilder &k, RMSNormOp::Adaptor op, ValueRange results) {
  int64_t columns = cast<MemRefType>(op.getWeight().getType()).getDimSize(0);
  int64_t groups = op.getGroups(), width = columns / groups;
  Value tokens = k.dim(op.getInput(), 0);
  k.parallel(tokens, k.mul(tokens, columns), [&](Value t) {
    k.loop(k.index(0), k.index(groups), 1, [&](Value group) {
      Value base = k.mul(group, width);
      Value squares =
          sumOver(k, op.getInput(), t, base, width, [&](Value x) { return multiply(k, x, x); });
      Value scale = inverseRoot(k, mean(k, squares, width), op.getEps());
      k.overColumns(base, width, k.lanesFor(width), ValueRange(),
                    [&](Value column, int64_t count, ValueRange) -> Values {
                      Value y = k.load(op.getInput(), {t, column}, count);
                      y = multiply(k, y, k.splat(scale, count));
                      y = multiply(k, y, k.load(op.getWeight(), column, count));
                      k.store(y, results.front(), {t, column});
                      return {};
                    });
    });
  });
}

void mlir::ssm::emit(KernelBuilder &k, LayerNormOp::Adaptor op, ValueRange results) {
  int64_t columns = cast<MemRefType>(op.getWeight().getType()).getDimSize(0);
  Value tokens = k.dim(op.getInput(), 0);
  k.parallel(tokens, k.mul(tokens, columns), [&](Value t) {
    Value zero = k.index(0);
    Value sum = sumOver(k, op.getInput(), t, zero, columns, [](Value x) { return x; });
    Value center = mean(k, sum, columns);
    auto centered = [&](Value x) -> Value {
      int64_t lanes = cast<VectorType>(x.getType()).getDimSize(0);
      return arith::SubFOp::create(k, x, k.splat(center, lanes));
    };
    // Two passes, since E[x^2] - E[x]^2 cancels.
    Value squares = sumOver(k, op.getInput(), t, zero, columns, [&](Value x) {
      Value difference = centered(x);
      return multiply(k, difference, difference);
    });
    Value scale = inverseRoot(k, mean(k, squares, columns), op.getEps());
    k.overColumns(columns, k.lanesFor(columns), [&](Value column, int64_t count) {
      Value y = centered(k.load(op.getInput(), {t, column}, count));
      y = multiply(k, y, k.splat(scale, count));
      y = multiply(k, y, k.load(op.getWeight(), column, count));
      if (op.getBias())
        y = arith::AddFOp::create(k, y, k.load(op.getBias(), column, count));
      k.store(y, results.front(), {t, column});
    });
  });
}
