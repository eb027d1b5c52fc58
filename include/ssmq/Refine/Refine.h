//===- Refine.h - Better codes for the same bits ----------------*- C++ -*-===//

#ifndef SSMQ_REFINE_REFINE_H
#define SSMQ_REFINE_REFINE_H

#include "ssmq/Refine/GPTQ.h"

namespace ssmq {

/// How codes and scales are chosen.
enum class RefineMethod : uint8_t {
  /// The scales of least squared error of the weight.
  MSE,
  /// The scales of least error weighted by the mean square of each column's input: the diagonal of
  /// the Hessian.
  Hessian,
  GPTQ
};

/// "mse", "hessian", "gptq".
llvm::StringRef getName(RefineMethod method);
/// The error names the methods.
llvm::Expected<RefineMethod> parseRefineMethod(llvm::StringRef name);

/// The weight (f32, f16, bf16; its leading dimension counts the rows) in a format with codes, its
/// tensors of the same types and shapes as those of Format::quantize. `hessian` is of the inputs
/// that the columns are multiplied by, or null, when the scales of least squared error are taken.
/// Fails as Format::quantize does, and when the Hessian is not finite or has other columns.
llvm::Expected<QuantizedTensor> refineWeight(const Format &format, const Tensor &weight,
                                             RefineMethod method, const Hessian *hessian,
                                             const GPTQOptions &options = {});

} // namespace ssmq

#endif // SSMQ_REFINE_REFINE_H
