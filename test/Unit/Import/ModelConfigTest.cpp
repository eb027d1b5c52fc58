//===- ModelConfigTest.cpp - Defaults, derived values, refusals -----------===//

#include "ssmq/Import/ModelConfig.h"
#include "../Support/TempFolder.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

using namespace ssmq;
using namespace ssmq::test;

static llvm::Expected<ModelConfig> read(const std::string &text) {
  TempFolder folder;
  folder.write("config.json", text);
  return readModelConfig(folder.str());
}

static ModelConfig readGood(const std::string &text) {
  llvm::Expected<ModelConfig> config = read(text);
  if (config)
    return *config;
  ADD_FAILURE() << llvm::toString(config.takeError());
  return {};
}

/// Expected values of the Defaults tests are those of MambaConfig() and so on in transformers 5.23.
TEST(ModelConfig, MambaDefaults) {
  ModelConfig config = readGood(R"({"model_type": "mamba"})");
  EXPECT_EQ(config.family, ModelFamily::Mamba);
  EXPECT_EQ(config.vocabSize, 50280);
  EXPECT_EQ(config.hiddenSize, 768);
  EXPECT_EQ(config.layers, std::vector<LayerKind>(32, LayerKind::Mamba));
  EXPECT_EQ(config.normEpsilon, 1e-5);
  EXPECT_TRUE(config.tieWordEmbeddings);
  EXPECT_EQ(config.mamba.intermediateSize, 1536);
  EXPECT_EQ(config.mamba.getConvSize(), 1536);
  EXPECT_EQ(config.mamba.stateSize, 16);
  EXPECT_EQ(config.mamba.convKernel, 4);
  EXPECT_EQ(config.mamba.timeStepRank, 48);
  EXPECT_FALSE(config.mamba.useBias);
  EXPECT_TRUE(config.mamba.useConvBias);
  EXPECT_FALSE(config.attention);
  EXPECT_FALSE(config.mlp);
}

TEST(ModelConfig, MambaKeys) {
  ModelConfig config = readGood(R"({"model_type": "mamba", "hidden_size": 40, "expand": 3,
    "time_step_rank": "auto", "use_bias": true, "use_conv_bias": false,
    "tie_word_embeddings": false, "num_hidden_layers": 2, "dtype": "bfloat16"})");
  EXPECT_EQ(config.mamba.intermediateSize, 120);
  EXPECT_EQ(config.mamba.timeStepRank, 3);
  EXPECT_TRUE(config.mamba.useBias);
  EXPECT_FALSE(config.mamba.useConvBias);
  EXPECT_FALSE(config.tieWordEmbeddings);
  EXPECT_EQ(config.layers.size(), 2u);
  EXPECT_EQ(readGood(R"({"model_type": "mamba", "time_step_rank": 7})").mamba.timeStepRank, 7);
  // Checkpoints written before transformers 5 state the size themselves.
  EXPECT_EQ(readGood(R"({"model_type": "mamba", "intermediate_size": 100})").mamba.intermediateSize,
            100);
}

TEST(ModelConfig, Mamba2Defaults) {
  ModelConfig config = readGood(R"({"model_type": "mamba2"})");
  EXPECT_EQ(config.vocabSize, 32768);
  EXPECT_EQ(config.hiddenSize, 4096);
  EXPECT_EQ(config.layers.size(), 64u);
  EXPECT_FALSE(config.tieWordEmbeddings);
  EXPECT_EQ(config.mamba.numHeads, 128);
  EXPECT_EQ(config.mamba.headDim, 64);
  EXPECT_EQ(config.mamba.numGroups, 8);
  EXPECT_EQ(config.mamba.stateSize, 128);
  EXPECT_EQ(config.mamba.intermediateSize, 8192);
  EXPECT_EQ(config.mamba.getConvSize(), 8192 + 2 * 8 * 128);
  EXPECT_EQ(config.mamba.timeStepMin, 0);
  EXPECT_TRUE(std::isinf(config.mamba.timeStepMax));
}

