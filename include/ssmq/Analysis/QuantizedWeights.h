//===- QuantizedWeights.h - Weights that are stored in codes ----*- C++ -*-===//

#ifndef SSMQ_ANALYSIS_QUANTIZEDWEIGHTS_H
#define SSMQ_ANALYSIS_QUANTIZEDWEIGHTS_H

#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "ssmq/Formats/Tiling.h"
#include <memory>

namespace ssmq {
class Format;
class WeightStore;
struct QuantizedTensor;
} // namespace ssmq

namespace mlir {
class ModuleOp;
}

namespace mlir::ssm {

/// A tensor of the checkpoint in codes, of `!quant.any` or in tiles, with its scales and zero
/// points.
struct QuantizedWeight {
  ml_program::GlobalOp codes, scales;
  /// Null when the codes are symmetric.
  ml_program::GlobalOp zeroPoints;
  int64_t groupSize = 0;
  unsigned bits = 0;
  std::optional<::ssmq::TileLayout> tiles;
  /// The operands that read the codes.
  SmallVector<OpOperand *> uses;

  StringRef getName() const;
  /// Of the global: its bytes, where they are tiles.
  RankedTensorType getType() const;
  /// The format that gives such codes.
  llvm::Expected<std::shared_ptr<const ::ssmq::Format>> getFormat() const;
  /// What the checkpoint holds; the error names what is missing or has another size.
  llvm::Expected<::ssmq::QuantizedTensor> read(const ::ssmq::WeightStore &store) const;
};

/// Those of @forward (of every function where there is no @forward) that linear layers, embeddings
/// and convolutions read, in program order.
SmallVector<QuantizedWeight> findQuantizedWeights(ModuleOp module);

} // namespace mlir::ssm

#endif // SSMQ_ANALYSIS_QUANTIZEDWEIGHTS_H
