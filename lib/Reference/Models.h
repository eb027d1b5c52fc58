//===- Models.h - Evaluation models by dialect ------------------*- C++ -*-===//

#ifndef SSMQ_REFERENCE_MODELS_H
#define SSMQ_REFERENCE_MODELS_H

#include "mlir/IR/Types.h"
#include "ssmq/Support/Tensor.h"

namespace mlir {
class MLIRContext;
}

namespace mlir::ssm {

/// How values of an element type lie in a host tensor; the interpreter holds f16 and bf16 as f32.
std::optional<::ssmq::DType> getHostType(Type type);

void attachConstantModel(MLIRContext *context);
void attachSSMModels(MLIRContext *context);
void attachArithModels(MLIRContext *context);
void attachMathModels(MLIRContext *context);
void attachLinalgModels(MLIRContext *context);
void attachStructuredModels(MLIRContext *context);
void attachTensorModels(MLIRContext *context);
void attachMLProgramModels(MLIRContext *context);

} // namespace mlir::ssm

#endif // SSMQ_REFERENCE_MODELS_H
