//===- CompiledProgram.h - A program compiled in memory ---------*- C++ -*-===//
//
// Compiles a lowered module (LLVM and OpenMP dialects) with ORC and runs it. Its entry is
//   void _mlir_ciface_forward(tokens *, state0 *, ..., logits *)
// where each pointer is a memref descriptor of MLIR's C interface {allocated, aligned, offset,
// sizes[rank], strides[rank]}: tokens memref<?xi32>, states of the signature, updated in place,
// logits memref<?xVxf32>. Two more of the same form are optional: _mlir_ciface_decode takes exactly
// one token, _mlir_ciface_prefill gives the logits after the last token only, memref<1xVxf32>.
// Declared variables are weights, bound to the resolver's bytes without a copy.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_EXECUTIONENGINE_COMPILEDPROGRAM_H
#define SSMQ_EXECUTIONENGINE_COMPILEDPROGRAM_H

#include "ssmq/Dialect/SSM/Utils/ProgramSignature.h"
#include "ssmq/ExecutionEngine/CompileOptions.h"

namespace llvm::orc {
class LLJIT;
}

namespace ssmq {

struct ProgramObject;
class DeviceTensors;

class CompiledProgram : public Program {
public:
  ~CompiledProgram() override;

  /// Fails when the module is not lowered, its entries do not fit the signature, a weight is
  /// missing or too short, or a function it calls is not in this process.
  static llvm::Expected<std::unique_ptr<CompiledProgram>> compile(mlir::ModuleOp lowered,
                                                                  ProgramSignature signature,
                                                                  WeightResolver weights,
                                                                  const CompileOptions &options);

  /// Lowers a copy of `source` by a pass pipeline and compiles it, or takes what an earlier call
  /// with the same program and options kept in the cache. The signature is the lowered program's.
  static llvm::Expected<std::unique_ptr<CompiledProgram>>
  compileSource(mlir::ModuleOp source, ProgramSignature signature, llvm::StringRef lowering,
                WeightResolver weights, const CompileOptions &options);

  int64_t getVocabSize() const override { return signature.vocabSize; }
  int64_t getNumFeatures() const override { return signature.numFeatures; }
  int64_t getNumRows(int64_t numSteps) const override { return signature.getNumRows(numSteps); }
  llvm::Expected<ProgramState> createState(int64_t capacity) const override;
  using Program::forward;
  using Program::forwardLast;
  llvm::Expected<Tensor> forward(const Tensor &inputs, ProgramState &state) const override;
  llvm::Expected<Tensor> forwardLast(const Tensor &inputs, ProgramState &state) const override;

  const ProgramSignature &getSignature() const { return signature; }

private:
  /// Unpacks an array of descriptor pointers and calls an entry.
  using Invoke = void (*)(void *const *descriptors);

  CompiledProgram(ProgramSignature signature);

  /// Gives code addresses, and its weights theirs.
  static llvm::Expected<std::unique_ptr<CompiledProgram>> link(ProgramObject object,
                                                               ProgramSignature signature,
                                                               WeightResolver weights,
                                                               const CompileOptions &options);
  /// Feeds inputs to an entry that writes `numRows` rows of logits.
  llvm::Expected<Tensor> call(Invoke invoke, const Tensor &inputs, ProgramState &state,
                              int64_t numRows) const;
  /// Where an entry finds inputs and states and leaves logits, in memory that it can reach.
  struct Buffers {
    const void *inputs;
    llvm::SmallVector<void *, 64> states;
    void *logits;
  };
  llvm::Expected<Buffers> getBuffers(const Tensor &inputs, ProgramState &state,
                                     Tensor &logits) const;
  /// Waits for the device and brings logits from it.
  llvm::Error finish(const Buffers &buffers, Tensor &logits) const;

  ProgramSignature signature;
  /// Keeps mapped bytes alive for as long as code refers to them.
  std::vector<Tensor> weights;
  std::unique_ptr<llvm::orc::LLJIT> jit;
  /// Null for programs of the CPU.
  std::unique_ptr<DeviceTensors> device;
  Invoke invokeForward = nullptr;
  /// Null when the module has no such entry.
  Invoke invokeDecode = nullptr, invokePrefill = nullptr;
  /// omp_set_num_threads, null when the program is not threaded or the number is not set.
  void (*setNumThreads)(int) = nullptr;
  unsigned threads = 0;
};

} // namespace ssmq

#endif // SSMQ_EXECUTIONENGINE_COMPILEDPROGRAM_H
