//===- Budget.h - How large a model may become ------------------*- C++ -*-===//
//
// A budget is for the whole model as stored: codes, scales and zero points of quantized weights and
// all tensors that stay as they are. In bits a weight it is
//   8 * (stored bytes) / (parameters of the whole model),
// where a tied weight counts once on both sides.
//
//   4.5bpw        bits a weight
//   3MB 1.2GB     powers of 1000 (kB, MB, GB)
//   2.5MiB        powers of 1024 (KiB, MiB, GiB)
//   1200000B      bytes
// A number without a unit is an error.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_ASSIGN_BUDGET_H
#define SSMQ_ASSIGN_BUDGET_H

#include "ssmq/Measure/SensitivityTable.h"

namespace ssmq {

class Budget {
public:
  static llvm::Expected<Budget> parse(llvm::StringRef text);

  /// Bytes of the whole model, rounded down.
  int64_t getBytes(const ModelSize &size) const;

private:
  Budget(double amount, bool perWeight) : amount(amount), perWeight(perWeight) {}

  /// Bits a weight, or bytes.
  double amount;
  bool perWeight;
};

/// Fails when a budget in bytes lies below `smallest`, what all sites need at the least.
llvm::Error checkReachable(int64_t budget, int64_t smallest, const ModelSize &size);

/// The same for the declared candidates of a table, measured or not: ask before a long sweep.
llvm::Error checkReachable(int64_t budget, const SensitivityTable &table);

/// 0 for a model without parameters.
double getBitsPerWeight(int64_t bytes, const ModelSize &size);

} // namespace ssmq

#endif // SSMQ_ASSIGN_BUDGET_H