TEST(ModelConfig, TimeStepLimitInAllSpellings) {
  const std::string head = R"({"model_type": "mamba2", "time_step_limit": )";
  for (const char *infinity : {"[0.5, Infinity]", R"([0.5, {"__float__": "Infinity"}])"}) {
    ModelConfig config = readGood(head + infinity + "}");
    EXPECT_EQ(config.mamba.timeStepMin, 0.5);
    EXPECT_TRUE(std::isinf(config.mamba.timeStepMax));
  }
  EXPECT_EQ(readGood(head + "[0, 0.25]}").mamba.timeStepMax, 0.25);
  for (const char *bad : {"[0.5]", "[1, 0]", "[-1, 0]", "3", "null", "[0, \"inf\"]",
                          "[Infinity, Infinity]", R"([0, {"__float__": "NaN"}])"})
    expectMessage(getMessage(read(head + bad + "}")), "key 'time_step_limit' must be two numbers");
  expectMessage(getMessage(read(head + "[0, NaN]}")), "expected a value, found 'NaN'");
}

static const std::string granite =
    R"({"model_type": "granitemoehybrid", "num_local_experts": 0, "hidden_size": 256,
        "mamba_n_heads": 8, "num_attention_heads": 4, "num_hidden_layers": 2)";

TEST(ModelConfig, GraniteDefaults) {
  ModelConfig config = readGood(granite + R"(, "layer_types": ["mamba", "attention"]})");
  EXPECT_EQ(config.vocabSize, 32000);
  EXPECT_EQ(config.normEpsilon, 1e-6);
  EXPECT_EQ(config.maxPositions, 2048);
  EXPECT_EQ(config.layers, (std::vector<LayerKind>{LayerKind::Mamba, LayerKind::Attention}));
  EXPECT_EQ(config.mamba.headDim, 64);
  EXPECT_EQ(config.mamba.numGroups, 1);
  EXPECT_EQ(config.mamba.stateSize, 256);
  EXPECT_EQ(config.mlp->intermediateSize, 1024);
  EXPECT_EQ(config.attention->numKeyValueHeads, 4);
  EXPECT_EQ(config.attention->headDim, 64);
  EXPECT_EQ(config.attention->scale, 1);
  EXPECT_FALSE(config.attention->rotary);
  EXPECT_EQ(config.embeddingMultiplier, 1);
}

TEST(ModelConfig, GraniteLayerKinds) {
  ModelConfig config = readGood(granite + "}");
  EXPECT_EQ(config.layers, std::vector<LayerKind>(2, LayerKind::Mamba));
  EXPECT_FALSE(config.attention);
  for (const char *types : {R"("layer_types": ["full_attention", "linear_attention"])",
                            R"("layers_block_type": ["attention", "mamba"])"})
    EXPECT_EQ(readGood(granite + ", " + types + "}").layers,
              (std::vector<LayerKind>{LayerKind::Attention, LayerKind::Mamba}));
}

TEST(ModelConfig, GraniteMultipliersAndRope) {
  ModelConfig config = readGood(granite + R"(, "layer_types": ["mamba", "attention"],
    "embedding_multiplier": 12, "residual_multiplier": 0.22, "logits_scaling": 8.0,
    "attention_multiplier": 0.0625, "position_embedding_type": "rope", "num_key_value_heads": 2,
    "rope_parameters": {"rope_type": "default", "rope_theta": 500000.0}})");
  EXPECT_EQ(config.embeddingMultiplier, 12);
  EXPECT_EQ(config.residualMultiplier, 0.22);
  EXPECT_EQ(config.logitsScaling, 8);
  EXPECT_EQ(config.attention->scale, 0.0625);
  EXPECT_EQ(config.attention->numKeyValueHeads, 2);
  EXPECT_EQ(config.attention->rotary->theta, 500000);
  EXPECT_EQ(config.attention->rotary->rotaryDim, 64);
}

