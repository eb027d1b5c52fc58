//===- ModelConfig.cpp - config.json of Hugging Face models ---------------===//

#include "ssmq/Import/ModelConfig.h"

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

static constexpr int64_t maxSize = int64_t(1) << 24;
static constexpr int64_t maxLayers = 4096;
static constexpr ModelFamily families[] = {ModelFamily::Mamba, ModelFamily::Mamba2,
                                           ModelFamily::GraniteHybrid, ModelFamily::Bamba};

StringRef ssmq::getName(ModelFamily family) {
  switch (family) {
  case ModelFamily::Mamba: return "mamba";
  case ModelFamily::Mamba2: return "mamba2";
  case ModelFamily::GraniteHybrid: return "granitemoehybrid";
  case ModelFamily::Bamba: return "bamba";
  }
  llvm_unreachable("all families are named");
}

namespace {
/// Fills one ModelConfig; the reader keeps the first problem.
class ConfigParser {
public:
  ConfigParser(const llvm::json::Value &json, StringRef name) : reader(json, name), name(name) {}

  Expected<ModelConfig> parse();

private:
  int64_t readSize(StringRef key, int64_t value, int64_t max = maxSize) {
    reader.read(key, value, 1, max);
    return value;
  }
  bool readFlag(StringRef key, bool value) {
    reader.read(key, value);
    return value;
  }
  double readFactor(StringRef key, double value) {
    reader.read(key, value, 1e-12, 1e12);
    return value;
  }

  void readFamily();
  void readCommon(int64_t vocabSize, int64_t hiddenSize, int64_t numLayers, StringRef epsilonKey,
                  double epsilon, bool tied);
  void readMamba();
  void readMamba2();
  void readGranite();
  void readBamba();
  /// The keys mamba_* that granite and bamba share.
  void readHybridMixer();
  void readTimeStepLimit();
  void readAttention(int64_t defaultKeyValueHeads);
  RotaryConfig readRotary(double rotaryFraction);
  void readLayerTypes(StringRef key);
  void readAttentionIndices();

  void checkMamba2(StringRef headsKey, StringRef groupsKey, int64_t expandedSize);
  void checkProducts();
  void checkProduct(int64_t a, int64_t b, StringRef what);

  JsonReader reader;
  StringRef name;
  ModelConfig config;
};
} // namespace

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

