//===- RunCodes.h - Codes and grids of a weight, run by run -----*- C++ -*-===//

#ifndef SSMQ_LIB_REFINE_RUNCODES_H
#define SSMQ_LIB_REFINE_RUNCODES_H

#include "ssmq/Formats/Format.h"
#include "ssmq/Formats/IntegerGrid.h"
#include "ssmq/Support/HalfFloat.h"

namespace ssmq {

/// Reads and writes a QuantizedTensor, which must outlive it. Different runs may be written by
/// different threads.
class RunCodes {
public:
  RunCodes(IntegerCodes codes, QuantizedTensor &tensor)
      : integers(codes), groupSize(tensor.groupSize), rows(tensor.scales.getDim(0)),
        groups(tensor.scales.getDim(1)), columns(tensor.codes.getNumElements() / rows),
        codes(tensor.codes.mutableData<int8_t>().data()),
        scales(static_cast<uint16_t *>(tensor.scales.getMutableRawData())),
        zeros(tensor.zeroPoints ? tensor.zeroPoints.mutableData<int8_t>().data() : nullptr) {}

  int64_t getNumRows() const { return rows; }
  int64_t getNumGroups() const { return groups; }
  int64_t getNumColumns() const { return columns; }
  /// The first column of a group and their number.
  std::pair<int64_t, int64_t> getColumns(int64_t group) const {
    int64_t first = group * groupSize;
    return {first, std::min(groupSize, columns - first)};
  }

  IntegerGrid getGrid(int64_t row, int64_t group) const {
    int64_t run = row * groups + group;
    return {halfToFloat(scales[run]), zeros ? zeros[run] : 0, integers.lowest(),
            integers.highest()};
  }
  void setGrid(int64_t row, int64_t group, const IntegerGrid &grid) {
    scales[row * groups + group] = floatToHalf(grid.scale);
    if (zeros)
      zeros[row * groups + group] = static_cast<int8_t>(grid.zero);
  }
  int getCode(int64_t row, int64_t column) const { return codes[row * columns + column]; }
  void setCode(int64_t row, int64_t column, int code) {
    codes[row * columns + column] = static_cast<int8_t>(code);
  }

private:
  IntegerCodes integers;
  int64_t groupSize, rows, groups, columns;
  int8_t *codes;
  uint16_t *scales;
  int8_t *zeros;
};

} // namespace ssmq

#endif // SSMQ_LIB_REFINE_RUNCODES_H
