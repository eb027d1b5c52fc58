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

  Value gated = b.gate(scanned, parts[1]);
  return b.linear("out_proj", gated, getWidth(input), config.useBias);
}

Value mlir::ssm::buildMamba(ForwardBuilder &b, const ::ssmq::ModelConfig &config) {
  return buildMambaBackbone(b, config, [&](const Twine &path, Value input) {
    return buildMixer(b, path, config.mamba, input);
  });
}
