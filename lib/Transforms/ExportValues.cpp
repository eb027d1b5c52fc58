//===- ExportValues.cpp - What quantized weights stand for, in f32 --------===//

#include "mlir/IR/BuiltinOps.h"
#include "ssmq/Analysis/QuantizedWeights.h"
#include "ssmq/Dialect/SSM/IR/SSMDialect.h"
#include "ssmq/Dialect/SSM/Utils/Checkpoint.h"
#include "ssmq/Formats/Format.h"
#include "ssmq/Import/WeightStore.h"
#include "ssmq/Support/Error.h"
#include "ssmq/Transforms/Passes.h"
#include "llvm/ADT/StringSet.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_EXPORTVALUESPASS
#include "ssmq/Transforms/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;
using namespace mlir::ssm;
using llvm::Error;
using llvm::Expected;
using ::ssmq::DType;
using ::ssmq::NamedTensor;
using ::ssmq::Tensor;
using ::ssmq::WeightStore;

namespace {

class ExportValuesPass : public mlir::ssm::impl::ExportValuesPassBase<ExportValuesPass> {
public:
  using Base::Base;
  void runOnOperation() override;

private:
  Error write(const WeightStore &store);
};

} // namespace

static bool isFloat(DType type) {
  return type == DType::F32 || type == DType::F16 || type == DType::BF16;
}

Error ExportValuesPass::write(const WeightStore &store) {
  std::vector<NamedTensor> tensors;
  llvm::StringSet<> done;
  for (const QuantizedWeight &weight : findQuantizedWeights(getOperation())) {
    Expected<::ssmq::QuantizedTensor> stored = weight.read(store);
    if (!stored)
      return stored.takeError();
    tensors.push_back({weight.getName().str(), ::ssmq::dequantize(*stored)});
    for (ml_program::GlobalOp part : {weight.codes, weight.scales, weight.zeroPoints})
      if (part)
        done.insert(part.getSymName());
  }
  for (auto global : getOperation().getOps<ml_program::GlobalOp>())
    if (global->hasAttr(SSMDialect::kComputedAttrName))
      done.insert(global.getSymName());
  for (StringRef name : store.getNames()) {
    if (done.contains(name))
      continue;
    Expected<Tensor> tensor = store.lookup(name);
    if (!tensor)
      return tensor.takeError();
    if (!isFloat(tensor->getDType()))
      return ::ssmq::makeError("{0} holds codes that no linear layer, embedding or convolution "
                               "reads; run --ssmq-expand-formats first",
                               ::ssmq::quote(name));
    tensors.push_back({name.str(), tensor->toF32()});
  }
  return ::ssmq::writeSafetensors(output, tensors, {{"format", "pt"}});
}

void ExportValuesPass::runOnOperation() {
  markAllAnalysesPreserved();
  auto store = openCheckpoint(getOperation(), checkpoint);
  if (failed(store))
    return signalPassFailure();
  Error error = output.empty() ? ::ssmq::makeError("ssmq-export-values needs output=FILE, the "
                                                   "safetensors file to write")
                               : write(**store);
  if (error) {
    emitError(getOperation().getLoc()) << llvm::toString(std::move(error));
    signalPassFailure();
  }
}
