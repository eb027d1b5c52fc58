//===- RoundedScanTest.cpp - S4D's recurrence for training ----------------===//

#include "ssmq/Kernels/RoundedScan.h"

#include "KernelTestUtils.h"
#include "ssmq/Kernels/DiagonalScan.h"
#include "ssmq/Support/Error.h"

using namespace ssmq;
using namespace ssmq::testing;
using llvm::Error;
using llvm::MutableArrayRef;

namespace {
constexpr int64_t batch = 3, steps = 7, heads = 2;

/// To multiples of 1/8.
void roundToEighths(MutableArrayRef<float> state) {
  for (float &value : state)
    value = std::nearbyint(value * 8) / 8;
}

Error keep(MutableArrayRef<float>) { return Error::success(); }

struct Inputs {
  int64_t states;
  Tensor u, a, b, c;

  explicit Inputs(int64_t states)
      : states(states), u(random(1, {batch, steps, heads})),
        a(random(2, {heads, 2 * states}, -0.6f, 0.6f)), b(random(3, {heads, 2 * states})),
        c(random(4, {heads, 2 * states})) {}

  RoundedScan get(unsigned threads = 1) const {
    auto data = [](const Tensor &tensor) { return tensor.data<float>().data(); };
    return {batch, steps, heads, states, data(u), data(a), data(b), data(c), threads};
  }

  Tensor makeStates() const { return Tensor::empty(DType::F32, {batch, steps, heads, 2 * states}); }
};

struct Gradients {
  Tensor u, a, b, c;

  explicit Gradients(const Inputs &inputs)
      : u(Tensor::empty(DType::F32, inputs.u.getShape())),
        a(Tensor::empty(DType::F32, inputs.a.getShape())),
        b(Tensor::empty(DType::F32, inputs.a.getShape())),
        c(Tensor::empty(DType::F32, inputs.a.getShape())) {}

  RoundedScanGradient get() {
    auto data = [](Tensor &tensor) { return tensor.mutableData<float>().data(); };
    return {data(u), data(a), data(b), data(c)};
  }
};

/// The sum of y weighted by `weights`.
double getLoss(const Inputs &inputs, const Tensor &weights) {
  std::vector<float> y(weights.getNumElements());
  EXPECT_FALSE(llvm::errorToBool(runRoundedScan(inputs.get(), keep, y.data(), nullptr)));
  double sum = 0;
  for (size_t i = 0; i < y.size(); ++i)
    sum += double(y[i]) * weights.data<float>()[i];
  return sum;
}

Gradients getGradients(const Inputs &inputs, const Tensor &weights, unsigned threads = 1,
                       float bound = INFINITY) {
  Tensor states = inputs.makeStates(), y = Tensor::empty(DType::F32, inputs.u.getShape());
  RoundedScan scan = inputs.get(threads);
  EXPECT_FALSE(llvm::errorToBool(runRoundedScan(scan, keep, y.mutableData<float>().data(),
                                                states.mutableData<float>().data())));
  std::vector<float> low(heads, -bound), high(heads, bound);
  Gradients gradients(inputs);
  runRoundedScanGradient(scan, states.data<float>().data(), weights.data<float>().data(),
                         {low, high, /*limit=*/1000}, gradients.get());
  return gradients;
}
} // namespace

/// Sequence by sequence it is the compiler's scan with a hook.
TEST(RoundedScan, IsTheRecurrenceOfEachSequence) {
  for (int64_t states : {1, 3, 4, 9}) {
    Inputs inputs(states);
    Tensor all = inputs.makeStates(), y = Tensor::empty(DType::F32, inputs.u.getShape());
    auto round = [](MutableArrayRef<float> state) {
      roundToEighths(state);
      return Error::success();
    };
    for (bool keepsStates : {true, false}) {
      float *to = keepsStates ? all.mutableData<float>().data() : nullptr;
      ASSERT_FALSE(llvm::errorToBool(
          runRoundedScan(inputs.get(), round, y.mutableData<float>().data(), to)));
      for (int64_t i = 0; i < batch; ++i) {
        Tensor u = rows(inputs.u, i, i + 1).reshape({steps, heads});
        DiagonalScanResult expected =
            diagonalScan(u, inputs.a, inputs.b, inputs.c, {},
                         Tensor::zeros(DType::F32, {heads, 2 * states}), fast, roundToEighths);
        expectClose(rows(y, i, i + 1).reshape({steps, heads}), expected.y, 4e-6);
        Tensor sequence = rows(all, i, i + 1).reshape({steps, heads * 2 * states});
        expectClose(rows(sequence, steps - 1, steps).reshape({heads, 2 * states}), expected.state,
                    4e-6);
      }
    }
  }
}

