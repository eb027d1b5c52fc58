//===- IntegerDiagonalScanTest.cpp - S4D's recurrence in integers ---------===//

#include "ssmq/Kernels/IntegerDiagonalScan.h"

#include "KernelTestUtils.h"
#include "llvm/ADT/STLExtras.h"

using namespace ssmq;
using namespace ssmq::testing;

namespace {

/// A quantized head, and what it stands for in doubles.
struct Head {
  std::vector<int8_t> a, b, c;
  IntegerScanHead numbers;

  IntegerScanHead get() const {
    IntegerScanHead head = numbers;
    head.a.codes = a;
    head.b.codes = b;
    head.c.codes = c;
    return head;
  }
};

} // namespace

static std::vector<int8_t> codes(std::mt19937 &generator, int64_t count, int low, int high) {
  std::uniform_int_distribution<int> values(low, high);
  std::vector<int8_t> result(count);
  for (int8_t &code : result)
    code = static_cast<int8_t>(values(generator));
  return result;
}

/// |a| < 1, b and c in 4 bits, states of 8 bits that asymmetric ranges shift.
static Head makeHead(unsigned seed, int64_t states) {
  std::mt19937 generator(seed);
  Head head;
  head.a = codes(generator, 2 * states, -128, 127);
  head.b = codes(generator, 2 * states, -8, 7);
  head.c = codes(generator, 2 * states, -8, 7);
  head.numbers.a.zero = 20;
  head.numbers.a.scale = 1.0f / 220;
  head.numbers.b.zero = -3;
  head.numbers.b.scale = 0.05f;
  head.numbers.c.zero = 2;
  head.numbers.c.scale = 0.21f;
  head.numbers.inputScale = 0.04f;
  head.numbers.stateScale = 0.011f;
  head.numbers.lowest = -90;
  head.numbers.highest = 165;
  return head;
}

static IntegerScanOperands makeOperands(const Head &head, std::vector<int8_t> input,
                                        const IntegerScanConstants &constants) {
  auto width = static_cast<int64_t>(head.a.size()), tokens = static_cast<int64_t>(input.size());
  IntegerScanOperands operands;
  operands.codes = Tensor::fromData<int8_t>({tokens, 1}, input);
  operands.scales = tensor({tokens, 1}, std::vector<float>(tokens, head.numbers.inputScale));
  operands.a = Tensor::fromData<int8_t>({1, width}, head.a);
  operands.b = Tensor::fromData<int8_t>({1, width}, head.b);
  operands.c = Tensor::fromData<int8_t>({1, width}, head.c);
  operands.constants =
      Tensor::fromData<int32_t>({1, IntegerScanConstants::kCount}, constants.values);
  operands.outputScales = tensor({1}, {constants.outputScale});
  operands.d = tensor({1}, {0.7f});
  operands.state = Tensor::zeros(DType::I8, {1, width});
  return operands;
}

static IntegerScanConstants fitOrFail(const IntegerScanHead &head) {
  auto fitted = fitIntegerScan(head);
  EXPECT_TRUE(bool(fitted)) << llvm::toString(fitted.takeError());
  return fitted ? *fitted : IntegerScanConstants();
}

static std::string whyNot(const IntegerScanHead &head) {
  auto fitted = fitIntegerScan(head);
  return fitted ? "" : llvm::toString(fitted.takeError());
}

