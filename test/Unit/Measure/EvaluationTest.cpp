//===- EvaluationTest.cpp - Whole programs measured on tokens -------------===//

#include "ssmq/Measure/Evaluation.h"

#include "../Support/TempFolder.h"
#include "ssmq/Import/Safetensors.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace ssmq;
using namespace ssmq::test;

namespace {

/// Logits depend on the token before last and the last one, so that states that are not reset, and
/// rows that are shifted, change every number.
class PairProgram : public Program {
public:
  explicit PairProgram(float tilt = 0, int64_t vocab = 4) : tilt(tilt), vocab(vocab) {}

  int64_t getVocabSize() const override { return vocab; }
  llvm::Expected<ProgramState> createState(int64_t capacity) const override {
    ProgramState state;
    state.values.push_back(Tensor::zeros(DType::I32, {}));
    state.capacity = capacity;
    return state;
  }
  using Program::forward;
  llvm::Expected<Tensor> forward(const Tensor &inputs, ProgramState &state) const override {
    llvm::ArrayRef<int32_t> tokens = inputs.data<int32_t>();
    if (state.length + int64_t(tokens.size()) > state.capacity)
      return llvm::createStringError("full");
    Tensor logits = Tensor::empty(DType::F32, {int64_t(tokens.size()), vocab});
    float *out = logits.mutableData<float>().data();
    int32_t previous = state.values[0].data<int32_t>()[0];
    for (int32_t token : tokens) {
      for (int64_t v = 0; v < vocab; ++v)
        *out++ = getLogit(previous, token, v);
      previous = token;
    }
    state.values[0] = Tensor::fromData<int32_t>({}, previous);
    state.length += tokens.size();
    return logits;
  }
  float getLogit(int32_t previous, int32_t token, int64_t v) const {
    return std::sin(1.f + previous + 3.f * token + 7.f * v) + (v == 1 ? tilt : 0.f);
  }
  double getProbability(int32_t previous, int32_t token, int64_t v) const {
    double sum = 0;
    for (int64_t i = 0; i < vocab; ++i)
      sum += std::exp(double(getLogit(previous, token, i)));
    return std::exp(double(getLogit(previous, token, v))) / sum;
  }

private:
  float tilt;
  int64_t vocab;
};

const std::vector<int32_t> kText = {1, 3, 0, 2, 2, 1, 0};

llvm::Expected<Evaluation> evaluateText(const Program &student, const Program *teacher,
                                        llvm::ArrayRef<int32_t> text, int64_t length,
                                        const EvaluationOptions &options = {}) {
  llvm::Expected<SequenceSet> set = SequenceSet::ofText(text, length);
  if (!set)
    return set.takeError();
  return evaluate(student, teacher, *set, options);
}

EvaluationOptions withThreads(unsigned threads) {
  EvaluationOptions options;
  options.threads = threads;
  return options;
}

TEST(EvaluationTest, PerplexityOfWindows) {
  // Windows {1, 3, 0} {2, 2, 1}; the last token alone cannot be scored.
  PairProgram program;
  double sums[2] = {-std::log(program.getProbability(0, 1, 3) * program.getProbability(1, 3, 0)),
                    -std::log(program.getProbability(0, 2, 2) * program.getProbability(2, 2, 1))};
  double mean = (sums[0] + sums[1]) / 4;
  double error =
      std::sqrt(2 * (std::pow(sums[0] - 2 * mean, 2) + std::pow(sums[1] - 2 * mean, 2))) / 4;
  for (unsigned threads : {1u, 2u}) {
    Evaluation result =
        llvm::cantFail(evaluateText(program, nullptr, kText, 3, withThreads(threads)));
    EXPECT_EQ(result.numSequences, 2);
    EXPECT_EQ(result.numScored, 4);
    EXPECT_NEAR(result.crossEntropy.mean, mean, 1e-12);
    EXPECT_NEAR(result.crossEntropy.standardError, error, 1e-12);
    EXPECT_NEAR(result.perplexity.mean, std::exp(mean), 1e-12);
    EXPECT_NEAR(result.perplexity.standardError, std::exp(mean) * error, 1e-12);
    EXPECT_FALSE(result.divergence);
  }
}

TEST(EvaluationTest, ShortLastWindowIsScored) {
  Evaluation result = llvm::cantFail(evaluateText(PairProgram(), nullptr, kText, 4));
  EXPECT_EQ(result.numSequences, 2);
  EXPECT_EQ(result.numScored, 3 + 2);
}

TEST(EvaluationTest, DivergenceBothWays) {
  PairProgram teacher, student(0.75f);
  Evaluation result =
      llvm::cantFail(evaluateText(student, &teacher, llvm::ArrayRef(kText).take_front(3), 3));
  double forward = 0, reverse = 0, change = 0;
  const int32_t contexts[2][3] = {{0, 1, 3}, {1, 3, 0}};
  for (auto &context : contexts) {
    for (int64_t v = 0; v < 4; ++v) {
      double p = teacher.getProbability(context[0], context[1], v);
      double q = student.getProbability(context[0], context[1], v);
      forward += p * std::log(p / q) / 2;
      reverse += q * std::log(q / p) / 2;
    }
    change += std::log(teacher.getProbability(context[0], context[1], context[2]) /
                       student.getProbability(context[0], context[1], context[2])) /
              2;
  }
  ASSERT_TRUE(result.divergence);
  EXPECT_GT(std::abs(forward - reverse), 1e-4);
  EXPECT_NEAR(result.divergence->forwardKL.mean, forward, 1e-12);
  EXPECT_NEAR(result.divergence->reverseKL.mean, reverse, 1e-12);
  EXPECT_NEAR(result.divergence->crossEntropyChange.mean, change, 1e-12);
  EXPECT_TRUE(std::isnan(result.divergence->forwardKL.standardError));
}

/// The teacher's logits from a file give the bits that the teacher gives.
TEST(EvaluationTest, TeacherFromAFile) {
  PairProgram teacher, student(0.75f);
  TempFolder folder;
  EvaluationOptions options;
  Evaluation expected = llvm::cantFail(evaluateText(student, &teacher, kText, 3, options));
  ASSERT_TRUE(expected.distributions);
  options.teacherCache = folder / "teacher.safetensors";
  options.teacherIdentity = "pairs";
  for (unsigned threads : {1u, 2u}) // written, then read
    for (const Program *program :
         {static_cast<const Program *>(&teacher), (const Program *)nullptr}) {
      options.threads = threads;
      Evaluation result = llvm::cantFail(evaluateText(student, program, kText, 3, options));
      EXPECT_EQ(result.divergence->forwardKL.mean, expected.divergence->forwardKL.mean);
      EXPECT_EQ(result.perplexity.standardError, expected.perplexity.standardError);
      for (size_t i = 0; i < expected.distributions->probabilityChange.size(); ++i)
        EXPECT_EQ(result.distributions->probabilityChange[i].estimate.mean,
                  expected.distributions->probabilityChange[i].estimate.mean);
    }
  EXPECT_NE(llvm::toString(evaluateText(student, nullptr, kText, 4, options).takeError())
                .find("its sequenceLength is '3', and here it is '4'"),
            std::string::npos);
  options.teacherCache = folder / "none";
  EXPECT_NE(llvm::toString(evaluateText(student, nullptr, kText, 4, options).takeError())
                .find("does not exist, and no teacher is given"),
            std::string::npos);
}

/// Extremes, with the average position between them.
TEST(EvaluationTest, Distributions) {
  PairProgram teacher, student(0.75f);
  Evaluation result = llvm::cantFail(evaluateText(student, &teacher, kText, 4));
  const auto &quantiles = result.distributions->forwardKL;
  EXPECT_GT(quantiles.front().estimate.mean, result.divergence->forwardKL.mean);
  EXPECT_LT(quantiles.back().estimate.mean, result.divergence->forwardKL.mean);
  EXPECT_GE(quantiles.back().estimate.mean, 0);
  // Tilting the logit of token 1 lowers the probability of the others.
  EXPECT_LT(result.distributions->probabilityChange.back().estimate.mean, 0);
}

TEST(EvaluationTest, TeacherAgainstItselfIsZero) {
  PairProgram program;
  Evaluation result = llvm::cantFail(evaluateText(program, &program, kText, 3));
  EXPECT_EQ(result.divergence->forwardKL.mean, 0);
  EXPECT_EQ(result.divergence->reverseKL.mean, 0);
  EXPECT_EQ(result.divergence->sameTop1.mean, 1);
  EXPECT_EQ(result.divergence->accuracyChange.mean, 0);
}

/// A class a sequence: the largest logit of the last row.
class LastProgram : public PairProgram {
public:
  int64_t getNumRows(int64_t) const override { return 1; }
  llvm::Expected<Tensor> forward(const Tensor &inputs, ProgramState &state) const override {
    llvm::Expected<Tensor> logits = PairProgram::forward(inputs, state);
    if (!logits)
      return logits;
    return Tensor::fromData<float>({1, 4}, logits->data<float>().take_back(4));
  }
};

TEST(EvaluationTest, LabelledSequences) {
  // Classes of the last two tokens; of the second sequence the third step is padding.
  PairProgram pairs;
  auto getClass = [&](int32_t previous, int32_t token) {
    int64_t best = 0;
    for (int64_t v = 1; v < 4; ++v)
      if (pairs.getLogit(previous, token, v) > pairs.getLogit(previous, token, best))
        best = v;
    return best;
  };
  int64_t first = getClass(2, 3), second = getClass(1, 0);
  ASSERT_NE(second, getClass(0, 3));
  TempFolder folder;
  std::string path = folder / "data.safetensors";
  auto write = [&](llvm::ArrayRef<int64_t> labels, llvm::ArrayRef<int64_t> lengths) {
    llvm::cantFail(writeSafetensors(
        path,
        {{"inputs", Tensor::fromData<int32_t>({2, 3}, llvm::ArrayRef<int32_t>{1, 2, 3, 1, 0, 3})},
         {"labels", Tensor::fromData<int64_t>({2}, labels)},
         {"lengths", Tensor::fromData<int64_t>({2}, lengths)}}));
    return SequenceSet::read(path, 512);
  };
  LastProgram program;
  SequenceSet right = llvm::cantFail(write({first, second}, {3, 2}));
  EXPECT_EQ(right.getNumScored(), 2);
  Evaluation result = llvm::cantFail(evaluate(program, &program, right, {}));
  EXPECT_EQ(result.accuracy.mean, 1);
  EXPECT_NEAR(result.crossEntropy.mean,
              -(std::log(pairs.getProbability(2, 3, first)) +
                std::log(pairs.getProbability(1, 0, second))) /
                  2,
              1e-6);
  SequenceSet half = llvm::cantFail(write({first, (second + 1) % 4}, {3, 2}));
  EXPECT_NE(half.getDigest(), right.getDigest());
  EXPECT_EQ(llvm::cantFail(evaluate(program, nullptr, half, {})).accuracy.mean, 0.5);

  auto fails = [&](llvm::Expected<SequenceSet> set, const Program &student) {
    return llvm::toString(set ? evaluate(student, nullptr, *set, {}).takeError() : set.takeError());
  };
  EXPECT_EQ(fails(write({0, 4}, {3, 2}), program), "label 4 is not one of the program's 4 classes");
  EXPECT_EQ(fails(write({0, 1}, {3, 4}), program),
            path + ": sequence 1 has 4 steps; it must be 1 to 3");
  EXPECT_EQ(fails(write({0, -1}, {3, 3}), program), path + ": label -1 is no class");
  EXPECT_NE(fails(write({0, 1}, {3, 3}), pairs).find("are for classifiers"), std::string::npos);
  EXPECT_NE(fails(SequenceSet::ofText({1, 2, 3}, 3), program).find("needs labelled sequences"),
            std::string::npos);
}

TEST(EvaluationTest, Refusals) {
  PairProgram program, other(0, 5), broken(NAN);
  auto fails = [](const Program &student, const Program *teacher, llvm::ArrayRef<int32_t> tokens,
                  int64_t length) {
    return llvm::toString(
        evaluateText(student, teacher, tokens, length, withThreads(2)).takeError());
  };
  EXPECT_EQ(fails(program, nullptr, {1}, 4), "the text has 1 tokens; scoring needs 2 or more");
  EXPECT_EQ(fails(program, nullptr, {1, 2}, 1), "the sequence length is 1; it must be 2 or more");
  EXPECT_EQ(fails(program, nullptr, {1, 4}, 4), "token 4 is outside the vocabulary of 4");
  EXPECT_EQ(fails(program, &other, {1, 2}, 4),
            "the teacher's vocabulary has 5 tokens and the student's 4");
  EXPECT_EQ(fails(broken, nullptr, {1, 2}, 4), "sequence 0: a logit after token 0 is not finite");
  EXPECT_EQ(fails(program, &broken, {1, 2}, 4),
            "sequence 0: the teacher: a logit after token 0 is not finite");
}

TEST(GenerationTest, GreedyFollowsTheLargestLogit) {
  PairProgram program;
  GenerationOptions options;
  options.numTokens = 5;
  std::vector<int32_t> seen;
  auto onToken = [&](int32_t token) {
    seen.push_back(token);
    return seen.size() < 4;
  };
  options.onToken = onToken;
  auto text = llvm::cantFail(generate(program, {1, 2}, options));
  EXPECT_EQ(text.size(), 4u);
  EXPECT_EQ(text, seen);
  int32_t previous = 1, token = 2;
  for (int32_t next : text) {
    for (int64_t v = 0; v < 4; ++v)
      EXPECT_LE(program.getLogit(previous, token, v), program.getLogit(previous, token, next));
    previous = token;
    token = next;
  }
}

TEST(GenerationTest, SamplesFollowTheDistribution) {
  PairProgram program;
  GenerationOptions options;
  options.numTokens = 1;
  options.temperature = 1;
  const int numSamples = 4000;
  double counts[4] = {};
  for (int seed = 0; seed < numSamples; ++seed) {
    options.seed = seed;
    counts[llvm::cantFail(generate(program, {1, 2}, options))[0]] += 1.0 / numSamples;
  }
  for (int64_t v = 0; v < 4; ++v)
    EXPECT_NEAR(counts[v], program.getProbability(1, 2, v), 0.03);
  options.numTokens = 8;
  EXPECT_EQ(llvm::cantFail(generate(program, {1}, options)),
            llvm::cantFail(generate(program, {1}, options)));
}

TEST(GenerationTest, Refusals) {
  GenerationOptions options;
  auto fails = [&](const Program &program, llvm::ArrayRef<int32_t> prompt) {
    return llvm::toString(generate(program, prompt, options).takeError());
  };
  EXPECT_EQ(fails(PairProgram(), {}), "the prompt is empty; give at least one token");
  EXPECT_EQ(fails(PairProgram(NAN), {1}), "a logit after token 0 is not finite");
  options.temperature = NAN;
  EXPECT_EQ(fails(PairProgram(), {1}), "the temperature is nan; it must be 0 or more");
  options.temperature = 0;
  options.numTokens = -1;
  EXPECT_EQ(fails(PairProgram(), {1}), "cannot generate -1 tokens");
}

TEST(BenchmarkTest, GivesPositiveRates) {
  Throughput result = llvm::cantFail(benchmark(PairProgram(), kText, 3, 2));
  EXPECT_GT(result.prefill, 0);
  EXPECT_GT(result.decode, 0);
  EXPECT_EQ(llvm::toString(benchmark(PairProgram(), kText, 0).takeError()),
            "a benchmark needs at least one repeat and one token to generate");
}

} // namespace
