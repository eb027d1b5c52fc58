//===- Bamba.cpp - Model type bamba ---------------------------------------===//

#include "Families.h"
#include "Layers.h"

using namespace mlir;
using namespace mlir::ssm;

static Value buildFeedForward(ForwardBuilder &b, const Twine &path, const ::ssmq::MLPConfig &config,
                              Value input) {
  b.enter(path);
  Value gate = b.linear("gate_proj", input, config.intermediateSize, config.useBias);
  Value up = b.linear("up_proj", input, config.intermediateSize, config.useBias);
  return b.linear("down_proj", b.gate(up, gate), getWidth(input), config.useBias);
}

Value mlir::ssm::buildBamba(ForwardBuilder &b, const ::ssmq::ModelConfig &config) {
  b.enter("model");
  Value hidden = b.embedding("embed_tokens", config.vocabSize, config.hiddenSize);

  for (auto [i, kind] : llvm::enumerate(config.layers)) {
    std::string layer = "model.layers." + std::to_string(i);
    b.enter(layer);
    Value normed = b.rmsNorm("input_layernorm", hidden, config.normEpsilon);
    Value mixed = buildHybridMixer(b, layer, kind, config, normed);
    b.enter(layer);
    hidden = b.add(hidden, mixed);
    normed = b.rmsNorm("pre_ff_layernorm", hidden, config.normEpsilon);
    Value fed = buildFeedForward(b, layer + ".feed_forward", *config.mlp, normed);
    b.enter(layer);
    hidden = b.add(hidden, fed);
  }

  b.enter("model");
  hidden = b.rmsNorm("final_layernorm", hidden, config.normEpsilon);
  return b.head(hidden, config.vocabSize, config.tieWordEmbeddings, "model.embed_tokens");
}
