//===- LoweringTest.h - Compiled programs against the interpreter -*- C++ -*-===//
//
// A test writes a small @forward around one op: the input %x comes from an embedding, %y is the
// output. The program runs in the interpreter (reference kernels) and compiled, on the same seeded
// weights, whole and in chunks; logits and states must agree. Nothing behind a weight can be read.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_TEST_UNIT_CONVERSION_LOWERINGTEST_H
#define SSMQ_TEST_UNIT_CONVERSION_LOWERINGTEST_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "ssmq/ExecutionEngine/CompiledProgram.h"
#include "ssmq/Kernels/KernelOptions.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/Twine.h"
#include "gtest/gtest.h"

namespace ssmq::test {

/// The text of a program with the input %x : tensor<?xCxf32>.
class ProgramText {
public:
  explicit ProgramText(int64_t inputColumns, llvm::StringRef inputType = "f32");

  /// Declares a weight (`type` as "4x8xf16") and loads it as %name.
  ProgramText &weight(llvm::StringRef name, llvm::StringRef type);
  /// Adds a state argument %name; its next value is %next_name, which the body defines.
  ProgramText &state(llvm::StringRef name, llvm::StringRef type);
  ProgramText &line(const llvm::Twine &text);
  /// The module; %y, of so many columns, is the output.
  std::string finish(int64_t outputColumns) const;

private:
  std::string globals, body, states, nextStates, stateTypes;
};

/// `text` with each "$0", "$1", ... replaced by a number.
std::string format(llvm::StringRef text, llvm::ArrayRef<int64_t> numbers);

struct LoweringCase {
  std::string text;
  float tolerance = 2e-5f;
  /// Where a state is rounded, a few values may be off by a step of its format, since sums in
  /// another order can fall on the other side of a tie; one in fifty may be within this.
  float tieTolerance = 0;
  /// Of the interpreter.
  KernelSet kernels = KernelSet::Reference;
  /// Of states in codes: columns that share a scale, 0 for rows or more.
  int64_t stateGroup = 0;
  /// At least 13.
  int32_t numTokens = 13;
  /// Passed to --ssmq-lower-to-cpu.
  unsigned vectorWidth = 0;
  std::string dotProduct = "auto";
  bool threads = true, decode = true, gemmLibrary = false;
  int64_t minParallelWork = 1;
};

class LoweringTest : public ::testing::Test {
protected:
  LoweringTest();

  /// Lowers, compiles and compares.
  void check(const LoweringCase &test);
  /// The logits of nine tokens, and the states behind them.
  std::vector<float> runCompiled(llvm::StringRef text, unsigned threads = 1);
  /// Compiles for 1, 2 and 3 threads and expects the same bits.
  void checkThreads(llvm::StringRef text);
  /// The first diagnostic of lowering, empty when it succeeds.
  std::string lowerFails(llvm::StringRef text);

  mlir::OwningOpRef<mlir::ModuleOp> lower(mlir::ModuleOp source, const LoweringCase &test);
  /// Seeded weights for the globals of a module.
  llvm::StringMap<Tensor> makeWeights(mlir::ModuleOp module);

  std::unique_ptr<mlir::MLIRContext> context;
};

} // namespace ssmq::test

#endif // SSMQ_TEST_UNIT_CONVERSION_LOWERINGTEST_H
