//===- Elementwise.cpp - Elementwise ops that are roots -------------------===//

#include "Emitters.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::ssm;

/// Numbers of one token, or of all where no dimension is one of tokens.
static int64_t countNumbers(linalg::GenericOp op) {
  int64_t count = 1;
  for (int64_t size : op.getStaticLoopRanges())
    count *= ShapedType::isDynamic(size) ? 1 : size;
  return count;
}
static bool isOverTokens(linalg::GenericOp op) {
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  return !sizes.empty() && ShapedType::isDynamic(sizes.front());
}

Grid ssm::getElementwiseGrid(linalg::GenericOp op) {
  return {llvm::divideCeilSigned(countNumbers(op), XeBuilder::kItems), isOverTokens(op) ? 1 : 0};
}

void ssm::emitElementwise(LaunchScope &scope, linalg::GenericOp op, GroupIndex at) {
  XeBuilder &k = scope.k;
  Value number = k.add(k.mul(at.group, XeBuilder::kItems), k.item);
  k.ifThen(k.isLess(number, k.index(countNumbers(op))), [&] {
    SmallVector<int64_t> sizes = op.getStaticLoopRanges();
    SmallVector<Value> indices(sizes.size());
    Value rest = number;
    for (int64_t dim = sizes.size(); dim-- > 0;) {
      if (ShapedType::isDynamic(sizes[dim])) {
        indices[dim] = at.token;
        continue;
      }
      indices[dim] = dim == 0 ? rest : k.rem(rest, sizes[dim]);
      rest = k.floorDiv(rest, sizes[dim]);
    }
    scope.store(op.getResult(0), indices, scope.evaluate(op, indices));
  });
}