/// Step by step from the codes that the kernel stored: states are those in doubles, rounded to the
/// nearest code, and outputs come from states within 2^-10 of a step.
TEST(IntegerDiagonalScan, IsTheRecurrenceInDoubles) {
  constexpr int64_t states = 5, tokens = 200;
  for (unsigned seed : {1, 2, 3}) {
    Head head = makeHead(seed, states);
    IntegerScanHead numbers = head.get();
    IntegerScanConstants constants = fitOrFail(numbers);
    std::mt19937 generator(seed + 10);
    std::vector<int8_t> input = codes(generator, tokens, -63, 63);
    IntegerScanOperands operands = makeOperands(head, input, constants);
    std::vector<double> s(2 * states);
    int64_t clipped = 0;
    for (int64_t t = 0; t < tokens; ++t) {
      operands.codes = Tensor::fromData<int8_t>({1, 1}, {input[t]});
      operands.scales = tensor({1, 1}, {numbers.inputScale});
      DiagonalScanResult result = integerDiagonalScan(operands, 1);
      double u = input[t] * double(numbers.inputScale), y = 0.7 * u, mostOfC = 0;
      auto value = [](const IntegerScanHead::Codes &of, int64_t i) {
        return (of.codes[i] - of.zero) * double(of.scale);
      };
      for (int64_t n = 0; n < 2 * states; n += 2) {
        double re = s[n], im = s[n + 1], aRe = value(numbers.a, n), aIm = value(numbers.a, n + 1);
        double next[] = {aRe * re - aIm * im + value(numbers.b, n) * u,
                         aRe * im + aIm * re + value(numbers.b, n + 1) * u};
        y += 2 * (value(numbers.c, n) * next[0] - value(numbers.c, n + 1) * next[1]);
        mostOfC += std::abs(value(numbers.c, n)) + std::abs(value(numbers.c, n + 1));
        for (int part : {0, 1}) {
          double exact = next[part] / numbers.stateScale;
          double inRange = std::clamp<double>(exact, numbers.lowest, numbers.highest);
          clipped += inRange != exact;
          int steps =
              uint8_t(result.state.data<int8_t>()[n + part] - numbers.lowest) + numbers.lowest;
          EXPECT_NEAR(steps, inRange, 0.51);
          s[n + part] = steps * double(numbers.stateScale);
        }
      }
      double unit = numbers.stateScale * std::ldexp(1.0, -10);
      EXPECT_NEAR(result.y.data<float>()[0], y, 2 * mostOfC * unit + 1e-5);
      operands.state = result.state;
    }
    EXPECT_GT(clipped, 0);
  }
}

TEST(IntegerDiagonalScan, ChunksAndThreadsGiveTheWhole) {
  Head head = makeHead(4, 7);
  IntegerScanConstants constants = fitOrFail(head.get());
  std::mt19937 generator(5);
  std::vector<int8_t> input = codes(generator, 31, -63, 63);
  IntegerScanOperands operands = makeOperands(head, input, constants);
  DiagonalScanResult whole = integerDiagonalScan(operands, 3);
  std::vector<float> y;
  for (auto [begin, end] : {std::pair(0, 1), {1, 20}, {20, 31}}) {
    IntegerScanOperands part =
        makeOperands(head, {input.begin() + begin, input.begin() + end}, constants);
    part.state = operands.state;
    DiagonalScanResult result = integerDiagonalScan(part, 1);
    llvm::append_range(y, result.y.data<float>());
    operands.state = result.state;
  }
  EXPECT_EQ(llvm::ArrayRef<float>(y), whole.y.data<float>());
  EXPECT_EQ(operands.state.data<int8_t>(), whole.state.data<int8_t>());
}

/// Nibbles are the bytes of the same codes, real parts low.
TEST(IntegerDiagonalScan, ReadsNibbles) {
  Head head = makeHead(6, 3);
  IntegerScanOperands bytes = makeOperands(head, {5, -60, 63, 1}, fitOrFail(head.get()));
  IntegerScanOperands nibbles = bytes;
  auto pack = [](llvm::ArrayRef<int8_t> codes) {
    std::vector<int8_t> packed;
    for (size_t i = 0; i < codes.size(); i += 2)
      packed.push_back(static_cast<int8_t>((codes[i] & 15) | codes[i + 1] << 4));
    return Tensor::fromData<int8_t>({1, int64_t(packed.size())}, packed);
  };
  nibbles.b = pack(head.b);
  nibbles.c = pack(head.c);
  nibbles.bBits = nibbles.cBits = 4;
  DiagonalScanResult expected = integerDiagonalScan(bytes, 1);
  DiagonalScanResult actual = integerDiagonalScan(nibbles, 1);
  expectSameBits(actual.y, expected.y);
  EXPECT_EQ(actual.state.data<int8_t>(), expected.state.data<int8_t>());
}

