//===- Mamba2.cpp - Model type mamba2 -------------------------------------===//

#include "Families.h"
#include "Layers.h"

using namespace mlir;
using namespace mlir::ssm;

Value mlir::ssm::buildMamba2(ForwardBuilder &b, const ::ssmq::ModelConfig &config) {
  return buildMambaBackbone(b, config, [&](const Twine &path, Value input) {
    return buildMamba2Mixer(b, path, config.mamba, config.normEpsilon, input);
  });
}
