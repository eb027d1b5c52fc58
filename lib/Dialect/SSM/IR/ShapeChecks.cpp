//===- ShapeChecks.cpp - Shape checks that the ops share ------------------===//

#include "ShapeChecks.h"

#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/Diagnostics.h"
#include "ssmq/Support/Tensor.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::ssm;

static RankedTensorType getType(Value value) { return cast<RankedTensorType>(value.getType()); }

int64_t mlir::ssm::getDimSize(Value value, unsigned dim) { return getType(value).getDimSize(dim); }

RankedTensorType mlir::ssm::getActivationType(Value like, int64_t columns) {
  return RankedTensorType::get({getDimSize(like, 0), columns}, Float32Type::get(like.getContext()));
}

int64_t mlir::ssm::getNumColumns(Value weight) {
  int64_t columns = 1;
  for (int64_t dim : getType(weight).getShape().drop_front())
    columns *= dim;
  return columns;
}

LogicalResult ShapeChecker::fail(const Twine &message) const {
  return emitOptionalError(loc, "'", opName, "' op ", message.str());
}

LogicalResult ShapeChecker::rank(StringRef name, Value value, int64_t expected) const {
  int64_t actual = getType(value).getRank();
  if (actual == expected)
    return success();
  return fail(Twine(name) + " must have rank " + Twine(expected) + ", but has rank " +
              Twine(actual));
}

LogicalResult ShapeChecker::dim(StringRef name, Value value, unsigned dim, int64_t expected,
                                const Twine &why) const {
  int64_t actual = getDimSize(value, dim);
  if (actual == expected || ShapedType::isDynamic(actual) || ShapedType::isDynamic(expected))
    return success();
  return fail(Twine(name) + " has size " + Twine(actual) + " in dimension " + Twine(dim) +
              ", but " + why + " is " + Twine(expected));
}

LogicalResult ShapeChecker::isStatic(StringRef name, Value value) const {
  RankedTensorType type = getType(value);
  if (!type.hasStaticShape())
    return fail(Twine(name) + " must have a static shape");
  // LLVM's own checks are asserts that are compiled out; products past this bound would wrap.
  if (!::ssmq::getCheckedNumBytes(::ssmq::DType::F32, type.getShape()))
    return fail(Twine(name) + " has 2^40 elements or more");
  return success();
}

LogicalResult ShapeChecker::sameTokens(StringRef name, Value value, Value input) const {
  return dim(name, value, 0, getDimSize(input, 0), "the number of tokens");
}

LogicalResult ShapeChecker::sameShape(StringRef name, Value value, StringRef otherName,
                                      Value other) const {
  if (!value || getType(value).getShape() == getType(other).getShape())
    return success();
  return fail(name + " must have the shape of " + otherName);
}

LogicalResult ShapeChecker::packing(Value weight, std::optional<int64_t> packedBits) const {
  bool isBytes = getType(weight).getElementType().isInteger(8);
  if (packedBits && !isBytes)
    return fail("packed_bits needs a weight of bytes (i8)");
  if (!packedBits && isBytes)
    return fail("a weight of bytes (i8) needs packed_bits");
  return success();
}

LogicalResult ShapeChecker::quantization(Value weight, Value scales, Value zeroPoints,
                                         std::optional<int64_t> groupSize,
                                         std::optional<int64_t> packedBits, int64_t rows,
                                         int64_t columns) const {
  if (failed(packing(weight, packedBits)))
    return failure();
  if (!isa<quant::QuantizedType>(getType(weight).getElementType()) && !packedBits) {
    if (scales || zeroPoints || groupSize)
      return fail("scales, zero_points and group_size belong to a quantized weight");
    return success();
  }
  if (!scales || !groupSize)
    return fail("a quantized weight needs scales and group_size");
  if (*groupSize < 1)
    return fail("group_size must be positive, but is " + Twine(*groupSize));
  int64_t groups = llvm::divideCeil(columns, *groupSize);
  if (failed(rank("scales", scales, 2)) ||
      failed(dim("scales", scales, 0, rows, "the number of rows")) ||
      failed(dim("scales", scales, 1, groups, "the number of groups in a row")))
    return failure();
  return sameShape("zero_points", zeroPoints, "scales", scales);
}
