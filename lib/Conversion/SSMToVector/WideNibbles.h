//===- WideNibbles.h - Products with 4-bit codes, 32 bits at a time -*- C++ -*-===//
//
// The fast way through rows of 4-bit codes: a lane takes the eight codes of 32 bits, and a code
// becomes a float by a shift and a bitwise operation, without a conversion. Moved into the upper
// bits of the fraction of 16.0, the offset code c + 8 gives the float 16 + (c + 8); what is too
// much, 24 times the other factors of the lane, is where the lane's sum starts from.
//
// A chunk is eight codes a lane. Scales and zero points are vectors with each lane's own, so that a
// vector may hold several groups.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOVECTOR_WIDENIBBLES_H
#define SSMQ_LIB_CONVERSION_SSMTOVECTOR_WIDENIBBLES_H

#include "KernelBuilder.h"

namespace mlir::ssm {

class WideNibbles {
public:
  using Values = KernelBuilder::Values;

  WideNibbles(KernelBuilder &k, Value weight, Value scales, Value zeroPoints, int64_t groupSize,
              int64_t columns)
      : k(k), weight(weight), scales(scales), zeroPoints(zeroPoints), groupSize(groupSize),
        columns(columns), lanes(k.lanesFor(columns / kCodes)) {}

  /// Whether rows of this form can be read: no lane has codes of two groups, and groups and chunks
  /// begin together.
  static bool canRead(const KernelBuilder &k, int64_t groupSize, int64_t columns);

  int64_t getLanes() const { return lanes; }
  /// The rows of `other` in the order of lanes, each chunk followed by the sums of its lanes.
  Value arrange(Value other);
  /// Adds the products of rows and (arranged) tokens to `sums`, rows outermost.
  Values dots(Value arranged, ArrayRef<Value> rows, ArrayRef<Value> tokens, ValueRange sums);

private:
  static constexpr int64_t kCodes = 8;

  int64_t chunkColumns() const { return kCodes * lanes; }
  Value perLane(Value matrix, Value row, Value column, int64_t count);
  Values loadCodes(Value row, Value column, int64_t count);
  Values chunk(Value arranged, ArrayRef<Value> rows, ArrayRef<Value> tokens, Value column,
               int64_t count, ValueRange sums);

  KernelBuilder &k;
  Value weight, scales, zeroPoints;
  int64_t groupSize, columns, lanes;
};

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOVECTOR_WIDENIBBLES_H
