//===- S4DConfig.cpp - Classifiers of S4D layers --------------------------===//

#include "ConfigParser.h"
#include "ssmq/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace ssmq;
using llvm::StringRef;
using llvm::Twine;

unsigned ConfigParser::readChoice(StringRef key, llvm::ArrayRef<StringRef> names) {
  std::string name = names.front().str();
  reader.read(key, name);
  const auto *found = llvm::find(names, name);
  if (found == names.end()) {
    reader.fail(key, "is " + quote(name) + "; supported are " + llvm::join(names, ", "));
    return 0;
  }
  return found - names.begin();
}

void ConfigParser::readS4D() {
  config.vocabSize = readSize("num_labels", 10);
  config.hiddenSize = readSize("d_model", 16);
  config.normEpsilon = 1e-5;
  reader.read("layer_norm_eps", config.normEpsilon, 0, 1);
  S4DConfig s4d;
  s4d.numFeatures = readSize("d_input", 1);
  s4d.numLayers = readSize("n_layers", 1, /*max=*/4096);
  int64_t stateSize = readSize("d_state", 64);
  if (stateSize % 2 != 0)
    reader.fail("d_state", "is " + Twine(stateSize) +
                               "; it must be even, as states come with their conjugates");
  s4d.numStates = std::max<int64_t>(1, stateSize / 2);
  s4d.discretization =
      static_cast<S4DConfig::Discretization>(readChoice("discretization", {"zoh", "bilinear"}));
  s4d.isDiscrete = readChoice("parameterization", {"continuous", "discrete"}) == 1;
  s4d.activation = static_cast<S4DConfig::Activation>(readChoice("activation", {"qgelu", "gelu"}));
  s4d.hasGate = readChoice("mixing", {"glu", "linear"}) == 0;
  s4d.hasNorm = readChoice("norm", {"none", "layer"}) == 1;
  s4d.hasResidual = readFlag("residual", true);
  s4d.pooling = static_cast<S4DConfig::Pooling>(readChoice("pooling", {"mean", "last"}));
  checkProduct(config.hiddenSize, 2 * s4d.numStates, "the states of a layer");
  checkProduct(config.hiddenSize, 2 * config.hiddenSize, "the weights of mixing");
  checkProduct(config.hiddenSize, s4d.numFeatures, "the weights of encoder");
  checkProduct(config.hiddenSize, config.vocabSize, "the weights of classifier");
  config.s4d = s4d;
}
