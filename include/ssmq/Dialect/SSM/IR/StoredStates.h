//===- StoredStates.h - States in the format of their site ------*- C++ -*-===//
//
// An op that rounds its state (`state_format`) can hold it between calls as what it rounds to:
// a tensor of f16 or bf16, or of i8 codes with scales in f16 beside it, value = code * scale. The
// state then has the shape that it has in f32, and the scales are rows x runs of a row.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_DIALECT_SSM_IR_STOREDSTATES_H
#define SSMQ_DIALECT_SSM_IR_STOREDSTATES_H

#include "mlir/IR/BuiltinTypes.h"
#include "ssmq/Interfaces/QuantizableOpInterface.h"
#include <optional>

namespace mlir::ssm {

struct StoredState {
  Type elementType;
  /// Null without scales.
  RankedTensorType scales;
  /// Columns (of the last dimension) and rows that share a scale; 0 without scales.
  int64_t runColumns = 0, runRows = 0;
};

/// How the state of the op is stored; none where it has no format, or one without a stored form.
std::optional<StoredState> getStoredState(QuantizableOpInterface op);

} // namespace mlir::ssm

#endif // SSMQ_DIALECT_SSM_IR_STOREDSTATES_H
