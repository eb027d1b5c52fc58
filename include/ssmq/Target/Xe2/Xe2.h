//===- Xe2.h - The GPU of Lunar Lake ----------------------------*- C++ -*-===//
//
// A model of time for launches counted beforehand: a launch takes the longer of what memory and
// what the matrix units need, and a gap before the next one may begin. It says what the hardware
// allows, not what a kernel reaches.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_TARGET_XE2_XE2_H
#define SSMQ_TARGET_XE2_XE2_H

#include "ssmq/Target/Xe2/LaunchCounts.h"
#include "llvm/Support/raw_ostream.h"

namespace mlir::ssm {

/// Sources: Intel, "Lunar Lake" architecture (Hot Chips 2024 and Tech Tour 2024): 8 Xe2 cores of 8
/// vector engines at 2.05 GHz; 67 int8 TOPS of the matrix units; LPDDR5X-8533 on 128 bits, which
/// CPU and GPU share. The gap between launches of an in-order queue is an assumption.
struct Xe2 {
  static constexpr int64_t vectorEngines = 64;
  static constexpr double clockHz = 2.05e9;
  /// Multiply-adds of f16 a second (half of int8): 67e12 / 2 / 2 operations.
  static constexpr double dpasMultiplyAddsPerSecond = 67e12 / 4;
  static constexpr double bytesPerSecond = 8533e6 * 128 / 8;
  static constexpr double secondsPerLaunch = 4e-6;
};

struct Xe2Estimate {
  int64_t launches = 0, groups = 0;
  int64_t bytesRead = 0, bytesWritten = 0, weightBytesRead = 0, weightBytesLoaded = 0;
  int64_t stateBytesMoved = 0;
  int64_t dpas = 0, dpasMultiplyAdds = 0;
  double seconds = 0;
};

Xe2Estimate estimateXe2(ArrayRef<LaunchCount> launches);

/// A table of the launches of one step, by kernel, with its sums and the estimate.
void printEstimate(StringRef title, ArrayRef<LaunchCount> launches, llvm::raw_ostream &stream);

} // namespace mlir::ssm

#endif // SSMQ_TARGET_XE2_XE2_H
