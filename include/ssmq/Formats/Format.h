//===- Format.h - How the values of a site are stored -----------*- C++ -*-===//
//
// A format is numerics (how values that share a scale are rounded, see Numerics.h) with a sharing
// (which values do, see Sharing.h) and a range: dynamic, from the values themselves, or static,
// from calibration (see StaticRanges.h). This room is the only one that rounds: interpreter,
// rewrite, tests and Python all call it. docs/Formats.md lists the formats and their error bounds.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_FORMATS_FORMAT_H
#define SSMQ_FORMATS_FORMAT_H

#include "ssmq/Formats/Sharing.h"
#include "ssmq/Support/Tensor.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <string>

namespace ssmq {

class Numerics;
class StaticRanges;

/// Counts up when a format gives other values than before, so that old measurements are known.
inline constexpr llvm::StringLiteral formatNumericsVersion = "2";

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

/// A percentile in (50, 100], in millionths of a percent so that it compares exactly.
struct Percentile {
  int64_t millionths = 0;

  std::string getSpelling() const;
};

/// Rounding failed although every value is finite and the layout is legal: the values are too
/// large, or of both signs where the format takes logarithms. A sweep leaves such a candidate out.
class UnfitValueError : public llvm::ErrorInfo<UnfitValueError> {
public:
  static char ID; // NOLINT(readability-identifier-naming): ErrorInfo wants this name

  explicit UnfitValueError(std::string message) : text(std::move(message)) {}
  void log(llvm::raw_ostream &stream) const override;
  std::error_code convertToErrorCode() const override;

private:
  std::string text;
};

class Format {
public:
  /// Without a percentile the format is dynamic.
  Format(std::shared_ptr<const Numerics> numerics, Sharing sharing,
         std::optional<Percentile> percentile);

  /// The canonical spelling, which parseFormat reads back.
  std::string getSpelling() const;
  const Numerics &getNumerics() const { return *numerics; }
  Sharing getSharing() const { return sharing; }
  /// Of static formats only.
  std::optional<Percentile> getPercentile() const { return percentile; }

  /// Why the format cannot hold a value of this layout, such as per_head without heads.
  llvm::Error checkLayout(const ValueLayout &layout) const;
  /// The runs of a layout that share scales.
  llvm::Expected<Runs> getRuns(const ValueLayout &layout) const;
  bool needsRanges() const { return percentile.has_value(); }
  /// Whether a value of this layout is stored in the same way in the other format, as when a group
  /// is longer than a row.
  bool isSameOn(const Format &other, const ValueLayout &layout) const;

  /// What the value (f32, f16 or bf16, of any shape) becomes when it is stored: f32 of the same
  /// shape. Static formats need `ranges`, others ignore them. Fails on values that are not finite
  /// and, by an UnfitValueError, on those that the format cannot hold. Bits do not depend on
  /// `threads`.
  llvm::Expected<Tensor> round(const Tensor &value, const ValueLayout &layout,
                               const StaticRanges *ranges, unsigned threads = 1) const;
  /// The same in place, as for a state after each step. After an error the values are undefined.
  llvm::Error roundInPlace(llvm::MutableArrayRef<float> values, const ValueLayout &layout,
                           const StaticRanges *ranges, unsigned threads = 1) const;

  /// Bytes of codes (each row rounded up to whole bytes) and of what scales need; 0 for a layout
  /// that the format cannot hold.
  int64_t getNumBytes(const ValueLayout &layout) const;

  /// Whether `quantize` has codes for this format: integers of 2 to 8 bits per channel or group.
  bool hasCodes() const;
  /// Bits of one code of `quantize`.
  unsigned getCodeBits() const;
  /// Quantizes a weight (f32, f16, bf16) whose leading dimension counts the rows; its values are
  /// those of `round`.
  llvm::Expected<QuantizedTensor> quantize(const Tensor &weight, unsigned threads = 1) const;

private:
  /// Rounds what `from` points to into `to`, which may be the same.
  llvm::Error roundTo(const float *from, llvm::MutableArrayRef<float> to, const ValueLayout &layout,
                      const StaticRanges *ranges, unsigned threads) const;

  std::shared_ptr<const Numerics> numerics;
  Sharing sharing;
  std::optional<Percentile> percentile;
};

/// The weight in f32.
Tensor dequantize(const QuantizedTensor &quantized);

/// What a weight becomes when it is stored in `format`; its leading dimension counts the rows.
llvm::Expected<Tensor> fakeQuantize(const Format &format, const Tensor &weight,
                                    unsigned threads = 1);

/// Reads a canonical spelling (`i4 sym group=128`, `f8E4M3 per_channel`, `bf16`) or a short one
/// (`int4:g128`, `f8e4m3:channel`, `int8:tensor:asym:static99.99`). The error says what is
/// understood.
llvm::Expected<std::shared_ptr<const Format>> parseFormat(llvm::StringRef spelling);

/// Formats worth measuring at sites of this kind when the user names none.
llvm::ArrayRef<llvm::StringLiteral> getDefaultFormats(SiteKind kind);

} // namespace ssmq

#endif // SSMQ_FORMATS_FORMAT_H
