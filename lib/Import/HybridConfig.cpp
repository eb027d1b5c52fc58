//===- HybridConfig.cpp - Granite and Bamba: mixers and attention ---------===//

#include "ConfigParser.h"
#include "ssmq/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

using namespace ssmq;
using llvm::Error;
using llvm::StringRef;
using llvm::Twine;

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
