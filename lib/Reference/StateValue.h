//===- StateValue.h - States of ops, in f32 and as they are stored -*- C++ -*-===//
//
// A state whose tensor has the type of its format (StoredStates.h) is rounded when it is stored, at
// the end of the tokens that the op was given; until then it is f32, of S4D rounded by each token.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_REFERENCE_STATEVALUE_H
#define SSMQ_REFERENCE_STATEVALUE_H

#include "ssmq/Interfaces/QuantizableOpInterface.h"
#include "ssmq/Support/Tensor.h"

namespace mlir::ssm {

inline bool isStored(const ::ssmq::Tensor &state) { return state.getDType() != ::ssmq::DType::F32; }

/// The values of a state in f32; `scales` is null unless the state is in codes.
FailureOr<::ssmq::Tensor> loadState(QuantizableOpInterface op, const ::ssmq::Tensor &state,
                                    const ::ssmq::Tensor &scales);

/// The op's results: `y`, the next state (given in f32) as `state` is stored, and its scales.
FailureOr<SmallVector<::ssmq::Tensor>> storeState(QuantizableOpInterface op,
                                                  const ::ssmq::Tensor &y,
                                                  const ::ssmq::Tensor &next,
                                                  const ::ssmq::Tensor &state);

} // namespace mlir::ssm

#endif // SSMQ_REFERENCE_STATEVALUE_H
