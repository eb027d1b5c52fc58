//===- EmulationTest.cpp - Functions of Xe by their definition ------------===//
//
// Each kernel hands over what its 16 lanes hold; the host says what they must hold. On a device
// that has the functions, these tests compare its own.
//
//===----------------------------------------------------------------------===//

#include "TestDevice.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/bit.h"
#include <functional>
#include <random>

using namespace ssmq;

static constexpr int kLanes = 16;
using Bytes = std::vector<uint8_t>;

static Bytes makeRandom(size_t size, unsigned seed) {
  std::mt19937 random(seed);
  Bytes bytes(size);
  for (uint8_t &byte : bytes)
    byte = static_cast<uint8_t>(random());
  return bytes;
}

using ToInt = int32_t (*)(int);
using ToFloat = float (*)(int);
static int32_t fromSigned(int code) { return static_cast<int8_t>(code); }
static int32_t fromUnsigned(int code) { return code; }
static float fromHalf(int code) {
  llvm::APFloat value(llvm::APFloat::IEEEhalf(), llvm::APInt(16, code));
  bool lost = false;
  value.convert(llvm::APFloat::IEEEsingle(), llvm::APFloat::rmNearestTiesToEven, &lost);
  return value.convertToFloat();
}
static float fromBrain(int code) { return llvm::bit_cast<float>(uint32_t(code) << 16); }

namespace {
/// A block: bytes of an element, rows, columns, blocks beside one another.
struct Block {
  int size, rows, columns, blocks;
};

/// Building the kernels takes seconds: one device, which keeps them, serves all tests.
class XeFunctions : public DeviceTest {
protected:
  XeFunctions() : DeviceTest(getBytes()) {}
  static void TearDownTestSuite() { shared = nullptr; }
  void SetUp() override {
    device = shared;
    if (!device)
      DeviceTest::SetUp();
    shared = device;
  }

  /// Compares `kernel` with sums of products. `a` says what element (row, k) of A is that `code`
  /// codes, in `size` bytes; so does `b` of (k, column).
  template <typename Sum, typename Element>
  void checkBytes(const char *kernel, int numRows, int size, Element a, Element b) {
    int depth = size == 1 ? 32 : 16;
    Bytes codesA = makeRandom(kLanes * numRows * 2, 1), codesB = makeRandom(kLanes * 32, 2);
    std::mt19937 random(3);
    std::vector<Sum> sums(kLanes * numRows);
    for (Sum &sum : sums)
      sum = static_cast<Sum>(random() % 100);
    const uint8_t *sharedA = share<uint8_t>(codesA), *sharedB = share<uint8_t>(codesB);
    Sum *result = share<Sum>(sums);
    ASSERT_EQ(run(kernel, {toArgument(sharedA), toArgument(sharedB), toArgument(result)}, 0b111),
              "");

    auto load = [&](const Bytes &codes, int at) {
      return size == 1 ? codes[at] : codes[2 * at] | codes[2 * at + 1] << 8;
    };
    for (int lane = 0; lane < kLanes; ++lane)
      for (int row = 0; row < numRows; ++row) {
        Sum expected = sums[lane * numRows + row];
        for (int k = 0; k < depth; ++k) {
          int perShort = 2 / size, perInt = 4 / size;
          int holder = k / perShort;
          Sum left = a(load(codesA, (holder * numRows + row) * perShort + k % perShort));
          Sum right = b(load(codesB, lane * 8 * perInt + k));
          expected += left * right;
        }
        ASSERT_EQ(result[lane * numRows + row], expected) << kernel << " " << lane << " " << row;
      }
  }

