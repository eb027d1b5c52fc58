//===- UniformType.cpp - Integers in upstream's quantized types -----------===//

#include "UniformType.h"

#include "ssmq/Formats/Numerics.h"
#include <cmath>

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::Sharing;
using ::ssmq::Tensor;

UniformCodes mlir::ssm::getUniformCodes(const ::ssmq::QuantizedTensor &quantized, unsigned bits) {
  UniformCodes result;
  result.bits = bits;
  llvm::append_range(result.codes, quantized.codes.data<int8_t>());
  Tensor scales = quantized.scales.toF32();
  llvm::append_range(result.scales, scales.data<float>());
  result.zeroPoints.resize(result.scales.size());
  if (quantized.zeroPoints)
    llvm::copy(quantized.zeroPoints.data<int8_t>(), result.zeroPoints.begin());
  bool isWhole = quantized.scales.getDim(1) == 1;
  result.sharing = isWhole ? Sharing::PerChannel : Sharing::Group;
  result.groupSize = quantized.groupSize;
  return result;
}

llvm::Expected<std::optional<UniformCodes>>
mlir::ssm::getUniformCodes(const ::ssmq::Format &format, const ::ssmq::EncodedTensor &encoded,
                           const ::ssmq::ValueLayout &layout) {
  const ::ssmq::Numerics &numerics = format.getNumerics();
  Sharing::Kind sharing = format.getSharing().kind;
  if (!numerics.getInteger() || sharing == Sharing::PerHead)
    return std::nullopt;
  llvm::Expected<Tensor> values = ::ssmq::decode(format, encoded, layout);
  if (!values)
    return values.takeError();
  llvm::Expected<::ssmq::Runs> runs = format.getRuns(layout);
  if (!runs)
    return runs.takeError();
  UniformCodes result;
  result.bits = numerics.getCodeBits();
  result.sharing = sharing;
  result.groupSize = runs->runSize;
  result.codes.resize(layout.getNumElements());
  int64_t lowest = -(int64_t(1) << (result.bits - 1)), perUnit = runs->getRunsPerUnit();
  const auto *bytes = static_cast<const uint8_t *>(encoded.scales.getRawData());
  for (int64_t run = 0; run < runs->getNumScales(); ++run) {
    ::ssmq::RunGrid grid = numerics.loadGrid(bytes + run * numerics.getRunBytes());
    bool hasZeroPoint = numerics.isAsymmetric() && grid.scale != 0;
    int64_t zeroPoint = hasZeroPoint ? lowest - static_cast<int64_t>(grid.lowCode) : 0;
    result.scales.push_back(grid.scale);
    result.zeroPoints.push_back(zeroPoint);
    int64_t inUnit = run % perUnit * runs->runSize;
    int64_t begin = run / perUnit * runs->unitSize + inUnit;
    int64_t end = begin + std::min(runs->runSize, runs->unitSize - inUnit);
    // Values are products of a code and the scale that f32 holds exactly.
    for (int64_t i = begin; i < end && grid.scale != 0; ++i)
      result.codes[i] = static_cast<int32_t>(std::nearbyint(values->data<float>()[i] / grid.scale) +
                                             static_cast<double>(zeroPoint));
  }
  return std::optional(std::move(result));
}

quant::QuantizedType mlir::ssm::getUniformType(MLIRContext *context, const UniformCodes &codes,
                                               ArrayRef<int64_t> shape) {
  unsigned flags = quant::QuantizationFlags::Signed;
  auto storage = IntegerType::get(context, codes.bits);
  auto expressed = Float32Type::get(context);
  int64_t least = quant::QuantizedType::getDefaultMinimumForInteger(/*isSigned=*/true, codes.bits);
  int64_t most = quant::QuantizedType::getDefaultMaximumForInteger(/*isSigned=*/true, codes.bits);
  std::vector<double> scales = codes.scales;
  for (double &scale : scales)
    scale = scale == 0 ? 1 : scale;
  if (codes.sharing == Sharing::PerTensor || shape.size() < 2)
    return quant::UniformQuantizedType::get(flags, storage, expressed, scales.front(),
                                            codes.zeroPoints.front(), least, most);
  if (codes.sharing != Sharing::Group)
    return quant::UniformQuantizedPerAxisType::get(
        flags, storage, expressed, scales, codes.zeroPoints, /*quantizedDimension=*/0, least, most);
  // Groups run along the last dimension; the ones between have nothing to share.
  int64_t columns = shape.back(), last = static_cast<int64_t>(shape.size()) - 1;
  bool isFlat = llvm::all_of(shape.drop_front().drop_back(), [](int64_t dim) { return dim == 1; });
  if (columns % codes.groupSize != 0 || !isFlat)
    return nullptr;
  SmallVector<int64_t> counts(shape);
  counts.back() = columns / codes.groupSize;
  std::vector<APFloat> scaleValues;
  for (double scale : scales)
    scaleValues.emplace_back(static_cast<float>(scale));
  std::vector<APInt> zeroValues;
  for (int64_t zero : codes.zeroPoints)
    zeroValues.emplace_back(codes.bits, zero, /*isSigned=*/true);
  return quant::UniformQuantizedSubChannelType::get(
      flags, storage, expressed,
      DenseElementsAttr::get(RankedTensorType::get(counts, expressed), scaleValues),
      DenseElementsAttr::get(RankedTensorType::get(counts, storage), zeroValues),
      {0, static_cast<int32_t>(last)}, {1, codes.groupSize}, least, most);
}

DenseElementsAttr mlir::ssm::getCodesAttribute(MLIRContext *context, const UniformCodes &codes,
                                               ArrayRef<int64_t> shape) {
  auto type = RankedTensorType::get(shape, IntegerType::get(context, codes.bits));
  std::vector<APInt> values;
  values.reserve(codes.codes.size());
  for (int32_t code : codes.codes)
    values.emplace_back(codes.bits, code, /*isSigned=*/true);
  return DenseElementsAttr::get(type, values);
}
