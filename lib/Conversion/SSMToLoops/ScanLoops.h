//===- ScanLoops.h - ssm.diagonal_scan as loops -----------------*- C++ -*-===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOLOOPS_SCANLOOPS_H
#define SSMQ_LIB_CONVERSION_SSMTOLOOPS_SCANLOOPS_H

#include "CodedState.h"
#include "StoredMatrix.h"

namespace mlir::ssm {

/// The system of a scan, and its state, in their formats.
struct StoredScan {
  StoredMatrix a, b, c;
  std::optional<StoredMatrix> d;
  CodedState state;
};

/// Results of the op, and behind them the grids where `grids` is not null: `state` and `grids` have
/// the types that the stored state says.
LoopBuilder::Values emitScan(LoopBuilder &b, const StoredScan &scan, Value input, Value state,
                             Value grids);

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOLOOPS_SCANLOOPS_H
