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

/// The mixer of a hybrid layer: Mamba-2 at `layer`.mamba or attention at `layer`.self_attn.
Value buildHybridMixer(ForwardBuilder &builder, const Twine &layer, ::ssmq::LayerKind kind,
                       const ::ssmq::ModelConfig &config, Value input);

/// The whole of a model whose layers are a norm, a mixer and a residual sum (mamba, mamba2), with
/// mixer(path, input) for each; returns the logits.
Value buildMambaBackbone(ForwardBuilder &builder, const ::ssmq::ModelConfig &config,
                         function_ref<Value(const Twine &path, Value input)> mixer);

} // namespace mlir::ssm

#endif // SSMQ_LIB_FRONTEND_HUGGINGFACE_LAYERS_H
