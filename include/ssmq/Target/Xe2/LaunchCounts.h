//===- LaunchCounts.h - What launches of kernels move and do ----*- C++ -*-===//
//
// Counted from the kernels as --ssmq-xe-launches makes them: the code of each work-group is
// followed through its loops and branches, whose bounds depend on nothing but where a work-item is,
// the number of tokens and the position. So all numbers are exact, but for one rule: of a buffer
// that work-items load more often than it has bytes, each byte is taken to come from memory once.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_TARGET_XE2_LAUNCHCOUNTS_H
#define SSMQ_TARGET_XE2_LAUNCHCOUNTS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::ssm {

struct LaunchCount {
  std::string kernel;
  int64_t groups = 0;
  /// Bytes that come from memory and go there; those of weights among the former.
  int64_t bytesRead = 0, bytesWritten = 0, weightBytesRead = 0;
  /// Bytes of states and caches among both.
  int64_t stateBytesMoved = 0;
  /// Bytes of weights that work-items load, each as often as they load it.
  int64_t weightBytesLoaded = 0;
  /// Matrix products (dpas) of sub-groups, and their multiply-adds.
  int64_t dpas = 0, dpasMultiplyAdds = 0;
};

/// The launches of an entry that is given `tokens` tokens after `position` others, in order. Fails
/// with a diagnostic where a kernel's control flow depends on other data.
FailureOr<SmallVector<LaunchCount>> countLaunches(func::FuncOp entry, int64_t tokens,
                                                  int64_t position);

} // namespace mlir::ssm

#endif // SSMQ_TARGET_XE2_LAUNCHCOUNTS_H
