//===- WeightSites.h - Weights that can be quantized ------------*- C++ -*-===//
//
// A weight site is a weight of the checkpoint all of whose uses are weight operands of ops with
// QuantizableOpInterface. Weights that several ops share (a tied head) are one site. Its name is
// the model's path and the operand: the tensor `layers.0.mixer.in_proj.weight` is the site
// `layers.0.mixer.in_proj:weight`.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_ANALYSIS_WEIGHTSITES_H
#define SSMQ_ANALYSIS_WEIGHTSITES_H

#include "mlir/Dialect/MLProgram/IR/MLProgram.h"

namespace mlir {
class ModuleOp;
}

namespace mlir::ssm {

struct WeightSite {
  std::string name;
  ml_program::GlobalOp global;
  SmallVector<ml_program::GlobalLoadConstOp> loads;
  /// The weight operands that read it.
  SmallVector<OpOperand *> uses;
  /// The weight as a matrix: channels and everything else.
  int64_t rows = 0, columns = 0;
  /// In the element type of the checkpoint.
  int64_t numBytes = 0;

  int64_t getNumElements() const { return rows * columns; }
};

/// In program order; weights that are quantized already are left out.
SmallVector<WeightSite> findWeightSites(ModuleOp module);

/// Totals over all weights of the module, sites or not.
struct WeightTotals {
  int64_t numElements = 0, numBytes = 0;
};
WeightTotals getWeightTotals(ModuleOp module);

} // namespace mlir::ssm

#endif // SSMQ_ANALYSIS_WEIGHTSITES_H