void ConfigParser::readHybridMixer() {
  MambaConfig &mamba = config.mamba;
  int64_t expandedSize = readSize("mamba_expand", 2, 1024) * config.hiddenSize;
  mamba.numHeads = readSize("mamba_n_heads", 128);
  mamba.numGroups = readSize("mamba_n_groups", 1);
  mamba.stateSize = readSize("mamba_d_state", 256);
  mamba.convKernel = readSize("mamba_d_conv", 4);
  mamba.useBias = readFlag("mamba_proj_bias", false);
  mamba.useConvBias = readFlag("mamba_conv_bias", true);
  const llvm::json::Value *headDim = reader.get("mamba_d_head");
  if (!headDim || headDim->getAsString() == StringRef("auto"))
    mamba.headDim = expandedSize / mamba.numHeads;
  else
    mamba.headDim = readSize("mamba_d_head", 1);
  readTimeStepLimit();
  checkMamba2("mamba_n_heads", "mamba_n_groups", expandedSize);
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

void ConfigParser::readAttention(int64_t defaultKeyValueHeads) {
  AttentionConfig attention;
  attention.numHeads = readSize("num_attention_heads", 32);
  attention.numKeyValueHeads = attention.numHeads;
  if (!reader.get("num_key_value_heads") && defaultKeyValueHeads)
    attention.numKeyValueHeads = defaultKeyValueHeads;
  else if (!reader.isMissingOrNull("num_key_value_heads"))
    attention.numKeyValueHeads = readSize("num_key_value_heads", 1);
  if (attention.numHeads % attention.numKeyValueHeads != 0)
    reader.fail("num_key_value_heads", "is " + Twine(attention.numKeyValueHeads) +
                                           "; it must divide the " + Twine(attention.numHeads) +
                                           " attention heads");
  if (!reader.isMissingOrNull("head_dim"))
    attention.headDim = readSize("head_dim", 1);
  else if (config.hiddenSize % attention.numHeads == 0)
    attention.headDim = config.hiddenSize / attention.numHeads;
  else
    reader.fail("num_attention_heads", "is " + Twine(attention.numHeads) +
                                           "; it must divide the hidden size " +
                                           Twine(config.hiddenSize));
  attention.scale = 1 / std::sqrt(static_cast<double>(attention.headDim));
  attention.useBias = readFlag("attention_bias", false);
  config.attention = attention;
}

RotaryConfig ConfigParser::readRotary(double rotaryFraction) {
  RotaryConfig rotary;
  if (!reader.isMissingOrNull("rope_theta"))
    reader.read("rope_theta", rotary.theta, 1e-3, 1e30);
  // The older rope_scaling wins when it says something, as in transformers.
  for (StringRef key : {"rope_scaling", "rope_parameters"}) {
    if (reader.isMissingOrNull(key))
      continue;
    const llvm::json::Value &value = *reader.get(key);
    if (const llvm::json::Object *object = value.getAsObject(); object && object->empty())
      continue;
    std::string type = "default";
    JsonReader parameters(value, (name + ": " + key).str());
    parameters.read("type", type);
    parameters.read("rope_type", type);
    if (type != "default")
      parameters.fail("rope_type", "is " + quote(type) + "; only default is supported");
    parameters.read("rope_theta", rotary.theta, 1e-3, 1e30);
    if (config.family == ModelFamily::Bamba)
      parameters.read("partial_rotary_factor", rotaryFraction, 0, 1);
    if (Error error = parameters.takeError())
      reader.fail(key, "cannot be used: " + llvm::toString(std::move(error)));
    break;
  }
  rotary.rotaryDim = static_cast<int64_t>(config.attention->headDim * rotaryFraction);
  if (rotary.rotaryDim < 2 || rotary.rotaryDim % 2 != 0)
    reader.fail("partial_rotary_factor", "leaves " + Twine(rotary.rotaryDim) +
                                             " rotated channels a head; they must be even");
  return rotary;
}

void ConfigParser::readLayerTypes(StringRef key) {
  if (reader.isMissingOrNull(key))
    return;
  std::vector<std::string> types;
  reader.read(key, types);
  if (reader.hasFailed())
    return;
  if (types.size() != config.layers.size())
    return reader.fail(key, "lists " + Twine(types.size()) + " layers; num_hidden_layers is " +
                                Twine(config.layers.size()));
  for (auto [type, layer] : llvm::zip_equal(types, config.layers)) {
    // "mamba" and "attention" are the names before transformers 5.
    if (type == "full_attention" || type == "attention")
      layer = LayerKind::Attention;
    else if (type == "linear_attention" || type == "mamba")
      layer = LayerKind::Mamba;
    else
      return reader.fail(key, "holds " + quote(type) +
                                  "; supported are linear_attention (mamba) "
                                  "and full_attention (attention)");
  }
}

void ConfigParser::readGranite() {
  readCommon(32000, 4096, 32, "rms_norm_eps", 1e-6, /*tied=*/false);
  int64_t experts = 8;
  if (!reader.isMissingOrNull("num_local_experts"))
    reader.read("num_local_experts", experts, 0, maxSize);
  if (experts != 0)
    reader.fail("num_local_experts",
                "is " + Twine(experts) + "; only dense models are supported (0 experts)");
  readLayerTypes("layer_types");
  readLayerTypes("layers_block_type");
  config.maxPositions = readSize("max_position_embeddings", 2048, maxSize * 64);
  config.embeddingMultiplier = readFactor("embedding_multiplier", 1);
  config.residualMultiplier = readFactor("residual_multiplier", 1);
  config.logitsScaling = readFactor("logits_scaling", 1);
  config.mlp = MLPConfig{readSize("shared_intermediate_size", 1024), false};
  readHybridMixer();

  if (!llvm::is_contained(config.layers, LayerKind::Attention))
    return;
  readAttention(/*defaultKeyValueHeads=*/0);
  config.attention->scale = readFactor("attention_multiplier", 1);
  std::string position = "nope";
  if (!reader.isMissingOrNull("position_embedding_type"))
    reader.read("position_embedding_type", position);
  if (position == "rope")
    config.attention->rotary = readRotary(1);
  else if (position != "nope")
    reader.fail("position_embedding_type",
                "is " + quote(position) + "; supported are null, nope and rope");
}

void ConfigParser::readAttentionIndices() {
  if (reader.isMissingOrNull("attn_layer_indices"))
    return;
  const llvm::json::Array *indices = reader.get("attn_layer_indices")->getAsArray();
  if (!indices)
    return reader.fail("attn_layer_indices", "must be a list of layer numbers");
  for (const llvm::json::Value &value : *indices) {
    std::optional<int64_t> index = value.getAsInteger();
    if (!index || *index < 0 || *index >= static_cast<int64_t>(config.layers.size()))
      return reader.fail("attn_layer_indices",
                         "must hold layer numbers from 0 to " + Twine(config.layers.size() - 1));
    config.layers[*index] = LayerKind::Attention;
  }
}

void ConfigParser::readBamba() {
  readCommon(128000, 4096, 32, "rms_norm_eps", 1e-5, /*tied=*/false);
  readAttentionIndices();
  config.maxPositions = readSize("max_position_embeddings", 262144, maxSize * 64);
  config.mlp = MLPConfig{readSize("intermediate_size", 14336), readFlag("mlp_bias", false)};
  readHybridMixer();
  if (!llvm::is_contained(config.layers, LayerKind::Attention))
    return;
  readAttention(/*defaultKeyValueHeads=*/8);
  config.attention->rotary = readRotary(0.5);
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