  /// With elements that are whole numbers of -7 to 7, so that any order of the sum is exact.
  void checkFloats(const char *kernel, int numRows, const std::function<int(int)> &encode,
                   ToFloat decode) {
    std::mt19937 random(4);
    auto draw = [&](size_t count) {
      std::vector<uint16_t> codes(count);
      for (uint16_t &code : codes)
        code = static_cast<uint16_t>(encode(static_cast<int>(random() % 15) - 7));
      return codes;
    };
    std::vector<uint16_t> a = draw(kLanes * numRows), b = draw(kLanes * 16);
    std::vector<float> c(kLanes * numRows, 0.5f);
    float *result = share<float>(c);
    ASSERT_EQ(
        run(kernel,
            {toArgument(share<uint16_t>(a)), toArgument(share<uint16_t>(b)), toArgument(result)},
            0b111),
        "");
    for (int lane = 0; lane < kLanes; ++lane)
      for (int row = 0; row < numRows; ++row) {
        float expected = 0.5f;
        for (int k = 0; k < 16; ++k)
          expected += decode(a[k * numRows + row]) * decode(b[lane * 16 + k]);
        ASSERT_EQ(result[lane * numRows + row], expected) << kernel << " " << lane << " " << row;
      }
  }

  // A matrix of 40 rows of 112 bytes, 128 bytes apart; blocks at its corners lie partly outside.
  static constexpr int kHeight = 40, kWidth = 112, kPitch = 128;

  /// Where the bytes of lane `lane`'s element `i` come from: row and column in the block.
  using Place = std::function<std::pair<int, int>(int lane, int i)>;

  void checkRead(const char *kernel, Block block, const Place &place) {
    Bytes matrix = makeRandom(kHeight * kPitch, 5);
    int count = block.rows * block.columns * block.blocks / kLanes;
    for (auto [x, y] : {std::pair(0, 0), std::pair(3, 5), std::pair(kWidth / block.size - 5, 30),
                        std::pair(-2, -3)}) {
      uint8_t *result = share<uint8_t>(Bytes(kLanes * count * block.size, 0xee));
      ASSERT_EQ(run(kernel,
                    {toArgument(share<uint8_t>(matrix)), kWidth, kHeight, kPitch, x, y,
                     toArgument(result)},
                    0b1000001),
                "");
      for (int lane = 0; lane < kLanes; ++lane)
        for (int i = 0; i < count; ++i) {
          auto [row, column] = place(lane, i);
          row += y;
          column += x;
          bool inside =
              row >= 0 && row < kHeight && column >= 0 && (column + 1) * block.size <= kWidth;
          for (int byte = 0; byte < block.size; ++byte)
            ASSERT_EQ(result[(lane * count + i) * block.size + byte],
                      inside ? matrix[row * kPitch + column * block.size + byte] : 0)
                << kernel << " at " << x << "," << y << " lane " << lane << " element " << i;
        }
    }
  }

  void checkWrite(const char *kernel, Block block, const Place &place) {
    int count = block.rows * block.columns / kLanes;
    for (auto [x, y] :
         {std::pair(0, 0), std::pair(kWidth / block.size - 5, 36), std::pair(-2, -1)}) {
      Bytes matrix(kHeight * kPitch, 0x11), values = makeRandom(kLanes * count * block.size, 6);
      uint8_t *result = share<uint8_t>(matrix);
      ASSERT_EQ(run(kernel,
                    {toArgument(result), kWidth, kHeight, kPitch, x, y,
                     toArgument(share<uint8_t>(values))},
                    0b1000001),
                "");
      for (int lane = 0; lane < kLanes; ++lane)
        for (int i = 0; i < count; ++i) {
          auto [row, column] = place(lane, i);
          row += y;
          column += x;
          if (row >= 0 && row < kHeight && column >= 0 && (column + 1) * block.size <= kWidth)
            for (int byte = 0; byte < block.size; ++byte)
              matrix[row * kPitch + column * block.size + byte] =
                  values[(lane * count + i) * block.size + byte];
        }
      EXPECT_EQ(Bytes(result, result + matrix.size()), matrix) << kernel;
    }
  }

