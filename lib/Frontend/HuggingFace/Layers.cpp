//===- Layers.cpp - Layers that several families share --------------------===//

#include "Layers.h"

using namespace mlir;
using namespace mlir::ssm;

Value mlir::ssm::buildMamba2Mixer(ForwardBuilder &b, const Twine &path,
                                  const ::ssmq::MambaConfig &config, float normEpsilon,
                                  Value input) {
  b.enter(path);
  int64_t heads = config.numHeads, inner = config.intermediateSize;
  int64_t convSize = config.getConvSize(), groupSize = config.numGroups * config.stateSize;

  Value projected = b.linear("in_proj", input, inner + convSize + heads, config.useBias);
  SmallVector<Value> parts = b.split(projected, {inner, convSize, heads});
  Value convolved = b.causalConv1d("conv1d", parts[1], config.convKernel, config.useConvBias);
  SmallVector<Value> xbc = b.split(b.silu(convolved), {inner, groupSize, groupSize});

  Value dt = b.softplus(b.addToRows(parts[2], b.wideWeight("dt_bias", {heads})));
  dt = b.clampNonnegative(dt, config.timeStepMin, config.timeStepMax);
  Value a = b.negatedExp(b.wideWeight("A_log", {heads}));
  Value d = b.weight("D", {heads});
  Value scanned = b.ssdScan(xbc[0], dt, a, xbc[1], xbc[2], d, config.stateSize);

  // The gate comes before the norm, and each group is normalized by itself.
  Value gated = b.gate(scanned, parts[0]);
  Value normed = b.rmsNorm("norm", gated, normEpsilon, config.numGroups);
  return b.linear("out_proj", normed, getWidth(input), config.useBias);
}

Value mlir::ssm::buildAttention(ForwardBuilder &b, const Twine &path,
                                const ::ssmq::AttentionConfig &config, Value input) {
  b.enter(path);
  int64_t queryWidth = config.numHeads * config.headDim;
  int64_t keyWidth = config.numKeyValueHeads * config.headDim;
  Value query = b.linear("q_proj", input, queryWidth, config.useBias);
  Value key = b.linear("k_proj", input, keyWidth, config.useBias);
  Value value = b.linear("v_proj", input, keyWidth, config.useBias);
  if (config.rotary) {
    query = b.rotary(query, config.headDim, config.rotary->rotaryDim, config.rotary->theta);
    key = b.rotary(key, config.headDim, config.rotary->rotaryDim, config.rotary->theta);
  }
  Value mixed = b.attention(query, key, value, config.headDim, config.scale);
  return b.linear("o_proj", mixed, getWidth(input), config.useBias);
}

Value mlir::ssm::buildHybridMixer(ForwardBuilder &b, const Twine &layer, ::ssmq::LayerKind kind,
                                  const ::ssmq::ModelConfig &config, Value input) {
  return kind == ::ssmq::LayerKind::Mamba
             ? buildMamba2Mixer(b, layer + ".mamba", config.mamba, config.normEpsilon, input)
             : buildAttention(b, layer + ".self_attn", *config.attention, input);
}

Value mlir::ssm::buildMambaBackbone(ForwardBuilder &b, const ::ssmq::ModelConfig &config,
                                    function_ref<Value(const Twine &, Value)> mixer) {
  b.enter("backbone");
  Value hidden = b.embedding("embeddings", config.vocabSize, config.hiddenSize);

  for (size_t i = 0; i < config.layers.size(); ++i) {
    std::string layer = "backbone.layers." + std::to_string(i);
    b.enter(layer);
    Value normed = b.rmsNorm("norm", hidden, config.normEpsilon);
    Value mixed = mixer(layer + ".mixer", normed);
    b.enter(layer);
    hidden = b.add(hidden, mixed);
  }

  b.enter("backbone");
  hidden = b.rmsNorm("norm_f", hidden, config.normEpsilon);
  return b.head(hidden, config.vocabSize, config.tieWordEmbeddings, "backbone.embeddings");
}
