//===- CalibrationRun.h - All sequences, one op at a time -------*- C++ -*-===//
//
// Runs @forward on many sequences side by side: each op is evaluated on all of them before the next
// one is. So a visitor sees what an op reads on all calibration tokens before anything behind it
// has run, and can change its weight: which is how layers are refined one after the other, each on
// what the changed layers before it give, in a single pass.
//
// Memory: the weights in f32, and the values that are still to be read, of all sequences.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_ANALYSIS_CALIBRATIONRUN_H
#define SSMQ_ANALYSIS_CALIBRATIONRUN_H

#include "ssmq/Reference/InterpreterProgram.h"

namespace mlir::ssm {

class CalibrationRun {
public:
  /// The program must outlive the run. Fails when a sequence cannot be fed, and when the machine
  /// has less memory than the run needs.
  static llvm::Expected<CalibrationRun>
  create(const InterpreterProgram &program, ArrayRef<::ssmq::Sequence> sequences, unsigned threads);

  /// Calls `visit` before each op that depends on tokens, in program order; false ends the run, and
  /// the rest of the program is not evaluated. May be called once.
  llvm::Error run(llvm::function_ref<llvm::Expected<bool>(Operation *op)> visit);

  size_t getNumSequences() const { return values.size(); }
  /// A value that the op being visited reads, on one sequence.
  ::ssmq::Tensor getValue(size_t sequence, Value value) const;
  /// Whether the op being visited or a later one reads the value.
  bool isRead(Value value) const;
  /// The op reads this in the place of the operand from now on.
  void replaceOperand(OpOperand *operand, ::ssmq::Tensor value) { replaced[operand] = value; }

private:
  CalibrationRun(const InterpreterProgram &program, unsigned threads)
      : interpreter(&program.getInterpreter()), threads(threads) {}
  llvm::Error evaluate(Operation *op);
  llvm::Error evaluate(Operation *op, SmallVectorImpl<::ssmq::Tensor> &slots) const;

  const Interpreter *interpreter;
  unsigned threads;
  llvm::DenseMap<Value, unsigned> slotOf;
  /// The last op that reads a value that is alive.
  llvm::DenseMap<Value, Operation *> lastReader;
  std::vector<SmallVector<::ssmq::Tensor, 0>> values;
  llvm::SmallDenseMap<OpOperand *, ::ssmq::Tensor> replaced;
};

} // namespace mlir::ssm

#endif // SSMQ_ANALYSIS_CALIBRATIONRUN_H
