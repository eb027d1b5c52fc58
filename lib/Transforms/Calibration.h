//===- Calibration.h - The sequences that passes measure on -----*- C++ -*-===//

#ifndef SSMQ_LIB_TRANSFORMS_CALIBRATION_H
#define SSMQ_LIB_TRANSFORMS_CALIBRATION_H

#include "mlir/Support/LLVM.h"
#include "ssmq/Measure/SequenceRecord.h"
#include "ssmq/Measure/SequenceSet.h"

namespace mlir {
class ModuleOp;
}
namespace ssmq {
class WeightStore;
}

namespace mlir::ssm {

class InterpreterProgram;

class Calibration {
public:
  /// The sequences of a file (SequenceSet::read), at most `numSequences` unless that is 0.
  static llvm::Expected<Calibration> read(StringRef path, int64_t sequenceLength,
                                          int64_t numSequences);

  /// Fails when the program cannot be fed them. Of a program with a fixed number of steps keeps
  /// those of that many; fails when there are none.
  llvm::Error fit(const InterpreterProgram &program);

  ArrayRef<::ssmq::Sequence> getSequences() const { return set.getSequences(); }
  const ::ssmq::SequenceSet &getSet() const { return set; }
  StringRef getPath() const { return path; }

private:
  Calibration(::ssmq::SequenceSet set) : set(std::move(set)) {}

  ::ssmq::SequenceSet set;
  std::string path;
};

/// What decides the numbers of a measurement of this module.
llvm::Expected<::ssmq::RunIdentity> identifyRun(ModuleOp module, const ::ssmq::WeightStore &store,
                                                const Calibration &calibration, int64_t vocabSize);

} // namespace mlir::ssm

#endif // SSMQ_LIB_TRANSFORMS_CALIBRATION_H
