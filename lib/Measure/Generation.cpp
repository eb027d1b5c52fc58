//===- Generation.cpp - Text and timings of a whole program ---------------===//

#include "ssmq/Measure/Evaluation.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/CheckedArithmetic.h"
#include <algorithm>
#include <chrono>
#include <cmath>
#include <random>

using namespace ssmq;
using llvm::createStringError;
using llvm::Expected;

/// The states for a prompt and what follows it, and the logits after its last token.
static Expected<Tensor> start(const Program &program, const Tensor &prompt, int64_t numTokens,
                              ProgramState &state) {
  if (prompt.getDim(0) == 0)
    return createStringError("the prompt is empty; give at least one token");
  std::optional<int64_t> capacity = llvm::checkedAdd(prompt.getDim(0), numTokens);
  if (numTokens < 0 || !capacity)
    return createStringError("cannot generate %lld tokens", static_cast<long long>(numTokens));
  Expected<ProgramState> created = program.createState(*capacity);
  if (!created)
    return created.takeError();
  state = std::move(*created);
  return program.forwardLast(prompt, state);
}

static llvm::ArrayRef<float> getLastRow(const Tensor &logits) {
  return logits.data<float>().take_back(logits.getDim(1));
}

static int32_t chooseGreedy(llvm::ArrayRef<float> logits) {
  return llvm::max_element(logits) - logits.begin();
}

/// Inverts the cumulative distribution of softmax(logits / temperature) at `uniform` in [0, 1).
static int32_t sample(llvm::ArrayRef<float> logits, double temperature, double uniform) {
  double largest = *llvm::max_element(logits), total = 0;
  auto getWeight = [&](float logit) { return std::exp((logit - largest) / temperature); };
  for (float logit : logits)
    total += getWeight(logit);
  double rest = uniform * total;
  int32_t last = 0;
  for (auto [i, logit] : llvm::enumerate(logits)) {
    double weight = getWeight(logit);
    if (weight == 0)
      continue;
    last = i;
    if ((rest -= weight) < 0)
      break;
  }
  return last;
}

Expected<std::vector<int32_t>> ssmq::generate(const Program &program,
                                              llvm::ArrayRef<int32_t> prompt,
                                              const GenerationOptions &options) {
  if (!(options.temperature >= 0) || std::isinf(options.temperature))
    return createStringError("the temperature is %g; it must be 0 or more", options.temperature);
  ProgramState state;
  Expected<Tensor> logits =
      start(program, Tensor::fromData<int32_t>({int64_t(prompt.size())}, prompt), options.numTokens,
            state);
  if (!logits)
    return logits.takeError();

  std::mt19937_64 random(options.seed);
  std::vector<int32_t> text;
  while (static_cast<int64_t>(text.size()) < options.numTokens) {
    llvm::ArrayRef<float> row = getLastRow(*logits);
    if (!llvm::all_of(row, [](float logit) { return std::isfinite(logit); }))
      return createStringError("a logit after token %lld is not finite",
                               static_cast<long long>(state.length - 1));
    // 53 random bits: the standard's distributions differ between libraries.
    int32_t token = options.temperature == 0
                        ? chooseGreedy(row)
                        : sample(row, options.temperature, double(random() >> 11) * 0x1p-53);
    text.push_back(token);
    if (options.onToken && !options.onToken(token))
      break;
    if (static_cast<int64_t>(text.size()) == options.numTokens)
      break;
    logits = program.forward(token, state);
    if (!logits)
      return logits.takeError();
  }
  return text;
}

static double takeMedian(std::vector<double> &values) {
  auto middle = values.begin() + values.size() / 2;
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// `next` gives the step to feed after the `i` first ones, from the logits of those before.
static Expected<Throughput>
measure(const Program &program, const Tensor &prompt, int64_t numSteps, unsigned repeats,
        llvm::function_ref<Tensor(llvm::ArrayRef<float> logits, int64_t i)> next) {
  using Clock = std::chrono::steady_clock;
  if (numSteps < 1 || repeats < 1)
    return createStringError("a benchmark needs at least one repeat and one token to generate");
  auto secondsSince = [](Clock::time_point begin) {
    return std::max(std::chrono::duration<double>(Clock::now() - begin).count(), 1e-9);
  };
  std::vector<double> prefill, decode;
  for (unsigned repeat = 0; repeat <= repeats; ++repeat) {
    ProgramState state;
    Clock::time_point begin = Clock::now();
    Expected<Tensor> logits = start(program, prompt, numSteps, state);
    if (!logits)
      return logits.takeError();
    if (repeat > 0)
      prefill.push_back(prompt.getDim(0) / secondsSince(begin));
    for (int64_t i = 0; i < numSteps; ++i) {
      begin = Clock::now();
      logits = program.forward(next(getLastRow(*logits), i), state);
      if (!logits)
        return logits.takeError();
      if (repeat > 0)
        decode.push_back(1 / secondsSince(begin));
    }
  }
  return Throughput{takeMedian(prefill), takeMedian(decode)};
}

Expected<Throughput> ssmq::benchmark(const Program &program, llvm::ArrayRef<int32_t> prompt,
                                     int64_t numTokens, unsigned repeats) {
  auto feed = [](llvm::ArrayRef<float> logits, int64_t) {
    return Tensor::fromData<int32_t>({1}, chooseGreedy(logits));
  };
  return measure(program, Tensor::fromData<int32_t>({int64_t(prompt.size())}, prompt), numTokens,
                 repeats, feed);
}

Expected<Throughput> ssmq::benchmark(const Program &program, const Tensor &features,
                                     int64_t numSteps, unsigned repeats) {
  auto feed = [&](llvm::ArrayRef<float>, int64_t i) {
    return takeSteps(features, i % features.getDim(0), 1);
  };
  return measure(program, features, numSteps, repeats, feed);
}
