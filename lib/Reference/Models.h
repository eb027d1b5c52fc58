//===- Models.h - Evaluation models by dialect ------------------*- C++ -*-===//

#ifndef SSMQ_REFERENCE_MODELS_H
#define SSMQ_REFERENCE_MODELS_H

namespace mlir {
class MLIRContext;
}

namespace mlir::ssm {

void attachConstantModel(MLIRContext *context);
void attachFormatModels(MLIRContext *context);
void attachSSMModels(MLIRContext *context);
void attachArithModels(MLIRContext *context);
void attachMathModels(MLIRContext *context);
void attachLinalgModels(MLIRContext *context);
void attachStructuredModels(MLIRContext *context);
void attachTensorModels(MLIRContext *context);
void attachMLProgramModels(MLIRContext *context);

} // namespace mlir::ssm

#endif // SSMQ_REFERENCE_MODELS_H
