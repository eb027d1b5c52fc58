//===- Calibration.h - The tokens that passes measure on --------*- C++ -*-===//

#ifndef SSMQ_LIB_TRANSFORMS_CALIBRATION_H
#define SSMQ_LIB_TRANSFORMS_CALIBRATION_H

#include "mlir/Support/LLVM.h"
#include "ssmq/Measure/SequenceRecord.h"

namespace mlir {
class ModuleOp;
}
namespace ssmq {
class WeightStore;
}

namespace mlir::ssm {

class Calibration {
public:
  /// Cuts the tokens of a file into sequences, at most `numSequences` unless that is 0.
  static llvm::Expected<Calibration> read(StringRef path, int64_t sequenceLength,
                                          int64_t numSequences);

  /// Keeps the sequences that a program with a fixed number of tokens can be fed; fails when there
  /// are none.
  llvm::Error fit(std::optional<int64_t> numTokens);

  ArrayRef<ArrayRef<int32_t>> getSequences() const { return sequences; }
  /// What is fed of the sequences: all but the last token of each, which is only predicted.
  SmallVector<ArrayRef<int32_t>> getInputs() const;
  StringRef getPath() const { return path; }
  ArrayRef<int32_t> getTokens() const { return tokens; }
  int64_t getSequenceLength() const { return sequenceLength; }

private:
  std::string path;
  std::vector<int32_t> tokens;
  int64_t sequenceLength = 0;
  /// Into `tokens`, whose place survives a move.
  SmallVector<ArrayRef<int32_t>> sequences;
};

/// What decides the numbers of a measurement of this module.
llvm::Expected<::ssmq::RunIdentity> identifyRun(ModuleOp module, const ::ssmq::WeightStore &store,
                                                const Calibration &calibration, int64_t vocabSize);

} // namespace mlir::ssm

#endif // SSMQ_LIB_TRANSFORMS_CALIBRATION_H