static const std::string bamba =
    R"({"model_type": "bamba", "hidden_size": 512, "mamba_n_heads": 16, "num_attention_heads": 8,
        "num_hidden_layers": 3)";

TEST(ModelConfig, BambaDefaults) {
  ModelConfig config = readGood(bamba + R"(, "attn_layer_indices": [1]})");
  EXPECT_EQ(config.layers,
            (std::vector<LayerKind>{LayerKind::Mamba, LayerKind::Attention, LayerKind::Mamba}));
  EXPECT_EQ(config.normEpsilon, 1e-5);
  EXPECT_EQ(config.mlp->intermediateSize, 14336);
  EXPECT_EQ(config.attention->numKeyValueHeads, 8);
  EXPECT_EQ(config.attention->headDim, 64);
  EXPECT_EQ(config.attention->scale, 0.125);
  EXPECT_EQ(config.attention->rotary->theta, 10000);
  EXPECT_EQ(config.attention->rotary->rotaryDim, 32);
  EXPECT_FALSE(readGood(bamba + R"(, "attn_layer_indices": null})").attention);
  // Missing and null differ: 8 heads, or as many as the queries have.
  const std::string plain = R"({"model_type": "bamba", "attn_layer_indices": [0])";
  EXPECT_EQ(readGood(plain + "}").attention->numKeyValueHeads, 8);
  EXPECT_EQ(readGood(plain + R"(, "num_key_value_heads": null})").attention->numKeyValueHeads, 32);
}

TEST(ModelConfig, BambaRopeInOldAndNewKeys) {
  const std::string head = bamba + R"(, "attn_layer_indices": [0], )";
  auto read = [&](const char *keys) { return *readGood(head + keys + "}").attention->rotary; };
  EXPECT_EQ(read(R"("rope_theta": 5e5, "rope_scaling": null)").theta, 5e5);
  EXPECT_EQ(read(R"("rope_theta": 5e5, "rope_parameters": {"rope_theta": 7})").theta, 7);
  EXPECT_EQ(read(R"("partial_rotary_factor": 1.0)").rotaryDim, 32);
  EXPECT_EQ(read(R"("rope_parameters": {"partial_rotary_factor": 0.25})").rotaryDim, 16);
}

