//===- KernelWeights.h - Weights as kernels read them -----------*- C++ -*-===//
//
// Before a program is compiled for a CPU, scans of integers become integer scans, weights in
// formats that no kernel decodes become f32, and codes of 4 or 8 bits lie in tiles of rows, as
// kernels stream them. A program that `ssmq quantize` wrote is so already; of any other, what
// changes is held in memory that no other process shares.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_TRANSFORMS_KERNELWEIGHTS_H
#define SSMQ_TRANSFORMS_KERNELWEIGHTS_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "ssmq/Import/Safetensors.h"
#include "ssmq/Reference/Interpreter.h"

namespace mlir::ssm {

/// --ssmq-integer-scans, --ssmq-expand-formats and --ssmq-tile-weights: they change the module and
/// give the weights that replace those of their names, or are new. Failures are told as
/// diagnostics.
FailureOr<std::vector<::ssmq::LazyTensor>>
formIntegerScans(ModuleOp module, const WeightLookup &lookup, bool explain);
FailureOr<std::vector<::ssmq::LazyTensor>>
expandFormats(ModuleOp module, const WeightLookup &lookup, unsigned threads);
FailureOr<std::vector<::ssmq::LazyTensor>> tileWeights(ModuleOp module, const WeightLookup &lookup,
                                                       unsigned threads);

/// --ssmq-fold-parameters, likewise: weights that it computes have names of their own.
FailureOr<std::vector<::ssmq::LazyTensor>>
foldParameters(ModuleOp module, const WeightLookup &lookup, unsigned threads);

struct KernelWeightOptions {
  /// 0 stands for all cores.
  unsigned threads = 0;
  /// Whether scans run in integers where they can, as code for CPUs does.
  bool integerScans = true;
  /// Tells of each scan whether it does.
  bool explain = false;
};

struct KernelProgram {
  OwningOpRef<ModuleOp> module;
  /// Those that are not the checkpoint's.
  std::vector<::ssmq::LazyTensor> changed;
  /// All weights of the module; those that are not the checkpoint's are made once, when they are
  /// first asked for, and live as long as this or a tensor of theirs.
  WeightLookup weights;
};

/// A copy of `source` with the passes run. States of integer scans have another type in it.
FailureOr<KernelProgram> prepareForKernels(ModuleOp source, const WeightLookup &lookup,
                                           const KernelWeightOptions &options);

/// The same for code that is to be small, of so many steps a call: what weights alone decide is
/// computed, and loops read formats as they are stored (SSMToLoops.h) where they can.
FailureOr<KernelProgram> prepareForSmallKernels(ModuleOp source, const WeightLookup &lookup,
                                                const KernelWeightOptions &options, int64_t steps);

} // namespace mlir::ssm

#endif // SSMQ_TRANSFORMS_KERNELWEIGHTS_H
