//===- GraniteMoeHybrid.cpp - Model type granitemoehybrid, dense ----------===//

#include "Families.h"
#include "Layers.h"

using namespace mlir;
using namespace mlir::ssm;

/// The gated MLP; one projection makes the gate and, behind it, what is gated.
static Value buildSharedMLP(ForwardBuilder &b, const Twine &path, int64_t width, Value input) {
  b.enter(path);
  Value projected = b.linear("input_linear", input, 2 * width, /*bias=*/false);
  SmallVector<Value> parts = b.split(projected, {width, width});
  Value gated = b.gate(parts[1], parts[0]);
  return b.linear("output_linear", gated, getWidth(input), /*bias=*/false);
}

Value mlir::ssm::buildGraniteMoeHybrid(ForwardBuilder &b, const ::ssmq::ModelConfig &config) {
  b.enter("model");
  Value hidden = b.embedding("embed_tokens", config.vocabSize, config.hiddenSize);
  hidden = b.scale(hidden, config.embeddingMultiplier);
  auto addBranch = [&](const Twine &path, Value branch) {
    b.enter(path);
    hidden = b.add(hidden, b.scale(branch, config.residualMultiplier));
  };

  for (auto [i, kind] : llvm::enumerate(config.layers)) {
    std::string layer = "model.layers." + std::to_string(i);
    b.enter(layer);
    Value normed = b.rmsNorm("input_layernorm", hidden, config.normEpsilon);
    Value mixed = buildHybridMixer(b, layer, kind, config, normed);
    addBranch(layer, mixed);
    normed = b.rmsNorm("post_attention_layernorm", hidden, config.normEpsilon);
    addBranch(layer,
              buildSharedMLP(b, layer + ".shared_mlp", config.mlp->intermediateSize, normed));
  }

  b.enter("model");
  hidden = b.rmsNorm("norm", hidden, config.normEpsilon);
  Value logits = b.head(hidden, config.vocabSize, config.tieWordEmbeddings, "model.embed_tokens");
  return b.divide(logits, config.logitsScaling);
}
