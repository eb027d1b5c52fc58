//===- ProgramSignature.h - What a program takes and gives ------*- C++ -*-===//
//
// The signature of @forward, read before lowering erases shapes:
//   @forward(tokens : i32 [T], states...) -> (logits : f32 [T, V], states...)
// on tensors, or bufferized,
//   @forward(tokens, states..., logits)
// on memrefs with the states updated in place. A program may read features, f32 [T, C], in the
// place of tokens, and a classifier gives logits of shape [1, V] for a dynamic T. A dynamic
// dimension of a state is the capacity of a cache, in steps. The argument attribute `ssm.state`
// names a state. Programs of other compilers may have no states, and a static T.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_DIALECT_SSM_UTILS_PROGRAMSIGNATURE_H
#define SSMQ_DIALECT_SSM_UTILS_PROGRAMSIGNATURE_H

#include "ssmq/Support/Program.h"
#include <string>

namespace mlir {
class ModuleOp;
}

namespace ssmq {

struct StateSignature {
  std::string name;
  DType type = DType::F32;
  /// mlir::ShapedType::kDynamic stands for the capacity.
  Shape shape;
};

struct ProgramSignature {
  int64_t vocabSize = 0;
  /// Tokens lie in [0, numIds): the vocabulary, or a smaller table of embeddings.
  int64_t numIds = 0;
  /// 0 for token ids.
  int64_t numFeatures = 0;
  /// Whether all steps give one row of logits.
  bool isClassifier = false;
  /// How many tokens must be fed at a time, where shapes fix that.
  std::optional<int64_t> numTokens;
  std::vector<StateSignature> states;

  int64_t getNumRows(int64_t numSteps) const { return isClassifier ? 1 : numSteps; }
};

/// Fails when the module has no @forward of the form above.
llvm::Expected<ProgramSignature> readSignature(mlir::ModuleOp module);

/// The shape of a state for caches of `capacity` tokens.
Shape getStateShape(const StateSignature &state, int64_t capacity);

/// Zero states; fails when the capacity is negative or the caches would not fit any memory.
llvm::Expected<ProgramState> createZeroState(const ProgramSignature &signature, int64_t capacity);

/// Fails, with what to do about it, when inputs are not what a program reads.
llvm::Error checkInputs(const ProgramSignature &signature, const Tensor &inputs);
/// The same, and when they cannot be fed to `state`.
llvm::Error checkFeed(const ProgramSignature &signature, const Tensor &inputs,
                      const ProgramState &state);

} // namespace ssmq

#endif // SSMQ_DIALECT_SSM_UTILS_PROGRAMSIGNATURE_H
