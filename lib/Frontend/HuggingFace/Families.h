//===- Families.h - The forward pass of each model family -------*- C++ -*-===//
//
// Each builds the layers of its modeling_<model_type>.py (S4D: python-bindings/ssmq/s4d/model.py)
// and returns the logits.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_FRONTEND_HUGGINGFACE_FAMILIES_H
#define SSMQ_LIB_FRONTEND_HUGGINGFACE_FAMILIES_H

#include "mlir/IR/Value.h"

namespace ssmq {
struct ModelConfig;
}

namespace mlir::ssm {

class ForwardBuilder;

Value buildMamba(ForwardBuilder &builder, const ::ssmq::ModelConfig &config);
Value buildMamba2(ForwardBuilder &builder, const ::ssmq::ModelConfig &config);
Value buildGraniteMoeHybrid(ForwardBuilder &builder, const ::ssmq::ModelConfig &config);
Value buildBamba(ForwardBuilder &builder, const ::ssmq::ModelConfig &config);
Value buildS4D(ForwardBuilder &builder, const ::ssmq::ModelConfig &config);

} // namespace mlir::ssm

#endif // SSMQ_LIB_FRONTEND_HUGGINGFACE_FAMILIES_H
