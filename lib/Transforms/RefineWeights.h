//===- RefineWeights.h - Refines weights one after the other ----*- C++ -*-===//

#ifndef SSMQ_LIB_TRANSFORMS_REFINEWEIGHTS_H
#define SSMQ_LIB_TRANSFORMS_REFINEWEIGHTS_H

#include "ssmq/Analysis/QuantizedWeights.h"
#include "ssmq/Reference/InterpreterProgram.h"
#include "ssmq/Refine/Hessian.h"
#include "ssmq/Refine/Refine.h"

namespace mlir::ssm {

class CalibrationRun;

/// Refines quantized weights, each on the inputs that its readers have when all weights before it
/// are refined.
class WeightRefiner {
public:
  WeightRefiner(ArrayRef<QuantizedWeight> weights, const ::ssmq::WeightStore &original,
                ::ssmq::RefineMethod method, const ::ssmq::GPTQOptions &options)
      : weights(weights), original(&original), method(method), options(options),
        refined(weights.size()) {}

  /// Without inputs: the scales of least squared error.
  llvm::Error refineScales();
  /// `store` holds the codes that the program has now.
  llvm::Error refineOn(const InterpreterProgram &program, const ::ssmq::WeightStore &store,
                       ArrayRef<::ssmq::Sequence> sequences);

  /// One for each weight.
  ArrayRef<::ssmq::QuantizedTensor> getResults() const { return refined; }

private:
  llvm::Error refine(size_t index, const ::ssmq::Hessian *hessian);
  /// What the readers of a weight see: its refined values, or those it has now.
  llvm::Error replace(CalibrationRun &run, size_t index, const ::ssmq::WeightStore &store) const;
  /// The weights that several ops read, from one run of the program as it is.
  llvm::Error refineShared(const InterpreterProgram &program, const ::ssmq::WeightStore &store,
                           ArrayRef<::ssmq::Sequence> sequences);
  llvm::Error refineInOrder(const InterpreterProgram &program, const ::ssmq::WeightStore &store,
                            ArrayRef<::ssmq::Sequence> sequences);

  ArrayRef<QuantizedWeight> weights;
  const ::ssmq::WeightStore *original;
  ::ssmq::RefineMethod method;
  ::ssmq::GPTQOptions options;
  std::vector<::ssmq::QuantizedTensor> refined;
};

} // namespace mlir::ssm

#endif // SSMQ_LIB_TRANSFORMS_REFINEWEIGHTS_H
