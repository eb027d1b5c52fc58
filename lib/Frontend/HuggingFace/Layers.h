//===- Layers.h - Layers that several families share ------------*- C++ -*-===//
//
// `path` is the module in the checkpoint, `input` the output of the norm before it.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_FRONTEND_HUGGINGFACE_LAYERS_H
#define SSMQ_LIB_FRONTEND_HUGGINGFACE_LAYERS_H

#include "ForwardBuilder.h"
#include "ssmq/Import/ModelConfig.h"

namespace mlir::ssm {

/// The Mamba-2 mixer (arXiv 2405.21060) as mamba2, granitemoehybrid and bamba have it.
Value buildMamba2Mixer(ForwardBuilder &builder, const Twine &path,
                       const ::ssmq::MambaConfig &config, float normEpsilon, Value input);

/// Causal attention with grouped heads.
Value buildAttention(ForwardBuilder &builder, const Twine &path,
                     const ::ssmq::AttentionConfig &config, Value input);

} // namespace mlir::ssm

#endif // SSMQ_LIB_FRONTEND_HUGGINGFACE_LAYERS_H
