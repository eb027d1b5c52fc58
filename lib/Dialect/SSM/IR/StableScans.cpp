//===- StableScans.cpp - Systems whose states cannot grow -----------------===//

#include "ssmq/Dialect/SSM/IR/StableScans.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"
#include "ssmq/Formats/Encoding.h"
#include "ssmq/Formats/Numerics.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>
#include <cstring>

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::DType;
using ::ssmq::Tensor;

SmallVector<UnstableHead> mlir::ssm::findUnstableHeads(ArrayRef<float> a, int64_t numHeads) {
  SmallVector<UnstableHead> result;
  int64_t width = numHeads ? static_cast<int64_t>(a.size()) / numHeads : 0;
  for (int64_t head = 0; head < numHeads; ++head) {
    UnstableHead most{head, 0, 0};
    for (int64_t i = 0; i + 1 < width; i += 2) {
      double real = a[head * width + i], imaginary = a[head * width + i + 1];
      // Squares of f32 are exact, and their sum is not rounded across one.
      double square = real * real + imaginary * imaginary;
      if (!(square < 1) && !(square <= most.magnitude))
        most = {head, i / 2, square};
    }
    if (most.magnitude != 0) {
      most.magnitude = std::sqrt(most.magnitude);
      result.push_back(most);
    }
  }
  return result;
}

/// The bytes of a constant of elements of this type and of static shape; null for anything else.
static Tensor getConstant(Value value, DType dtype) {
  Attribute attribute;
  auto type = cast<RankedTensorType>(value.getType());
  if (!type.hasStaticShape() || !matchPattern(value, m_Constant(&attribute)))
    return Tensor();
  ArrayRef<char> bytes;
  auto elements = dyn_cast<DenseElementsAttr>(attribute);
  if (elements)
    bytes = elements.getRawData();
  else if (auto resource = dyn_cast<DenseResourceElementsAttr>(attribute))
    if (AsmResourceBlob *blob = resource.getRawHandle().getBlob())
      bytes = blob->getData();
  Tensor result = Tensor::empty(dtype, type.getShape());
  int64_t size = ::ssmq::getBitWidth(dtype) / 8, expected = result.getNumBytes();
  bool isSplat = elements && elements.isSplat();
  if (static_cast<int64_t>(bytes.size()) != (isSplat ? size : expected))
    return Tensor();
  char *to = static_cast<char *>(result.getMutableRawData());
  for (int64_t i = 0; i < expected; i += bytes.size())
    std::memcpy(to + i, bytes.data(), bytes.size());
  return result;
}

/// A dequantize whose result has the pairs of `a` as its format sees them.
static DequantizeOp getEncoded(DiagonalScanOp op) {
  auto dequantize = op.getA().getDefiningOp<DequantizeOp>();
  return dequantize && dequantize.getChannelDim() == 0 ? dequantize : DequantizeOp();
}

bool mlir::ssm::isStableByFormat(DiagonalScanOp op) {
  DequantizeOp dequantize = getEncoded(op);
  if (!dequantize)
    return false;
  // Rows that the format cuts otherwise than `a` may cut its pairs too.
  return dequantize.getFormat().getFormat()->getNumerics().isInsideUnitDisc() &&
         dequantize.getLayout().columns % 2 == 0;
}

/// The values of `a` where the program itself holds them, else null.
static FailureOr<Tensor> getValues(DiagonalScanOp op) {
  DequantizeOp dequantize = getEncoded(op);
  if (!dequantize) {
    Type element = cast<RankedTensorType>(op.getA().getType()).getElementType();
    Tensor constant = getConstant(op.getA(), element.isF16()    ? DType::F16
                                             : element.isBF16() ? DType::BF16
                                                                : DType::F32);
    return constant ? constant.toF32() : constant;
  }
  ::ssmq::EncodedTensor encoded;
  encoded.codes = getConstant(dequantize.getCodes(), DType::I8);
  if (dequantize.getScales())
    encoded.scales = getConstant(dequantize.getScales(), DType::I8);
  if (!encoded.codes || (dequantize.getScales() && !encoded.scales))
    return Tensor();
  llvm::Expected<Tensor> values =
      ::ssmq::decode(*dequantize.getFormat().getFormat(), encoded, dequantize.getLayout());
  if (!values)
    return op.emitOpError() << llvm::toString(values.takeError());
  return *values;
}

LogicalResult mlir::ssm::verifyStable(DiagonalScanOp op) {
  if (isStableByFormat(op))
    return success();
  FailureOr<Tensor> values = getValues(op);
  if (failed(values))
    return failure();
  if (!*values)
    return op.emitOpError(
        "is stable, but |a| < 1 cannot be shown: `a` is neither a constant nor in "
        "a format that holds nothing else; run --ssmq-mark-stable");
  int64_t numHeads = op.getState().getType().getDimSize(0);
  SmallVector<UnstableHead> heads = findUnstableHeads(values->data<float>(), numHeads);
  if (heads.empty())
    return success();
  const UnstableHead &first = heads.front();
  return op.emitOpError() << "is stable, but |a| is "
                          << llvm::formatv("{0:f6}", first.magnitude).str() << " at state "
                          << first.state << " of head " << first.head;
}
