//===- KernelWeights.cpp - Weights as kernels read them -------------------===//

#include "ssmq/Transforms/KernelWeights.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "ssmq/Conversion/SSMToLoops/SSMToLoops.h"
#include "ssmq/Dialect/SSM/Transforms/Passes.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Threading.h"
#include <mutex>

using namespace mlir;
using namespace mlir::ssm;
using llvm::Expected;
using ::ssmq::LazyTensor;
using ::ssmq::Tensor;

namespace {

class MadeWeights {
public:
  MadeWeights(ArrayRef<LazyTensor> changed, WeightLookup rest) : rest(std::move(rest)) {
    for (const LazyTensor &tensor : changed)
      recipes[tensor.name] = tensor.make;
  }

  Expected<Tensor> lookup(StringRef name) {
    auto recipe = recipes.find(name);
    if (recipe == recipes.end())
      return rest(name);
    std::lock_guard<std::mutex> lock(mutex);
    auto known = made.find(name);
    if (known != made.end())
      return known->second;
    Expected<Tensor> tensor = recipe->second();
    if (tensor)
      made.try_emplace(name, *tensor);
    return tensor;
  }

private:
  std::mutex mutex;
  llvm::StringMap<std::function<Expected<Tensor>()>> recipes;
  llvm::StringMap<Tensor> made;
  WeightLookup rest;
};

} // namespace

/// Takes in what a rewrite of the program's module changed.
static LogicalResult take(KernelProgram &program, const WeightLookup &lookup,
                          FailureOr<std::vector<LazyTensor>> changed) {
  if (failed(changed))
    return failure();
  llvm::append_range(program.changed, *changed);
  auto made = std::make_shared<MadeWeights>(program.changed, lookup);
  program.weights = [made](StringRef name) { return made->lookup(name); };
  return success();
}

static LogicalResult apply(KernelProgram &program, const WeightLookup &lookup, unsigned threads,
                           ArrayRef<decltype(&expandFormats)> rewrites) {
  if (threads == 0)
    threads = llvm::hardware_concurrency().compute_thread_count();
  for (auto rewrite : rewrites)
    if (failed(take(program, lookup, rewrite(*program.module, program.weights, threads))))
      return failure();
  return success();
}

static LogicalResult formScans(KernelProgram &program, const WeightLookup &lookup,
                               const KernelWeightOptions &options) {
  return options.integerScans
             ? take(program, lookup,
                    formIntegerScans(*program.module, program.weights, options.explain))
             : success();
}

FailureOr<KernelProgram> mlir::ssm::prepareForKernels(ModuleOp source, const WeightLookup &lookup,
                                                      const KernelWeightOptions &options) {
  KernelProgram program{source.clone(), {}, lookup};
  if (failed(formScans(program, lookup, options)) ||
      failed(apply(program, lookup, options.threads, {expandFormats, tileWeights})))
    return failure();
  return program;
}

FailureOr<KernelProgram> mlir::ssm::prepareForSmallKernels(ModuleOp source,
                                                           const WeightLookup &lookup,
                                                           const KernelWeightOptions &options,
                                                           int64_t steps) {
  KernelProgram program{source.clone(), {}, lookup};
  PassManager passes(source.getContext());
  passes.addPass(createInlinerPass());
  passes.addPass(createSymbolDCEPass());
  passes.addPass(createSpecializeTokens({steps}));
  if (failed(apply(program, lookup, options.threads, {foldParameters})) ||
      failed(formScans(program, lookup, options)) || failed(passes.run(*program.module)))
    return failure();
  convertToLoops(*program.module, program.weights);
  if (failed(apply(program, lookup, options.threads, {expandFormats})))
    return failure();
  return program;
}
