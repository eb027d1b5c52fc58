//===- KernelWeights.cpp - Weights as kernels read them -------------------===//

#include "ssmq/Transforms/KernelWeights.h"

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

FailureOr<KernelProgram> mlir::ssm::prepareForKernels(ModuleOp source, const WeightLookup &lookup,
                                                      unsigned threads) {
  if (threads == 0)
    threads = llvm::hardware_concurrency().compute_thread_count();
  KernelProgram program{source.clone(), {}, {}};
  for (auto *rewrite : {expandFormats, tileWeights}) {
    FailureOr<std::vector<LazyTensor>> changed = rewrite(*program.module, lookup, threads);
    if (failed(changed))
      return failure();
    llvm::append_range(program.changed, *changed);
  }
  auto made = std::make_shared<MadeWeights>(program.changed, lookup);
  program.weights = [made](StringRef name) { return made->lookup(name); };
  return program;
}