TEST(ModelConfig, HostileConfigsAreRefused) {
  const std::string m1 = R"({"model_type": "mamba", )", m2 = R"({"model_type": "mamba2", )";
  const std::string g = granite + ", ", b = bamba + R"(, "attn_layer_indices": [0], )";
  const std::pair<std::string, const char *> cases[] = {
      {"", "the text ends"},
      {"[]", "the JSON is not an object"},
      {"{}", "key 'model_type' is missing"},
      {R"({"model_type": "llama"})",
       "key 'model_type' is 'llama'; supported are mamba, mamba2, granitemoehybrid, bamba, s4d"},
      {R"({"model_type": 3})", "key 'model_type' is 3; it must be a string"},
      {R"({"model_type": "mamba", "model_type": "mamba2"})", "key 'model_type' occurs twice"},
      {std::string(100000, '['), "nested deeper than 64"},
      {m1 + R"("hidden_size": 0})", "key 'hidden_size' is 0; it must be from 1 to"},
      {m1 + R"("hidden_size": -8})", "key 'hidden_size' is -8"},
      {m1 + R"("hidden_size": 1.5})", "key 'hidden_size' is 1.5; it must be a whole number"},
      {m1 + R"("hidden_size": 1e400})", "number '1e400' is out of range"},
      {m1 + R"("hidden_size": "768"})", "key 'hidden_size' is '768'; it must be a whole number"},
      {m1 + R"("hidden_size": null})", "key 'hidden_size' is null; it must be a whole number"},
      {m1 + R"("hidden_size": 99999999999999999999})", "it must be a whole number"},
      {m1 + R"("vocab_size": 2147483647, "hidden_size": 4096})", "the embeddings have"},
      {m1 + R"("hidden_size": 16777216})", "the mixer has"},
      {m1 + R"("hidden_size": 4194304, "vocab_size": 10})", "the weights of in_proj have"},
      {m1 + R"("num_hidden_layers": 1000000000})", "key 'num_hidden_layers' is 1000000000"},
      {m1 + R"("layer_norm_epsilon": -1})", "key 'layer_norm_epsilon' is -1"},
      {m1 + R"("layer_norm_epsilon": Infinity})", "key 'layer_norm_epsilon' is"},
      {m1 + R"("hidden_act": "gelu"})", "key 'hidden_act' is 'gelu'; only silu"},
      {m1 + R"("time_step_rank": "some"})", "key 'time_step_rank' is 'some'"},
      {m1 + R"("use_bias": 1})", "key 'use_bias' is 1; it must be true or false"},
      {m2 + R"("num_heads": 127})", "key 'num_heads' is 127 with 64 channels a head"},
      {m2 + R"("n_groups": 3})", "key 'n_groups' is 3; it must divide the 128 heads"},
      {R"({"model_type": "granitemoehybrid"})", "key 'num_local_experts' is 8; only dense"},
      {g + R"("mamba_d_head": 3})", "key 'mamba_n_heads' is 8 with 3 channels a head"},
      {g + R"("mamba_n_groups": 3})", "key 'mamba_n_groups' is 3; it must divide"},
      {g + R"("layer_types": ["mamba"]})", "key 'layer_types' lists 1 layers"},
      {g + R"("layer_types": ["mamba", "moe"]})", "key 'layer_types' holds 'moe'"},
      {g + R"("layer_types": ["mamba", 1]})", "key 'layer_types' holds 1"},
      {g + R"("layer_types": "mamba"})", "key 'layer_types' is 'mamba'"},
      {g + R"("logits_scaling": 0})", "key 'logits_scaling' is 0"},
      {g + R"("position_embedding_type": "alibi", "layer_types": ["mamba", "attention"]})",
       "key 'position_embedding_type' is 'alibi'"},
      {b + R"("num_key_value_heads": 3})", "key 'num_key_value_heads' is 3; it must divide"},
      {R"({"model_type": "bamba", "num_attention_heads": 7, "num_key_value_heads": null,
            "attn_layer_indices": [0]})",
       "key 'num_attention_heads' is 7; it must divide the hidden size 4096"},
      {bamba + R"(, "attn_layer_indices": [3]})", "key 'attn_layer_indices' must hold"},
      {bamba + R"(, "attn_layer_indices": [-1]})", "key 'attn_layer_indices' must hold"},
      {bamba + R"(, "attn_layer_indices": 1})", "key 'attn_layer_indices' must be a list"},
      {b + R"("rope_parameters": {"rope_type": "yarn"}})", "key 'rope_type' is 'yarn'"},
      {b + R"("rope_parameters": {"rope_theta": 0}})", "key 'rope_theta' is 0"},
      {b + R"("rope_parameters": {"partial_rotary_factor": 0.01}})", "leaves 0 rotated channels"},
      {b + R"("rope_parameters": {"partial_rotary_factor": 0.05}})", "leaves 3 rotated channels"},
      {b + R"("rope_scaling": [1]})", "key 'rope_scaling' cannot be used"},
      {b + R"("head_dim": 16777216})", "the attention heads have more than 2^24 channels"},
  };
  for (const auto &[text, message] : cases) {
    SCOPED_TRACE(text.substr(0, 200));
    std::string actual = getMessage(read(text));
    expectMessage(actual, message);
    expectMessage(actual, "config.json");
  }
}

TEST(ModelConfig, MissingFile) {
  TempFolder folder;
  expectMessage(getMessage(readModelConfig(folder.str())), "config.json: No such file");
}
