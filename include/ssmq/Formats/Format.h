//===- Format.h - How the values of a site are stored -----------*- C++ -*-===//
//
// A format turns a float weight into codes with scales and back. This room is the only one that
// rounds: interpreter, rewrite, tests and Python all call it.
//
// A weight is seen as a matrix of rows (output channels) and columns (everything else); runs of
// `groupSize` columns of one row share a scale, and the last run may be shorter. Scales are f16.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_FORMATS_FORMAT_H
#define SSMQ_FORMATS_FORMAT_H

#include "ssmq/Support/Tensor.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <string>

namespace ssmq {

/// Counts up when a format gives other values than before, so that old measurements are known.
inline constexpr llvm::StringLiteral formatNumericsVersion = "1";

/// A weight in codes: value = (code - zero point) * scale, exact in f32 for codes of up to 8 bits.
struct QuantizedTensor {
  /// Codes as i8, one a byte, in the shape of the weight.
  Tensor codes;
  /// f16 [rows, groups].
  Tensor scales;
  /// i8 [rows, groups]; null when the format is symmetric.
  Tensor zeroPoints;
  int64_t groupSize = 0;
};

class Format {
public:
  virtual ~Format();

  /// The canonical spelling, which parseFormat reads back.
  virtual std::string getSpelling() const = 0;
  /// Bits of one code, 2 to 8.
  virtual unsigned getCodeBits() const = 0;
  virtual bool hasZeroPoints() const = 0;
  /// Columns that share a scale in a row of `columns`.
  virtual int64_t getGroupSize(int64_t columns) const = 0;

  /// Quantizes a weight (f32, f16, bf16) whose leading dimension counts the rows. Fails on values
  /// that are not finite and on those too large for an f16 scale.
  virtual llvm::Expected<QuantizedTensor> quantize(const Tensor &weight,
                                                   unsigned threads = 1) const = 0;

  /// Bytes of packed codes (rows rounded up to whole bytes), scales and zero points.
  int64_t getNumBytes(int64_t rows, int64_t columns) const;
};

/// The weight in f32.
Tensor dequantize(const QuantizedTensor &quantized);

/// What a weight becomes when it is stored in `format`: dequantize(quantize(weight)).
llvm::Expected<Tensor> fakeQuantize(const Format &format, const Tensor &weight,
                                    unsigned threads = 1);

/// Reads a canonical spelling (`i4 sym group=128`, `i8 asym per_channel`) or a short one
/// (`int4:g128`, `int8:channel`, `int4:g64:asym`). The error says what is understood.
llvm::Expected<std::shared_ptr<const Format>> parseFormat(llvm::StringRef spelling);

} // namespace ssmq

#endif // SSMQ_FORMATS_FORMAT_H
