//===- ShapeChecks.h - Shape checks that the ops share ----------*- C++ -*-===//
//
// Checks used by `inferReturnTypes`, which is the one place where the shapes of an op are stated:
// it serves builders, and the verifier calls it again. Each check emits one error that names the
// operand and both numbers, and returns failure.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_DIALECT_SSM_IR_SHAPECHECKS_H
#define SSMQ_DIALECT_SSM_IR_SHAPECHECKS_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Location.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/StringRef.h"
#include <optional>

namespace mlir::ssm {

/// Reports against one op at one (optional) location.
class ShapeChecker {
public:
  ShapeChecker(StringRef opName, std::optional<Location> loc) : opName(opName), loc(loc) {}

  LogicalResult fail(const Twine &message) const;
  LogicalResult rank(StringRef name, Value value, int64_t expected) const;
  /// Dimension `dim` of `value` must be `expected`, which `why` explains; dynamic sizes pass.
  LogicalResult dim(StringRef name, Value value, unsigned dim, int64_t expected,
                    const Twine &why) const;
  /// All dimensions must be static: weights and most states.
  LogicalResult isStatic(StringRef name, Value value) const;
  /// `value` holds one number per token of `input`.
  LogicalResult sameTokens(StringRef name, Value value, Value input) const;
  /// `value`, if there is one, has the shape of `other`.
  LogicalResult sameShape(StringRef name, Value value, StringRef otherName, Value other) const;
  /// A weight is of bytes exactly when it is packed.
  LogicalResult packing(Value weight, std::optional<int64_t> packedBits) const;
  /// Scales, zero points and group size of a quantized weight seen as rows x columns; a float
  /// weight must come without them.
  LogicalResult quantization(Value weight, Value scales, Value zeroPoints,
                             std::optional<int64_t> groupSize, std::optional<int64_t> packedBits,
                             int64_t rows, int64_t columns) const;

private:
  StringRef opName;
  std::optional<Location> loc;
};

/// Size `dim` of a ranked tensor value.
int64_t getDimSize(Value value, unsigned dim);
/// `tensor<tokens x columns x f32>`, tokens as in the leading dimension of `like`.
RankedTensorType getActivationType(Value like, int64_t columns);
/// Columns of one row of the weight (product of all dimensions but the first) before packing.
int64_t getNumColumns(Value weight);

} // namespace mlir::ssm

#endif // SSMQ_DIALECT_SSM_IR_SHAPECHECKS_H
