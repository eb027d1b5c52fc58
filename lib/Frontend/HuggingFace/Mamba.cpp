//===- Mamba.cpp - Model type mamba ---------------------------------------===//

#include "Families.h"
#include "Layers.h"

using namespace mlir;
using namespace mlir::ssm;

/// The Mamba-1 mixer (arXiv 2312.00752).
static Value buildMixer(ForwardBuilder &b, const Twine &path, const ::ssmq::MambaConfig &config,
                        Value input) {
  b.enter(path);
  int64_t inner = config.intermediateSize, states = config.stateSize;

  Value projected = b.linear("in_proj", input, 2 * inner, config.useBias);
  SmallVector<Value> parts = b.split(projected, {inner, inner});
  Value x = b.silu(b.causalConv1d("conv1d", parts[0], config.convKernel, config.useConvBias));

  Value selected = b.linear("x_proj", x, config.timeStepRank + 2 * states, /*bias=*/false);
  SmallVector<Value> steps = b.split(selected, {config.timeStepRank, states, states});
  Value dt = b.softplus(b.linear("dt_proj", steps[0], inner, /*bias=*/true));
  Value a = b.negatedExp(b.wideWeight("A_log", {inner, states}));
  Value scanned = b.selectiveScan(x, dt, a, steps[1], steps[2], b.weight("D", {inner}));

  Value gated = b.multiply(scanned, b.silu(parts[1]));
  return b.linear("out_proj", gated, getWidth(input), config.useBias);
}

Value mlir::ssm::buildMamba(ForwardBuilder &b, const ::ssmq::ModelConfig &config) {
  b.enter("backbone");
  Value hidden = b.embedding("embeddings", config.vocabSize, config.hiddenSize);

  for (size_t i = 0; i < config.layers.size(); ++i) {
    std::string layer = "backbone.layers." + std::to_string(i);
    b.enter(layer);
    Value normed = b.rmsNorm("norm", hidden, config.normEpsilon);
    Value mixed = buildMixer(b, layer + ".mixer", config.mamba, normed);
    b.enter(layer);
    hidden = b.add(hidden, mixed);
  }

  b.enter("backbone");
  hidden = b.rmsNorm("norm_f", hidden, config.normEpsilon);
  return b.head(hidden, config.vocabSize, config.tieWordEmbeddings, "backbone.embeddings");
}
