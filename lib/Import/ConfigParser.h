//===- ConfigParser.h - Reads one config.json -------------------*- C++ -*-===//

#ifndef SSMQ_LIB_IMPORT_CONFIGPARSER_H
#define SSMQ_LIB_IMPORT_CONFIGPARSER_H

#include "ssmq/Import/ModelConfig.h"
#include "ssmq/Support/Json.h"

namespace ssmq {

/// Fills one ModelConfig; the reader keeps the first problem.
class ConfigParser {
public:
  ConfigParser(const llvm::json::Value &json, llvm::StringRef name)
      : reader(json, name), name(name) {}

  llvm::Expected<ModelConfig> parse();

private:
  /// Largest size of one dimension.
  static constexpr int64_t maxSize = int64_t(1) << 24;

  int64_t readSize(llvm::StringRef key, int64_t value, int64_t max = maxSize) {
    reader.read(key, value, 1, max);
    return value;
  }
  bool readFlag(llvm::StringRef key, bool value) {
    reader.read(key, value);
    return value;
  }
  double readFactor(llvm::StringRef key, double value) {
    reader.read(key, value, 1e-12, 1e12);
    return value;
  }

  void readFamily();
  void readCommon(int64_t vocabSize, int64_t hiddenSize, int64_t numLayers,
                  llvm::StringRef epsilonKey, double epsilon, bool tied);
  void readMamba();
  void readMamba2();
  void readGranite();
  void readBamba();
  void readS4D();
  /// The place of a string among `names`, whose first is the default.
  unsigned readChoice(llvm::StringRef key, llvm::ArrayRef<llvm::StringRef> names);
  /// The keys mamba_* that granite and bamba share.
  void readHybridMixer();
  void readTimeStepLimit();
  void readAttention(int64_t defaultKeyValueHeads);
  RotaryConfig readRotary(double rotaryFraction);
  void readLayerTypes(llvm::StringRef key);
  void readAttentionIndices();

  void checkMamba2(llvm::StringRef headsKey, llvm::StringRef groupsKey, int64_t expandedSize);
  void checkProducts();
  void checkProduct(int64_t a, int64_t b, llvm::StringRef what);

  JsonReader reader;
  llvm::StringRef name;
  ModelConfig config;
};

} // namespace ssmq

#endif // SSMQ_LIB_IMPORT_CONFIGPARSER_H
