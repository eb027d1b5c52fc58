//===- Sites.h - Values that can be quantized -------------------*- C++ -*-===//
//
// A site is a place of a program that can hold quantized values. The ops with
// QuantizableOpInterface tell which of their operands are sites; here they get names, shapes and
// sizes.
//
// - A weight is one site with all its uses (a tied head is a use of the embedding's table). All of
//   them must be weight operands. It is named as in the checkpoint: the tensor
//   `layers.0.mixer.in_proj.weight` is the site `layers.0.mixer.in_proj:weight`.
// - A norm weight or an SSM parameter is an operand that depends on weights alone.
// - Anything else is one operand, named by its op's path and its role: `layers.0.mixer.scan:state`.
//   Operands that read the same value under the same name are one site.
//
// An op without a path is named by its position among the ops of its kind: `linalg.matmul#2:input`.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_ANALYSIS_SITES_H
#define SSMQ_ANALYSIS_SITES_H

#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "ssmq/Formats/ValueLayout.h"

namespace mlir {
class DialectRegistry;
class ModuleOp;
} // namespace mlir

namespace mlir::ssm {

struct Site {
  std::string name;
  ::ssmq::SiteKind kind = ::ssmq::SiteKind::Weight;
  /// The operands that read it.
  SmallVector<OpOperand *> uses;
  /// Of a weight that is a tensor of the checkpoint; null otherwise.
  ml_program::GlobalOp global;
  /// The dimension of a weight that gives the rows.
  unsigned channelDim = 0;
  /// As in ssmq::ValueLayout; no rows where rows are tokens.
  int64_t rows = 0, columns = 0, headSize = 0;
  /// Numbers held, and their bytes in the element type of the program (of a weight or what depends
  /// on one, of the checkpoint). Of activations and caches for one token, else of the whole.
  int64_t elements = 0, numBytes = 0;
  /// Rounded by the op after each token, not where the operand comes from.
  bool insideOp = false;

  /// The op that stands for it: the global, the constant, or what computes or reads the value.
  Operation *getHolder() const;
  /// The distinct values that the uses read.
  SmallVector<Value> getValues() const;
  /// The layout of a value of `tokens` tokens.
  ::ssmq::ValueLayout getLayout(int64_t tokens = 0) const;
};

/// The sites of the given kinds (all when empty) of @forward, or of every function where there is
/// no @forward, in program order. Those that are quantized already are left out.
SmallVector<Site> findSites(ModuleOp module, ArrayRef<::ssmq::SiteKind> kinds = {});

/// The same with those that are quantized already (but for packed weights), under the names that
/// they had before. A weight in codes has the global of its codes.
SmallVector<Site> findSitesAndStored(ModuleOp module);

/// Attaches QuantizableOpInterface to ops of other dialects: to those of arith, which report what
/// the attribute `ssm.sites` marks.
void registerQuantizableModels(DialectRegistry &registry);

/// Totals over all weights of the module, sites or not.
struct WeightTotals {
  int64_t numElements = 0, numBytes = 0;
};
WeightTotals getWeightTotals(ModuleOp module);

} // namespace mlir::ssm

#endif // SSMQ_ANALYSIS_SITES_H
