//===- Calibration.cpp - The tokens that passes measure on ----------------===//

#include "Calibration.h"

#include "ModelIdentity.h"
#include "mlir/IR/BuiltinOps.h"
#include "ssmq/Analysis/SensitivitySweep.h"
#include "ssmq/Support/Json.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;
using namespace mlir::ssm;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;
using ::ssmq::RunIdentity;

Expected<Calibration> Calibration::read(StringRef path, int64_t sequenceLength,
                                        int64_t numSequences) {
  if (sequenceLength < 2 || numSequences < 0)
    return createStringError("sequence-length must be 2 or more, num-sequences 0 or more");
  Expected<std::vector<int32_t>> tokens = ::ssmq::readTokenFile(path);
  if (!tokens)
    return tokens.takeError();
  Calibration result;
  result.path = path.str();
  result.tokens = std::move(*tokens);
  result.sequenceLength = sequenceLength;
  result.sequences = cutSequences(result.tokens, sequenceLength);
  if (numSequences > 0 && static_cast<int64_t>(result.sequences.size()) > numSequences)
    result.sequences.resize(numSequences);
  if (result.sequences.empty())
    return createStringError("'" + path + "' holds " + llvm::Twine(result.tokens.size()) +
                             " tokens; calibration needs at least 2");
  return result;
}

Error Calibration::fit(std::optional<int64_t> numTokens) {
  if (!numTokens)
    return Error::success();
  // The last token of a sequence is predicted, not fed.
  if (sequenceLength != *numTokens + 1)
    return createStringError(
        "@forward takes exactly " + llvm::Twine(*numTokens) +
        " tokens at a time; set sequence-length=" + llvm::Twine(*numTokens + 1));
  llvm::erase_if(sequences, [&](ArrayRef<int32_t> sequence) {
    return static_cast<int64_t>(sequence.size()) != sequenceLength;
  });
  if (sequences.empty())
    return createStringError("'" + path + "' holds fewer tokens than one sequence of " +
                             llvm::Twine(sequenceLength));
  return Error::success();
}

SmallVector<ArrayRef<int32_t>> Calibration::getInputs() const {
  return llvm::map_to_vector(sequences,
                             [](ArrayRef<int32_t> sequence) { return sequence.drop_back(); });
}

Expected<RunIdentity> mlir::ssm::identifyRun(ModuleOp module, const ::ssmq::WeightStore &store,
                                             const Calibration &calibration, int64_t vocabSize) {
  Expected<std::string> hash = hashWeights(module, store);
  if (!hash)
    return hash.takeError();
  ArrayRef<int32_t> tokens = calibration.getTokens();
  RunIdentity identity;
  identity.model = getModelName(module, store);
  identity.checkpoint = *hash;
  identity.calibration = llvm::sys::path::filename(calibration.getPath()).str();
  identity.calibrationDigest = toHex(llvm::xxh3_64bits(ArrayRef<uint8_t>(
      reinterpret_cast<const uint8_t *>(tokens.data()), tokens.size() * sizeof(int32_t))));
  identity.formatSet = ::ssmq::formatNumericsVersion.str();
  identity.sequenceLength = calibration.getSequenceLength();
  identity.numSequences = calibration.getSequences().size();
  identity.vocabSize = vocabSize;
  return identity;
}
