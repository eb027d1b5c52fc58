//===- HuggingFace.h - Imports Hugging Face checkpoints ---------*- C++ -*-===//
//
// A checkpoint directory (config.json and *.safetensors) becomes a module with one function
//   @forward(tokens : tensor<?xi32>, position : tensor<i32>, states...)
//     -> (logits : tensor<?xVxf32>, next position, next states...)
// whose arguments carry the names of the states in `ssm.state`. Weights stay in the checkpoint: the
// module holds one external `ml_program.global` a tensor, named as there, and the directory in
// `ssm.checkpoint`. The arithmetic is that of the modeling_<model_type>.py of transformers 5 in
// f32, at batch size one and without padding.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_FRONTEND_HUGGINGFACE_H
#define SSMQ_FRONTEND_HUGGINGFACE_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace mlir::ssm {

/// Reads the model types `mamba`, `mamba2`, `granitemoehybrid` (dense) and `bamba`. Emits one error
/// and fails when files are missing or malformed, the configuration is outside what is supported,
/// a tensor is missing or has another shape than the configuration implies, or a weight is not
/// finite. Tensors of the checkpoint that the model does not use are named in a remark.
FailureOr<OwningOpRef<ModuleOp>> importHuggingFace(MLIRContext *context, StringRef directory);

} // namespace mlir::ssm

#endif // SSMQ_FRONTEND_HUGGINGFACE_H
