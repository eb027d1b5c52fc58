//===- Mamba2.cpp - Model type mamba2 -------------------------------------===//

#include "Families.h"
#include "Layers.h"

using namespace mlir;
using namespace mlir::ssm;

Value mlir::ssm::buildMamba2(ForwardBuilder &b, const ::ssmq::ModelConfig &config) {
  b.enter("backbone");
  Value hidden = b.embedding("embeddings", config.vocabSize, config.hiddenSize);

  for (size_t i = 0; i < config.layers.size(); ++i) {
    std::string layer = "backbone.layers." + std::to_string(i);
    b.enter(layer);
    Value normed = b.rmsNorm("norm", hidden, config.normEpsilon);
    Value mixed = buildMamba2Mixer(b, layer + ".mixer", config.mamba, config.normEpsilon, normed);
    b.enter(layer);
    hidden = b.add(hidden, mixed);
  }

  b.enter("backbone");
  hidden = b.rmsNorm("norm_f", hidden, config.normEpsilon);
  return b.head(hidden, config.vocabSize, config.tieWordEmbeddings, "backbone.embeddings");
}
