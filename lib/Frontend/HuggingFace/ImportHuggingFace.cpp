//===- ImportHuggingFace.cpp - Imports Hugging Face checkpoints -----------===//

#include "Families.h"
#include "ForwardBuilder.h"
#include "ssmq/Frontend/HuggingFace.h"
#include "ssmq/Import/ModelConfig.h"

using namespace mlir;
using namespace mlir::ssm;

static Value build(ForwardBuilder &builder, const ::ssmq::ModelConfig &config) {
  switch (config.family) {
  case ::ssmq::ModelFamily::Mamba: return buildMamba(builder, config);
  case ::ssmq::ModelFamily::Mamba2: return buildMamba2(builder, config);
  case ::ssmq::ModelFamily::GraniteHybrid: return buildGraniteMoeHybrid(builder, config);
  case ::ssmq::ModelFamily::Bamba: return buildBamba(builder, config);
  case ::ssmq::ModelFamily::S4D: return buildS4D(builder, config);
  }
  llvm_unreachable("an enumerator is missing");
}

FailureOr<OwningOpRef<ModuleOp>> mlir::ssm::importHuggingFace(MLIRContext *context,
                                                              StringRef directory) {
  auto reject = [&](llvm::Error error) {
    return emitError(UnknownLoc::get(context), llvm::toString(std::move(error)));
  };
  auto config = ::ssmq::readModelConfig(directory);
  if (!config)
    return reject(config.takeError());
  auto weights = ::ssmq::WeightStore::open(directory);
  if (!weights)
    return reject(weights.takeError());
  int64_t numFeatures = config->s4d ? config->s4d->numFeatures : 0;
  ForwardBuilder builder(context, *weights, directory, numFeatures);
  return builder.finish(build(builder, *config));
}
