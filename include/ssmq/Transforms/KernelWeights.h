//===- KernelWeights.h - Weights as kernels read them -----------*- C++ -*-===//
//
// Before a program is compiled for a CPU, weights in formats that no kernel decodes become f32, and
// codes of 4 or 8 bits lie in tiles of rows, as kernels stream them. A program that `ssmq quantize`
// wrote is so already; of any other, what changes is held in memory that no other process shares.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_TRANSFORMS_KERNELWEIGHTS_H
#define SSMQ_TRANSFORMS_KERNELWEIGHTS_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "ssmq/Import/Safetensors.h"
#include "ssmq/Reference/Interpreter.h"

namespace mlir::ssm {

/// --ssmq-expand-formats and --ssmq-tile-weights: they change the module and give the weights that
/// replace those of their names. Failures are told as diagnostics.
FailureOr<std::vector<::ssmq::LazyTensor>>
expandFormats(ModuleOp module, const WeightLookup &lookup, unsigned threads);
FailureOr<std::vector<::ssmq::LazyTensor>> tileWeights(ModuleOp module, const WeightLookup &lookup,
                                                       unsigned threads);

struct KernelProgram {
  OwningOpRef<ModuleOp> module;
  /// Those that are not the checkpoint's.
  std::vector<::ssmq::LazyTensor> changed;
  /// All weights of the module; those that are not the checkpoint's are made once, when they are
  /// first asked for, and live as long as this or a tensor of theirs.
  WeightLookup weights;
};

/// A copy of `source` with both passes run; 0 threads stands for all cores.
FailureOr<KernelProgram> prepareForKernels(ModuleOp source, const WeightLookup &lookup,
                                           unsigned threads);

} // namespace mlir::ssm

#endif // SSMQ_TRANSFORMS_KERNELWEIGHTS_H