/// So that a trained model rounds to the same codes where it is compiled.
TEST(RoundedScan, StatesAreThoseOfTheCompilerBitForBit) {
  Inputs inputs(/*states=*/9);
  Tensor all = inputs.makeStates(), y = Tensor::empty(DType::F32, inputs.u.getShape());
  ASSERT_FALSE(llvm::errorToBool(runRoundedScan(inputs.get(), keep, y.mutableData<float>().data(),
                                                all.mutableData<float>().data())));
  for (int64_t i = 0; i < batch; ++i) {
    Tensor u = rows(inputs.u, i, i + 1).reshape({steps, heads});
    Tensor states = rows(all, i, i + 1).reshape({steps, heads * 2 * inputs.states});
    int64_t t = 0;
    auto compare = [&](MutableArrayRef<float> state) {
      EXPECT_EQ(llvm::ArrayRef<float>(state), rows(states, t, t + 1).data<float>());
      ++t;
    };
    diagonalScan(u, inputs.a, inputs.b, inputs.c, {},
                 Tensor::zeros(DType::F32, {heads, 2 * inputs.states}), fast, compare);
    EXPECT_EQ(t, steps);
  }
}

TEST(RoundedScan, GradientIsTheChangeOfTheLoss) {
  Inputs inputs(/*states=*/3);
  Tensor weights = random(9, {batch, steps, heads});
  Gradients gradients = getGradients(inputs, weights);
  constexpr float change = 1e-2f;
  auto check = [&](Tensor &values, const Tensor &gradient) {
    for (size_t i = 0; i < values.data<float>().size(); ++i) {
      float &value = values.mutableData<float>()[i], original = value;
      value = original + change;
      double up = getLoss(inputs, weights);
      value = original - change;
      double down = getLoss(inputs, weights);
      value = original;
      EXPECT_NEAR((up - down) / (2 * change), gradient.data<float>()[i], 5e-3) << "at " << i;
    }
  };
  check(inputs.u, gradients.u);
  check(inputs.a, gradients.a);
  check(inputs.b, gradients.b);
  check(inputs.c, gradients.c);
}

TEST(RoundedScan, BitsDoNotDependOnThreads) {
  Inputs inputs(/*states=*/5);
  Tensor weights = random(9, {batch, steps, heads});
  Gradients one = getGradients(inputs, weights), three = getGradients(inputs, weights, 3);
  expectSameBits(one.u, three.u);
  expectSameBits(one.a, three.a);
  expectSameBits(one.b, three.b);
  expectSameBits(one.c, three.c);
}

/// Where every state was clipped, a step hears of its own output only: 2 Re(c b) of each weight.
TEST(RoundedScan, NothingPassesWhatWasClipped) {
  Inputs inputs(/*states=*/1);
  Tensor weights = random(9, {batch, steps, heads});
  Gradients gradients = getGradients(inputs, weights, 1, /*bound=*/0);
  auto b = inputs.b.data<float>(), c = inputs.c.data<float>();
  std::vector<float> expected;
  for (size_t i = 0; i < weights.data<float>().size(); ++i) {
    size_t head = i % heads;
    expected.push_back(2 * weights.data<float>()[i] *
                       (b[2 * head] * c[2 * head] - b[2 * head + 1] * c[2 * head + 1]));
  }
  expectClose(gradients.u, Tensor::fromData<float>(inputs.u.getShape(), expected), 4e-6);
}

TEST(RoundedScan, RoundingMayFail) {
  Inputs inputs(/*states=*/2);
  std::vector<float> y(inputs.u.getNumElements());
  for (unsigned threads : {1, 3}) {
    Error error = runRoundedScan(
        inputs.get(threads), [](MutableArrayRef<float>) { return makeError("too large"); },
        y.data(), nullptr);
    EXPECT_EQ(llvm::toString(std::move(error)), "too large");
  }
}
