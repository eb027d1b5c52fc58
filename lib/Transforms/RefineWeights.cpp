//===- RefineWeights.cpp - Refines weights one after the other ------------===//

#include "RefineWeights.h"

#include "ssmq/Analysis/CalibrationRun.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"
#include "ssmq/Import/WeightStore.h"
#include "ssmq/Support/Error.h"

using namespace mlir;
using namespace mlir::ssm;
using llvm::Error;
using llvm::Expected;
using ::ssmq::Hessian;
using ::ssmq::quote;
using ::ssmq::Tensor;
using ::ssmq::WeightStore;

/// A table that is also an embedding: what its rows themselves lose counts as much as what the
/// head's outputs lose, both with the same mean over columns.
static constexpr double kEmbeddingShare = 1;

/// The input of the linear layer whose weight this is; null for any other op.
static Value getLinearInput(OpOperand *use) {
  auto linear = dyn_cast<LinearOp>(use->getOwner());
  return linear ? Value(linear.getInput()) : Value();
}

static void addInputs(const CalibrationRun &run, Value input, unsigned threads, Hessian &hessian) {
  for (size_t i = 0; i < run.getNumSequences(); ++i)
    hessian.add(run.getValue(i, input), threads);
}

static int64_t getNumColumns(const QuantizedWeight &weight) {
  return weight.getType().getNumElements() / weight.getType().getDimSize(0);
}

Error WeightRefiner::refine(size_t index, const Hessian *hessian) {
  const QuantizedWeight &weight = weights[index];
  Expected<Tensor> values = original->lookup(weight.getName());
  if (!values)
    return values.takeError();
  if (ArrayRef<int64_t>(values->getShape()) != weight.getType().getShape())
    return ::ssmq::makeError("weight {0} has another shape in the original checkpoint",
                             quote(weight.getName()));
  Expected<std::shared_ptr<const ::ssmq::Format>> format = weight.getFormat();
  if (!format)
    return format.takeError();
  Expected<::ssmq::QuantizedTensor> result =
      ::ssmq::refineWeight(**format, *values, method, hessian, options);
  if (!result)
    return ::ssmq::makeError("weight {0}: {1}", quote(weight.getName()),
                             llvm::toString(result.takeError()));
  refined[index] = std::move(*result);
  return Error::success();
}

Error WeightRefiner::refineScales() {
  for (size_t i = 0; i < weights.size(); ++i)
    if (Error error = refine(i, nullptr))
      return error;
  return Error::success();
}

Error WeightRefiner::replace(CalibrationRun &run, size_t index, const WeightStore &store) const {
  Expected<::ssmq::QuantizedTensor> stored =
      refined[index].codes ? refined[index] : weights[index].read(store);
  if (!stored)
    return stored.takeError();
  Tensor values = ::ssmq::dequantize(*stored);
  for (OpOperand *use : weights[index].uses)
    run.replaceOperand(use, values);
  return Error::success();
}

Error WeightRefiner::refineShared(const InterpreterProgram &program, const WeightStore &store,
                                  ArrayRef<::ssmq::Sequence> sequences) {
  struct Shared {
    size_t index;
    Hessian hessian;
    bool isEmbedding = false;
  };
  std::vector<Shared> shared;
  llvm::DenseMap<Operation *, std::pair<size_t, Value>> readers;
  for (auto [index, weight] : llvm::enumerate(weights)) {
    if (weight.uses.size() < 2 || llvm::none_of(weight.uses, getLinearInput))
      continue;
    for (OpOperand *use : weight.uses)
      if (Value input = getLinearInput(use))
        readers[use->getOwner()] = {shared.size(), input};
    shared.push_back(
        {index, Hessian(getNumColumns(weight)), llvm::any_of(weight.uses, [](OpOperand *use) {
           return isa<EmbeddingOp>(use->getOwner());
         })});
  }
  if (shared.empty())
    return Error::success();
  Expected<CalibrationRun> run = CalibrationRun::create(program, sequences, options.threads);
  if (!run)
    return run.takeError();
  for (size_t i = 0; i < weights.size(); ++i)
    if (Error error = replace(*run, i, store))
      return error;
  size_t left = readers.size();
  auto visit = [&](Operation *op) -> Expected<bool> {
    auto reader = readers.find(op);
    if (reader == readers.end())
      return true;
    auto [index, input] = reader->second;
    addInputs(*run, input, options.threads, shared[index].hessian);
    return --left > 0;
  };
  if (Error error = run->run(visit))
    return error;
  for (Shared &one : shared) {
    if (one.isEmbedding)
      one.hessian.addIdentity(kEmbeddingShare);
    if (Error error = refine(one.index, &one.hessian))
      return error;
  }
  return Error::success();
}

Error WeightRefiner::refineInOrder(const InterpreterProgram &program, const WeightStore &store,
                                   ArrayRef<::ssmq::Sequence> sequences) {
  Expected<CalibrationRun> run = CalibrationRun::create(program, sequences, options.threads);
  if (!run)
    return run.takeError();
  llvm::DenseMap<Operation *, std::pair<size_t, OpOperand *>> readers;
  size_t left = 0;
  for (auto [index, weight] : llvm::enumerate(weights)) {
    if (refined[index].codes) {
      if (Error error = replace(*run, index, store))
        return error;
      continue;
    }
    ++left;
    for (OpOperand *use : weight.uses)
      readers[use->getOwner()] = {index, use};
  }
  // Layers that read the same value share its Hessian.
  llvm::DenseMap<Value, std::unique_ptr<Hessian>> hessians;
  auto visit = [&](Operation *op) -> Expected<bool> {
    if (left == 0)
      return false;
    auto reader = readers.find(op);
    if (reader == readers.end() || refined[reader->second.first].codes)
      return true;
    auto [index, use] = reader->second;
    const Hessian *hessian = nullptr;
    if (Value input = getLinearInput(use)) {
      for (auto &[value, known] : hessians)
        if (!run->isRead(value))
          known.reset();
      std::unique_ptr<Hessian> &own = hessians[input];
      if (!own) {
        own = std::make_unique<Hessian>(getNumColumns(weights[index]));
        addInputs(*run, input, options.threads, *own);
      }
      hessian = own.get();
    }
    if (Error error = refine(index, hessian))
      return std::move(error);
    --left;
    if (Error error = replace(*run, index, store))
      return std::move(error);
    return true;
  };
  return run->run(visit);
}

Error WeightRefiner::refineOn(const InterpreterProgram &program, const WeightStore &store,
                              ArrayRef<::ssmq::Sequence> sequences) {
  if (Error error = refineShared(program, store, sequences))
    return error;
  return refineInOrder(program, store, sequences);
}
