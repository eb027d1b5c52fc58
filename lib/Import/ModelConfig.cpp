//===- ModelConfig.cpp - config.json of Hugging Face models ---------------===//

#include "ConfigParser.h"
#include "ssmq/Support/Error.h"
#include "ssmq/Support/Json.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <cmath>

using namespace ssmq;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;

static constexpr int64_t maxLayers = 4096;
static constexpr ModelFamily families[] = {ModelFamily::Mamba, ModelFamily::Mamba2,
                                           ModelFamily::GraniteHybrid, ModelFamily::Bamba,
                                           ModelFamily::S4D};

StringRef ssmq::getName(ModelFamily family) {
  switch (family) {
  case ModelFamily::Mamba: return "mamba";
  case ModelFamily::Mamba2: return "mamba2";
  case ModelFamily::GraniteHybrid: return "granitemoehybrid";
  case ModelFamily::Bamba: return "bamba";
  case ModelFamily::S4D: return "s4d";
  }
  llvm_unreachable("all families are named");
}

void ConfigParser::readFamily() {
  std::string type;
  if (reader.isMissingOrNull("model_type"))
    return reader.fail("model_type", "is missing; this is no config.json of transformers");
  reader.read("model_type", type);
  if (reader.hasFailed())
    return;
  const auto *family =
      llvm::find_if(families, [&](ModelFamily family) { return getName(family) == type; });
  if (family != std::end(families)) {
    config.family = *family;
    return;
  }
  auto names = llvm::map_range(families, [](ModelFamily f) { return getName(f).str(); });
  reader.fail("model_type", "is " + quote(type) + "; supported are " + llvm::join(names, ", "));
}

void ConfigParser::readCommon(int64_t vocabSize, int64_t hiddenSize, int64_t numLayers,
                              StringRef epsilonKey, double epsilon, bool tied) {
  config.vocabSize = readSize("vocab_size", vocabSize, std::numeric_limits<int32_t>::max());
  config.hiddenSize = readSize("hidden_size", hiddenSize);
  config.layers.assign(readSize("num_hidden_layers", numLayers, maxLayers), LayerKind::Mamba);
  config.normEpsilon = epsilon;
  reader.read(epsilonKey, config.normEpsilon, 0, 1);
  config.tieWordEmbeddings = readFlag("tie_word_embeddings", tied);
  std::string activation = "silu";
  reader.read("hidden_act", activation);
  if (activation != "silu" && activation != "swish")
    reader.fail("hidden_act", "is " + quote(activation) + "; only silu is supported");
}

void ConfigParser::readMamba() {
  readCommon(50280, 768, 32, "layer_norm_epsilon", 1e-5, /*tied=*/true);
  MambaConfig &mamba = config.mamba;
  mamba.intermediateSize =
      readSize("intermediate_size", readSize("expand", 2, 1024) * config.hiddenSize);
  mamba.stateSize = readSize("state_size", 16);
  mamba.convKernel = readSize("conv_kernel", 4);
  mamba.useBias = readFlag("use_bias", false);
  mamba.useConvBias = readFlag("use_conv_bias", true);
  mamba.timeStepRank = (config.hiddenSize + 15) / 16;
  const llvm::json::Value *rank = reader.get("time_step_rank");
  if (rank && rank->getAsString() != StringRef("auto"))
    mamba.timeStepRank = readSize("time_step_rank", 1);
}

void ConfigParser::readMamba2() {
  readCommon(32768, 4096, 64, "layer_norm_epsilon", 1e-5, /*tied=*/false);
  MambaConfig &mamba = config.mamba;
  mamba.numHeads = readSize("num_heads", 128);
  mamba.headDim = readSize("head_dim", 64);
  mamba.numGroups = readSize("n_groups", 8);
  mamba.stateSize = readSize("state_size", 128);
  mamba.convKernel = readSize("conv_kernel", 4);
  mamba.useBias = readFlag("use_bias", false);
  mamba.useConvBias = readFlag("use_conv_bias", true);
  readTimeStepLimit();
  checkMamba2("num_heads", "n_groups", readSize("expand", 2, 1024) * config.hiddenSize);
}

