//===- TinyProgram.h - A hybrid block with seeded weights -------*- C++ -*-===//
//
// Embedding, a Mamba-2 mixer, attention with rotary and a tied head, all of odd sizes.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_TEST_UNIT_REFERENCE_TINYPROGRAM_H
#define SSMQ_TEST_UNIT_REFERENCE_TINYPROGRAM_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "ssmq/Reference/InterpreterProgram.h"
#include "llvm/ADT/StringMap.h"

namespace ssmq::test {

using Weights = llvm::StringMap<Tensor>;

std::unique_ptr<mlir::MLIRContext> createContext();
mlir::OwningOpRef<mlir::ModuleOp> parseTinyProgram(mlir::MLIRContext &context);
/// The weights of the tiny program, f32 in [-0.4, 0.4]: the program has no norms, and larger ones
/// make its logits the small differences of large numbers.
Weights makeWeights();
/// Looks `weights` up by name; they must outlive it.
mlir::ssm::WeightLookup lookupIn(const Weights &weights);
std::unique_ptr<mlir::ssm::InterpreterProgram>
makeProgram(mlir::ModuleOp module, const Weights &weights, KernelOptions kernels = {});

} // namespace ssmq::test

#endif // SSMQ_TEST_UNIT_REFERENCE_TINYPROGRAM_H
