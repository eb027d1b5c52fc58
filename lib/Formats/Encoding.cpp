//===- Encoding.cpp - Values in codes of any format -----------------------===//

#include "ssmq/Formats/Encoding.h"

#include "ssmq/Formats/Numerics.h"
#include "ssmq/Support/Parallel.h"
#include <atomic>

using namespace llvm;

namespace ssmq {

Expected<EncodedShape> getEncodedShape(const Format &format, const ValueLayout &layout) {
  if (format.needsRanges())
    return createStringError("format '" + format.getSpelling() +
                             "' takes ranges from calibration and stores no values");
  if (Error error = format.checkLayout(layout))
    return std::move(error);
  Expected<Runs> runs = format.getRuns(layout);
  if (!runs)
    return runs.takeError();
  const Numerics &numerics = format.getNumerics();
  return EncodedShape{layout.rows, numerics.getRowBytes(layout.columns), runs->getNumScales(),
                      numerics.getRunBytes()};
}

static void packRow(ArrayRef<uint32_t> codes, unsigned bits, uint8_t *to) {
  uint64_t window = 0;
  unsigned filled = 0;
  for (uint32_t code : codes) {
    window |= static_cast<uint64_t>(code) << filled;
    for (filled += bits; filled >= 8; filled -= 8, window >>= 8)
      *to++ = static_cast<uint8_t>(window);
  }
  if (filled)
    *to = static_cast<uint8_t>(window);
}

static void unpackRow(const uint8_t *from, unsigned bits, MutableArrayRef<uint32_t> codes) {
  uint64_t window = 0;
  unsigned filled = 0;
  for (uint32_t &code : codes) {
    for (; filled < bits; filled += 8)
      window |= static_cast<uint64_t>(*from++) << filled;
    code = static_cast<uint32_t>(window) & ((1u << bits) - 1);
    window >>= bits;
    filled -= bits;
  }
}

/// Calls body(scale, begin, size) for each run.
static void forEachRun(const Runs &runs, unsigned threads,
                       function_ref<void(int64_t scale, int64_t begin, int64_t size)> body) {
  int64_t perUnit = runs.getRunsPerUnit();
  parallelFor(threads, runs.getNumScales(), [&](int64_t first, int64_t end) {
    for (int64_t scale = first; scale < end; ++scale) {
      int64_t inUnit = scale % perUnit * runs.runSize;
      body(scale, scale / perUnit * runs.unitSize + inUnit,
           std::min(runs.runSize, runs.unitSize - inUnit));
    }
  });
}

static void forEachRow(int64_t rows, unsigned threads, function_ref<void(int64_t row)> body) {
  parallelFor(threads, rows, [&](int64_t first, int64_t end) {
    for (int64_t row = first; row < end; ++row)
      body(row);
  });
}

Expected<EncodedTensor> encode(const Format &format, const Tensor &value, const ValueLayout &layout,
                               unsigned threads) {
  Expected<EncodedShape> shape = getEncodedShape(format, layout);
  if (!shape)
    return shape.takeError();
  Expected<Runs> runs = format.getRuns(layout);
  if (!runs)
    return runs.takeError();
  Tensor floats = value.toF32();
  ArrayRef<float> values = floats.data<float>();
  if (static_cast<int64_t>(values.size()) != layout.getNumElements())
    return createStringError("the value has " + Twine(values.size()) +
                             " elements, but its layout is " + Twine(layout.rows) + " x " +
                             Twine(layout.columns));
  const Numerics &numerics = format.getNumerics();
  EncodedTensor result;
  result.codes = Tensor::zeros(DType::I8, {shape->rows, shape->rowBytes});
  uint8_t *scales = nullptr;
  if (shape->hasScales()) {
    result.scales = Tensor::zeros(DType::I8, {shape->numScales, shape->scaleBytes});
    scales = static_cast<uint8_t *>(result.scales.getMutableRawData());
  }

  int64_t valueSize = numerics.getValueSize(), rowCodes = layout.columns / valueSize;
  std::vector<uint32_t> codes(values.size() / valueSize);
  std::atomic<bool> failed{false};
  forEachRun(*runs, threads, [&](int64_t scale, int64_t begin, int64_t size) {
    ArrayRef<float> run = values.slice(begin, size);
    RunGrid grid;
    if (numerics.fit(numerics.findRange(run), grid) != RunFault::None) {
      failed = true;
      return;
    }
    if (scales)
      numerics.storeGrid(grid, scales + scale * shape->scaleBytes);
    numerics.encode(run, grid, MutableArrayRef(codes).slice(begin / valueSize, size / valueSize));
  });
  if (failed)
    return format.round(value, layout, nullptr, threads).takeError(); // the same fault, in words
  auto *packed = static_cast<uint8_t *>(result.codes.getMutableRawData());
  forEachRow(layout.rows, threads, [&](int64_t row) {
    packRow(ArrayRef(codes).slice(row * rowCodes, rowCodes), numerics.getCodeBits(),
            packed + row * shape->rowBytes);
  });
  return result;
}

static Error checkShape(const Tensor &tensor, StringRef name, int64_t rows, int64_t columns) {
  if (tensor && tensor.getDType() == DType::I8 && tensor.getNumBytes() == rows * columns)
    return Error::success();
  return createStringError(name + " must be " + Twine(rows) + " x " + Twine(columns) + " bytes");
}

Expected<Tensor> decode(const Format &format, const EncodedTensor &encoded,
                        const ValueLayout &layout, unsigned threads) {
  Expected<EncodedShape> shape = getEncodedShape(format, layout);
  if (!shape)
    return shape.takeError();
  Expected<Runs> runs = format.getRuns(layout);
  if (!runs)
    return runs.takeError();
  if (Error error = checkShape(encoded.codes, "codes", shape->rows, shape->rowBytes))
    return std::move(error);
  if (shape->hasScales())
    if (Error error = checkShape(encoded.scales, "scales", shape->numScales, shape->scaleBytes))
      return std::move(error);
  const Numerics &numerics = format.getNumerics();
  int64_t valueSize = numerics.getValueSize(), rowCodes = layout.columns / valueSize;
  std::vector<uint32_t> codes(layout.getNumElements() / valueSize);
  const auto *packed = static_cast<const uint8_t *>(encoded.codes.getRawData());
  forEachRow(layout.rows, threads, [&](int64_t row) {
    unpackRow(packed + row * shape->rowBytes, numerics.getCodeBits(),
              MutableArrayRef(codes).slice(row * rowCodes, rowCodes));
  });
  const auto *scales =
      shape->hasScales() ? static_cast<const uint8_t *>(encoded.scales.getRawData()) : nullptr;
  Tensor result = Tensor::empty(DType::F32, {layout.rows, layout.columns});
  MutableArrayRef<float> values = result.mutableData<float>();
  forEachRun(*runs, threads, [&](int64_t scale, int64_t begin, int64_t size) {
    RunGrid grid = numerics.loadGrid(scales ? scales + scale * shape->scaleBytes : nullptr);
    numerics.decode(ArrayRef(codes).slice(begin / valueSize, size / valueSize), grid,
                    values.slice(begin, size));
  });
  return result;
}

} // namespace ssmq
