//===- TestModule.h - A tiny program with the entry ABI ---------*- C++ -*-===//
//
// logits[t, v] = scale[v] * (sum of the tokens so far + position), with two states: "position" and
// a cache `sums` of one value a position. Lowered by stock passes.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_TEST_UNIT_EXECUTIONENGINE_TESTMODULE_H
#define SSMQ_TEST_UNIT_EXECUTIONENGINE_TESTMODULE_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "ssmq/Dialect/SSM/Utils/ProgramSignature.h"

namespace ssmq::test {

inline constexpr int64_t kVocab = 5;
inline constexpr float kScale[kVocab] = {1.0f, 0.5f, -2.0f, 3.0f, 0.25f};
inline constexpr llvm::StringLiteral kWeightName = "model.layers.0.mamba.in_proj.weight";

/// The passes that lower it.
inline constexpr llvm::StringLiteral kLowering =
    "convert-scf-to-openmp,convert-scf-to-cf,expand-strided-metadata,finalize-memref-to-llvm,"
    "convert-openmp-to-llvm,convert-to-llvm,reconcile-unrealized-casts";

/// Context with the dialects and passes that the module needs.
std::unique_ptr<mlir::MLIRContext> createContext();

/// The bufferized program; `loop` is the op of the token loop's inner loop over the vocabulary:
/// "scf.for" or, threaded, "scf.parallel". With `decode`, @decode adds 1000 to every logit.
mlir::OwningOpRef<mlir::ModuleOp> parse(mlir::MLIRContext &context, bool threaded = false,
                                        bool decode = false);
mlir::OwningOpRef<mlir::ModuleOp> parseText(mlir::MLIRContext &context, llvm::StringRef text);
/// Lowers to the LLVM dialect in place by kLowering.
bool lower(mlir::ModuleOp module);

/// What the program gives for `tokens` after a history.
float expectedLogit(llvm::ArrayRef<int32_t> tokens, size_t position, int64_t v);

} // namespace ssmq::test

#endif // SSMQ_TEST_UNIT_EXECUTIONENGINE_TESTMODULE_H