/// With all codes at their ends, in any signs, no i32 overflows: 64-bit arithmetic gives the same.
TEST(IntegerDiagonalScan, DoesNotOverflow) {
  std::mt19937 generator(7);
  auto anEnd = [&](int low, int high) { return int8_t(generator() % 2 ? low : high); };
  int fits = 0;
  for (int trial = 0; trial < 300; ++trial) {
    int64_t width = 2 * (1 + trial % 40);
    Head head = makeHead(trial, width / 2);
    bool wide = trial % 2;
    for (int64_t n = 0; n < width; ++n) {
      head.a[n] = anEnd(-128, 127);
      head.b[n] = wide ? anEnd(-128, 127) : anEnd(-8, 7);
      head.c[n] = wide ? anEnd(-128, 127) : anEnd(-8, 7);
    }
    head.numbers.a.zero = trial % 3 ? 0 : 127;
    head.numbers.a.scale = std::ldexp(1.0f, -int(trial % 12));
    head.numbers.b.scale = std::ldexp(1.3f, -int(trial % 14));
    head.numbers.lowest = -(trial % 256);
    head.numbers.highest = head.numbers.lowest + 255;
    IntegerScanHead numbers = head.get();
    auto fitted = fitIntegerScan(numbers);
    if (!fitted) {
      llvm::consumeError(fitted.takeError());
      continue;
    }
    IntegerScanConstants constants = *fitted;
    auto get = [&](IntegerScanConstant which) -> int64_t { return constants[which]; };
    auto check = [](int64_t value) {
      EXPECT_LE(std::abs(value), 2147483647);
      return value;
    };
    auto shift = [&](int64_t x, int64_t by) { return check(x + (1ll << by) / 2) >> by; };
    auto stepsOf = [](const IntegerScanHead::Codes &of, int64_t i) {
      return int64_t(of.codes[i] - of.zero);
    };
    int64_t mostState = std::max(-numbers.lowest, numbers.lowest + 255), sum = 0;
    int64_t x = shift(check(128 * get(IntegerScanConstant::InputMultiplier)),
                      get(IntegerScanConstant::InputShift));
    for (int64_t n = 0; n < width; n += 2) {
      auto system = [&](int64_t i) {
        int64_t product = stepsOf(numbers.a, i) * get(IntegerScanConstant::AMultiplier);
        return std::abs(shift(check(product), kIntegerScanAShift));
      };
      // The signs that make both parts of the product, or the sum, largest.
      int64_t turned = check((system(n) + system(n + 1)) * mostState);
      for (int64_t i : {n, n + 1}) {
        int64_t next = check(turned + std::abs(stepsOf(numbers.b, i)) * x);
        shift(next, get(IntegerScanConstant::StateShift));
        sum = check(sum + std::abs(stepsOf(numbers.c, i)) *
                              shift(next, get(IntegerScanConstant::SumShift)));
      }
    }
    ++fits;
  }
  EXPECT_GT(fits, 50);
}

TEST(IntegerDiagonalScan, RefusesWhatDoesNotFit) {
  Head head = makeHead(8, 4);
  EXPECT_EQ(whyNot(head.get()), "");
  const char *tooLarge =
      "its a, or its b times its input, is too large for 32 bits beside its state";
  Head wrong = head;
  wrong.numbers.stateScale = 0;
  EXPECT_EQ(whyNot(wrong.get()), "its state has no range");
  wrong = head;
  wrong.numbers.a.scale = 1e4f;
  EXPECT_EQ(whyNot(wrong.get()), tooLarge);
  wrong = head;
  wrong.numbers.inputScale = 1e4f;
  EXPECT_EQ(whyNot(wrong.get()), tooLarge);
  wrong = head;
  wrong.numbers.c.scale = std::numeric_limits<float>::infinity();
  EXPECT_EQ(whyNot(wrong.get()), "its c is too large for 32 bits");
}

/// Constants that no fit gives, as a file may hold them, wrap; they do not trap.
TEST(IntegerDiagonalScan, TakesAnyConstants) {
  Head head = makeHead(9, 2);
  IntegerScanConstants constants;
  for (auto [i, value] : llvm::enumerate(constants.values))
    value = i % 2 ? INT32_MIN : INT32_MAX - int(i);
  DiagonalScanResult result =
      integerDiagonalScan(makeOperands(head, {-128, 127, -128}, constants), 1);
  EXPECT_EQ(result.y.getDim(0), 3);
}
