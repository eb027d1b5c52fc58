//===- StateRounding.h - States rounded after each token --------*- C++ -*-===//

#ifndef SSMQ_REFERENCE_STATEROUNDING_H
#define SSMQ_REFERENCE_STATEROUNDING_H

#include "ssmq/Formats/StaticRanges.h"
#include "ssmq/Interfaces/QuantizableOpInterface.h"
#include "ssmq/Kernels/KernelOptions.h"

namespace mlir::ssm {

/// What a kernel calls on the state of an op after each token: rounds it to the format that the op
/// carries and hands it on to the hook of the evaluation.
class StateRounding {
public:
  /// Hands on alone unless `eachToken`.
  StateRounding(QuantizableOpInterface op, DenseF32ArrayAttr bounds, ::ssmq::StateHook next,
                bool eachToken = true);

  /// The hook of the evaluation itself where nothing is rounded.
  ::ssmq::StateHook getHook() { return format ? ::ssmq::StateHook(*this) : next; }
  /// Rounding cannot stop a kernel: fails behind it, at the op, when it went wrong.
  LogicalResult takeFault() const;

  void operator()(MutableArrayRef<float> state);

private:
  QuantizableOpInterface op;
  ::ssmq::StateHook next;
  std::shared_ptr<const ::ssmq::Format> format;
  ::ssmq::ValueLayout layout;
  std::optional<::ssmq::StaticRanges> ranges;
  std::string fault;
};

} // namespace mlir::ssm

#endif // SSMQ_REFERENCE_STATEROUNDING_H
