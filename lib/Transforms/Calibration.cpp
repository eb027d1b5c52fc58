//===- Calibration.cpp - The sequences that passes measure on -------------===//

#include "Calibration.h"

#include "ModelIdentity.h"
#include "mlir/IR/BuiltinOps.h"
#include "ssmq/Formats/Format.h"
#include "ssmq/Reference/InterpreterProgram.h"
#include "llvm/Support/Path.h"

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
  Expected<::ssmq::SequenceSet> set = ::ssmq::SequenceSet::read(path, sequenceLength);
  if (!set)
    return set.takeError();
  if (numSequences > 0)
    set->truncate(numSequences);
  Calibration result(std::move(*set));
  result.path = path.str();
  return result;
}

Error Calibration::fit(const InterpreterProgram &program) {
  if (std::optional<int64_t> numSteps = program.getNumTokens()) {
    // The last token of a text's sequence is predicted, not fed.
    if (!set.isLabelled() && set.getLength() != *numSteps + 1)
      return createStringError(
          "@forward takes exactly " + llvm::Twine(*numSteps) +
          " tokens at a time; set sequence-length=" + llvm::Twine(*numSteps + 1));
    set.keepSteps(*numSteps);
    if (set.getSequences().empty())
      return createStringError("'" + path + "' holds fewer tokens than one sequence of " +
                               llvm::Twine(set.getLength()));
  }
  return set.check(program);
}

Expected<RunIdentity> mlir::ssm::identifyRun(ModuleOp module, const ::ssmq::WeightStore &store,
                                             const Calibration &calibration, int64_t vocabSize) {
  Expected<std::string> hash = hashWeights(module, store);
  if (!hash)
    return hash.takeError();
  RunIdentity identity;
  identity.model = getModelName(module, store);
  identity.checkpoint = *hash;
  identity.calibration = llvm::sys::path::filename(calibration.getPath()).str();
  identity.calibrationDigest = calibration.getSet().getDigest();
  identity.formatSet = ::ssmq::formatNumericsVersion.str();
  identity.sequenceLength = calibration.getSet().getLength();
  identity.numSequences = calibration.getSequences().size();
  identity.vocabSize = vocabSize;
  return identity;
}