  /// Rows one after the other, of which a lane has neighbouring elements.
  static Place byRows(Block block) {
    return [block](int lane, int i) {
      int width = block.columns / kLanes, perBlock = block.rows * width;
      return std::pair(i % perBlock / width,
                       i / perBlock * block.columns + lane * width + i % width);
    };
  }
  /// A lane has a column.
  static Place byColumns(Block block) {
    return [block](int lane, int i) {
      return std::pair(i % block.rows, i / block.rows * block.columns + lane);
    };
  }

  static llvm::StringRef getBytes() {
    static std::string bytes = readKernels("SubgroupKernels");
    return bytes;
  }
  static inline std::shared_ptr<Device> shared;
};

TEST_F(XeFunctions, MultiplyBytes) {
  ToInt s = fromSigned, u = fromUnsigned;
  checkBytes<int32_t>("mad_s8_s8_8", 8, 1, s, s);
  checkBytes<int32_t>("mad_s8_s8_1", 1, 1, s, s);
  checkBytes<int32_t>("mad_u8_s8_8", 8, 1, u, s);
  checkBytes<int32_t>("mad_s8_u8_8", 8, 1, s, u);
  checkBytes<int32_t>("mad_u8_u8_4", 4, 1, u, u);
  checkBytes<int32_t>("mad_i8_u8_2", 2, 1, s, u);
}

TEST_F(XeFunctions, MultiplyHalves) {
  auto encode = [](int value) {
    llvm::APFloat half(static_cast<float>(value));
    bool lost = false;
    half.convert(llvm::APFloat::IEEEhalf(), llvm::APFloat::rmNearestTiesToEven, &lost);
    return static_cast<int>(half.bitcastToAPInt().getZExtValue());
  };
  checkFloats("mad_f16_8", 8, encode, fromHalf);
  checkFloats("mad_f16_4", 4, encode, fromHalf);
  checkFloats("mad_f16_2", 2, encode, fromHalf);
  checkFloats("mad_f16_1", 1, encode, fromHalf);
  checkFloats(
      "mad_bf16_8", 8,
      [](int value) {
        return static_cast<int>(llvm::bit_cast<uint32_t>(static_cast<float>(value)) >> 16);
      },
      fromBrain);
}

TEST_F(XeFunctions, Read) {
  auto check = [&](const char *kernel, Block block) { checkRead(kernel, block, byRows(block)); };
  check("read_8b_8r32x1c", {1, 8, 32, 1});
  check("read_8b_4r32x2c", {1, 4, 32, 2});
  check("read_16b_8r16x1c", {2, 8, 16, 1});
  check("read_16b_16r16x2c", {2, 16, 16, 2});
  check("read_32b_8r16x1c", {4, 8, 16, 1});
}

TEST_F(XeFunctions, ReadForVNNI) {
  auto check = [&](const char *kernel, Block block) { checkRead(kernel, block, byColumns(block)); };
  check("read_transform_8b_32r16x1c", {1, 32, 16, 1});
  check("read_transform_8b_32r16x2c", {1, 32, 16, 2});
  check("read_transform_16b_16r16x1c", {2, 16, 16, 1});
  check("read_transform_16b_32r16x2c", {2, 32, 16, 2});
}

TEST_F(XeFunctions, ReadTransposed) {
  checkRead("read_transpose_32b_16r8x1c", {4, 16, 8, 1},
            [](int lane, int i) { return std::pair(lane, i); });
}

TEST_F(XeFunctions, Write) {
  auto check = [&](const char *kernel, Block block) { checkWrite(kernel, block, byRows(block)); };
  check("write_8b_8r32x1c", {1, 8, 32, 1});
  check("write_8b_2r16x1c", {1, 2, 16, 1});
  check("write_16b_8r16x1c", {2, 8, 16, 1});
  check("write_32b_8r16x1c", {4, 8, 16, 1});
}

TEST_F(XeFunctions, Prefetch) {
  EXPECT_EQ(run("prefetch_16b_8r16x1c", {toArgument(share<uint8_t>(Bytes(4096))), 64, 16, 64}, 1),
            "");
}
} // namespace
