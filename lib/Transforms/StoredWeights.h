//===- StoredWeights.h - Weights written in their formats -------*- C++ -*-===//
//
// A weight, norm or parameter takes one of three forms in a quantized program:
//   codes      !quant.any with scales and zero points as operands: integers of 2 to 8 bits per
//              channel or group at ops of the ssm dialect that take them;
//   float      f16 or bf16 at ops of the ssm dialect;
//   encoded    ssm.dequantize of packed bytes: everything else.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_TRANSFORMS_STOREDWEIGHTS_H
#define SSMQ_LIB_TRANSFORMS_STOREDWEIGHTS_H

#include "ssmq/Analysis/MixMeasurement.h"
#include "ssmq/Formats/Encoding.h"
#include "ssmq/Import/Safetensors.h"

namespace mlir::ssm {

/// A site's value in its format, before the program is changed.
struct StoredWeight {
  const Site *site = nullptr;
  std::shared_ptr<const ::ssmq::Format> format;
  /// One of the three.
  std::optional<::ssmq::QuantizedTensor> quantized;
  std::optional<::ssmq::EncodedTensor> encoded;
  ::ssmq::Tensor floats;
};

/// Puts a value (in the shape that the program has) into the format of its site.
llvm::Expected<StoredWeight> storeWeight(const SiteChange &wanted, const ::ssmq::Tensor &value,
                                         unsigned threads);

/// Rewrites a program to read stored weights.
class WeightRewriter {
public:
  explicit WeightRewriter(ModuleOp module);

  LogicalResult rewrite(const StoredWeight &weight);
  /// Removes what computed values that are stored now, and globals that nothing reads any more.
  void removeDead();
  /// What the program reads that no checkpoint had.
  std::vector<::ssmq::NamedTensor> takeTensors() { return std::move(tensors); }

private:
  /// The global that holds the codes: the one that only this site reads, with another type, or a
  /// new one.
  ml_program::GlobalOp takeGlobal(const Site &site, RankedTensorType type);
  ml_program::GlobalOp addGlobal(StringRef name, RankedTensorType type, Operation *behind);
  void addTensor(ml_program::GlobalOp global, ::ssmq::Tensor tensor);
  LogicalResult rewriteQuantized(const StoredWeight &weight);
  void rewriteOther(const StoredWeight &weight);

  ModuleOp module;
  SymbolTable symbols;
  std::vector<::ssmq::NamedTensor> tensors;
  /// What may be dead, and the globals that it loads.
  SmallVector<Operation *> replaced;
  llvm::SetVector<Operation *> globals;
};

} // namespace mlir::ssm

#endif // SSMQ_LIB_TRANSFORMS_STOREDWEIGHTS_H
