//===- ModelConfig.h - config.json of Hugging Face models -------*- C++ -*-===//
//
// Reads config.json of the model types mamba, mamba2, granitemoehybrid (dense), bamba and s4d (our
// own, docs/S4D.md) into one struct. Missing keys take the defaults of the configuration classes of
// transformers 5; derived values ("auto", head sizes, layer kinds) are worked out, so that a reader
// needs no rule of its own. Sizes are positive and at most 2^24 (the vocabulary 2^31 - 1), weights
// have fewer than 2^40 values, and heads and groups divide: a frontend may multiply without
// checking.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_IMPORT_MODELCONFIG_H
#define SSMQ_IMPORT_MODELCONFIG_H

#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace ssmq {

enum class ModelFamily : uint8_t { Mamba, Mamba2, GraniteHybrid, Bamba, S4D };

/// The model_type of config.json: "mamba", "mamba2", "granitemoehybrid", "bamba", "s4d".
llvm::StringRef getName(ModelFamily family);

/// Mamba is the mixer of the family: Mamba-1 for ModelFamily::Mamba, Mamba-2 for the others.
enum class LayerKind : uint8_t { Mamba, Attention };

/// A Mamba-1 (arXiv 2312.00752) or Mamba-2 (arXiv 2405.21060) mixer.
struct MambaConfig {
  /// Channels of the scan; numHeads * headDim for Mamba-2.
  int64_t intermediateSize = 0;
  int64_t stateSize = 0;
  int64_t convKernel = 0;
  /// Rank of the projection to dt; Mamba-1 only.
  int64_t timeStepRank = 0;
  /// Mamba-2 only; numGroups divides numHeads.
  int64_t numHeads = 0, headDim = 0, numGroups = 0;
  /// Mamba-2 clamps dt, after softplus, to this range.
  double timeStepMin = 0, timeStepMax = std::numeric_limits<double>::infinity();
  /// Biases of in_proj and out_proj, and of the convolution.
  bool useBias = false, useConvBias = true;

  /// Channels of the convolution: x, and for Mamba-2 also B and C.
  int64_t getConvSize() const { return intermediateSize + 2 * numGroups * stateSize; }
};

struct RotaryConfig {
  double theta = 10000;
  /// Even; the first channels of each head, which are rotated.
  int64_t rotaryDim = 0;
};

struct AttentionConfig {
  /// numKeyValueHeads divides numHeads.
  int64_t numHeads = 0, numKeyValueHeads = 0, headDim = 0;
  /// Factor of q k^T before the softmax.
  double scale = 0;
  bool useBias = false;
  /// Absent: no position embedding.
  std::optional<RotaryConfig> rotary;
};

struct MLPConfig {
  int64_t intermediateSize = 0;
  bool useBias = false;
};

/// A classifier of feature sequences by S4D layers (arXiv 2206.11893).
struct S4DConfig {
  enum class Discretization : uint8_t { ZeroOrderHold, Bilinear };
  enum class Activation : uint8_t { QGelu, Gelu };
  enum class Pooling : uint8_t { Mean, Last };

  int64_t numFeatures = 1, numLayers = 1;
  /// Complex states of a head that are kept, half of d_state.
  int64_t numStates = 32;
  Discretization discretization = Discretization::ZeroOrderHold;
  /// Whether the checkpoint holds the discrete A and B.
  bool isDiscrete = false;
  Activation activation = Activation::QGelu;
  /// Mixing of heads by a gated linear unit; else by a linear layer.
  bool hasGate = true;
  bool hasResidual = true, hasNorm = false;
  Pooling pooling = Pooling::Mean;
};

struct ModelConfig {
  ModelFamily family = ModelFamily::Mamba;
  int64_t vocabSize = 0;
  int64_t hiddenSize = 0;
  /// One for each layer, at least one; of S4D none.
  std::vector<LayerKind> layers;
  double normEpsilon = 0;
  bool tieWordEmbeddings = false;
  /// 0 when the family gives no limit.
  int64_t maxPositions = 0;

  MambaConfig mamba;
  /// Set when a layer is an attention layer.
  std::optional<AttentionConfig> attention;
  /// Set for ModelFamily::S4D, whose classes are `vocabSize` and heads `hiddenSize`; `layers` is
  /// empty then.
  std::optional<S4DConfig> s4d;
  /// Set for the families whose layers have a gated MLP behind the mixer (granite, bamba).
  std::optional<MLPConfig> mlp;

  /// Granite: embeddings and residual branches are multiplied, logits divided; 1 elsewhere.
  double embeddingMultiplier = 1, residualMultiplier = 1, logitsScaling = 1;
};

/// `path` is a config.json or the folder that holds one.
llvm::Expected<ModelConfig> readModelConfig(llvm::StringRef path);
/// `name` stands in front of each message.
llvm::Expected<ModelConfig> parseModelConfig(const llvm::json::Value &json, llvm::StringRef name);

} // namespace ssmq

#endif // SSMQ_IMPORT_MODELCONFIG_H
