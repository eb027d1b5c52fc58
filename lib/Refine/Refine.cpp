//===- Refine.cpp - Better codes for the same bits ------------------------===//

#include "ssmq/Refine/Refine.h"

#include "CoordinateDescent.h"
#include "RunCodes.h"
#include "ssmq/Refine/Hessian.h"
#include "ssmq/Refine/ScaleSearch.h"
#include "ssmq/Support/Error.h"
#include "ssmq/Support/Parallel.h"

using namespace llvm;

namespace ssmq {

static constexpr std::pair<RefineMethod, StringLiteral> kMethods[] = {
    {RefineMethod::MSE, "mse"}, {RefineMethod::Hessian, "hessian"}, {RefineMethod::GPTQ, "gptq"}};

StringRef getName(RefineMethod method) {
  for (auto [known, name] : kMethods)
    if (known == method)
      return name;
  llvm_unreachable("a method without a name");
}

Expected<RefineMethod> parseRefineMethod(StringRef name) {
  for (auto [method, known] : kMethods)
    if (known == name)
      return method;
  return makeError("method {0} is not known; take mse, hessian or gptq", quote(name));
}

/// Scales of least weighted error, and the codes nearest to each value.
static void searchScales(const Tensor &weight, IntegerCodes codes, ArrayRef<float> importance,
                         unsigned threads, QuantizedTensor &result) {
  RunCodes runs(codes, result);
  const float *values = weight.data<float>().data();
  parallelFor(threads, runs.getNumRows(), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row)
      for (int64_t group = 0; group < runs.getNumGroups(); ++group) {
        auto [first, size] = runs.getColumns(group);
        ArrayRef<float> run(values + row * runs.getNumColumns() + first, size);
        IntegerGrid grid =
            searchGrid(codes, run, importance.empty() ? importance : importance.slice(first, size),
                       runs.getGrid(row, group));
        runs.setGrid(row, group, grid);
        for (int64_t i = 0; i < size; ++i)
          runs.setCode(row, first + i, grid.encode(run[i]));
      }
  });
}

Expected<QuantizedTensor> refineWeight(const Format &format, const Tensor &weight,
                                       RefineMethod method, const Hessian *hessian,
                                       const GPTQOptions &options) {
  Expected<QuantizedTensor> result = format.quantize(weight, options.threads);
  if (!result)
    return result;
  IntegerCodes codes{format.getCodeBits(), !result->zeroPoints};
  Tensor values = weight.toF32();
  std::vector<float> importance;
  if (hessian && method != RefineMethod::MSE) {
    int64_t columns = ValueLayout::ofWeight(values.getShape()).columns;
    if (hessian->getColumns() != columns)
      return makeError("the inputs have {0} channels, but the weight {1} columns",
                       hessian->getColumns(), columns);
    if (!hessian->isFinite())
      return makeError("the inputs are not finite");
    if (method == RefineMethod::GPTQ) {
      if (Error error = roundByGPTQ(values, *hessian, codes, options, *result))
        return std::move(error);
      if (options.sweeps > 0)
        improveCodes(values, *hessian, codes, options, *result);
      return result;
    }
    for (int64_t i = 0; i < columns; ++i)
      importance.push_back(static_cast<float>(hessian->get(i, i)));
  }
  searchScales(values, codes, importance, options.threads, *result);
  return result;
}

} // namespace ssmq