void ConfigParser::checkMamba2(StringRef headsKey, StringRef groupsKey, int64_t expandedSize) {
  MambaConfig &mamba = config.mamba;
  mamba.intermediateSize = expandedSize;
  if (mamba.numHeads * mamba.headDim != expandedSize)
    return reader.fail(headsKey, "is " + Twine(mamba.numHeads) + " with " + Twine(mamba.headDim) +
                                     " channels a head; together they must make the expanded "
                                     "hidden size " +
                                     Twine(expandedSize));
  if (mamba.numHeads % mamba.numGroups != 0)
    reader.fail(groupsKey, "is " + Twine(mamba.numGroups) + "; it must divide the " +
                               Twine(mamba.numHeads) + " heads");
}

/// A number as transformers writes it: plain, or {"__float__": "Infinity"}.
static std::optional<double> getFloat(const llvm::json::Value &value) {
  if (std::optional<double> number = value.getAsNumber())
    return number;
  const llvm::json::Object *tagged = value.getAsObject();
  if (tagged && tagged->size() == 1 && tagged->getString("__float__") == StringRef("Infinity"))
    return std::numeric_limits<double>::infinity();
  return std::nullopt;
}

void ConfigParser::readTimeStepLimit() {
  const llvm::json::Value *value = reader.get("time_step_limit");
  if (!value)
    return;
  const llvm::json::Array *limits = value->getAsArray();
  std::optional<double> min, max;
  if (limits && limits->size() == 2) {
    min = getFloat((*limits)[0]);
    max = getFloat((*limits)[1]);
  }
  if (!min || !max || !(*min >= 0) || !(*min <= *max) || std::isinf(*min))
    return reader.fail("time_step_limit", "must be two numbers, 0 <= minimum <= maximum");
  config.mamba.timeStepMin = *min;
  config.mamba.timeStepMax = *max;
}

void ConfigParser::checkProduct(int64_t a, int64_t b, StringRef what) {
  // Both factors are below 2^31, so the product is exact.
  if (a * b >= int64_t(1) << 40)
    reader.fail(what + " have " + Twine(a) + " x " + Twine(b) +
                " values; 2^40 and more are not supported");
}

void ConfigParser::checkProducts() {
  const MambaConfig &mamba = config.mamba;
  if (mamba.intermediateSize > maxSize || mamba.getConvSize() > maxSize)
    return reader.fail("the mixer has " + Twine(mamba.getConvSize()) +
                       " channels; more than 2^24 are not supported");
  checkProduct(config.vocabSize, config.hiddenSize, "the embeddings");
  checkProduct(config.hiddenSize, mamba.intermediateSize + mamba.getConvSize() + mamba.numHeads,
               "the weights of in_proj");
  checkProduct(mamba.intermediateSize, mamba.stateSize, "the states of a mixer");
  checkProduct(mamba.intermediateSize, mamba.timeStepRank + 2 * mamba.stateSize,
               "the weights of x_proj");
  checkProduct(mamba.getConvSize(), mamba.convKernel, "the weights of conv1d");
  if (config.attention) {
    if (config.attention->numHeads * config.attention->headDim > maxSize)
      return reader.fail("the attention heads have more than 2^24 channels");
    checkProduct(config.hiddenSize, config.attention->numHeads * config.attention->headDim,
                 "the weights of q_proj");
  }
  if (config.mlp)
    checkProduct(config.hiddenSize, 2 * config.mlp->intermediateSize, "the weights of the MLP");
}

Expected<ModelConfig> ConfigParser::parse() {
  readFamily();
  // After a first problem the defaults stay in place, and nothing more is reported.
  if (!reader.hasFailed()) {
    switch (config.family) {
    case ModelFamily::Mamba: readMamba(); break;
    case ModelFamily::Mamba2: readMamba2(); break;
    case ModelFamily::GraniteHybrid: readGranite(); break;
    case ModelFamily::Bamba: readBamba(); break;
    case ModelFamily::S4D: readS4D(); break;
    }
    checkProducts();
  }
  if (Error error = reader.takeError())
    return std::move(error);
  return std::move(config);
}

Expected<ModelConfig> ssmq::parseModelConfig(const llvm::json::Value &json, StringRef name) {
  return ConfigParser(json, name).parse();
}

Expected<ModelConfig> ssmq::readModelConfig(StringRef path) {
  llvm::SmallString<128> file(path);
  if (llvm::sys::fs::is_directory(path))
    llvm::sys::path::append(file, "config.json");
  JsonOptions options;
  options.maxBytes = size_t(4) << 20;
  options.acceptInfinity = true;
  Expected<llvm::json::Value> json = readJsonFile(file, options);
  if (!json)
    return json.takeError();
  return parseModelConfig(*json, file);
}
