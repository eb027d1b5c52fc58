//===- SafetensorsTest.cpp - Round trips and hostile headers --------------===//

#include "ssmq/Import/Safetensors.h"
#include "../Support/TempFolder.h"
#include "ssmq/Support/File.h"
#include "llvm/Support/Endian.h"
#include <sys/stat.h>

using namespace ssmq;
using namespace ssmq::test;

static std::string makeFile(const std::string &header, size_t blockBytes,
                            std::optional<uint64_t> length = std::nullopt) {
  std::string bytes(8, 0);
  llvm::support::endian::write64le(bytes.data(), length.value_or(header.size()));
  return bytes + header + std::string(blockBytes, '\0');
}

static std::string makeEntry(const std::string &name, const std::string &type,
                             const std::string &shape, const std::string &offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + type + "\",\"shape\":" + shape +
         ",\"data_offsets\":" + offsets + "}";
}

TEST(Safetensors, RoundTripKeepsValuesTypesAndMetadata) {
  TempFolder folder;
  std::vector<NamedTensor> tensors = {
      {"bytes", Tensor::fromData<uint8_t>({3}, {1, 2, 3})},
      {"b", Tensor::fromData<float>({2, 2}, {1, 2, 3, 4})},
      {"a", Tensor::fromData<float>({1}, {5})},
      {"wide", Tensor::fromData<int64_t>({1}, {-7})},
      {"empty", Tensor::zeros(DType::F16, {0, 4})},
      {"scalar", Tensor::fromData<int16_t>({}, {9})},
  };
  ASSERT_EQ(getMessage(writeSafetensors(folder / "x.safetensors", tensors, {{"k", "v"}})), "");
  EXPECT_EQ(folder.count(), 1u);

  auto file = SafetensorsFile::open(folder / "x.safetensors");
  ASSERT_EQ(getMessage(file.takeError()), "");
  EXPECT_EQ(file->getMetadata().at("k"), "v");
  EXPECT_EQ(file->getEntries().size(), tensors.size());
  for (const NamedTensor &named : tensors) {
    const SafetensorsEntry *entry = file->find(named.name);
    ASSERT_TRUE(entry) << named.name;
    EXPECT_TRUE(file->isAligned(*entry)) << named.name;
    Tensor tensor = file->getTensor(*entry);
    EXPECT_EQ(tensor.getDType(), named.tensor.getDType());
    EXPECT_EQ(tensor.getShape(), named.tensor.getShape());
    EXPECT_EQ(std::memcmp(tensor.getRawData(), named.tensor.getRawData(), tensor.getNumBytes()), 0)
        << named.name;
  }
  EXPECT_FALSE(file->find("c"));
  EXPECT_LT(file->find("b")->begin, file->find("wide")->begin);
  EXPECT_LT(file->find("wide")->begin, file->find("a")->begin);
}

TEST(Safetensors, TensorsBeginWhereKernelsWantThem) {
  TempFolder folder;
  std::vector<NamedTensor> tensors = {{"odd", Tensor::zeros(DType::I8, {3})},
                                      {"half", Tensor::zeros(DType::F16, {16})},
                                      {"tiles", Tensor::zeros(DType::I8, {1, 64})},
                                      {"wide", Tensor::zeros(DType::I64, {3})},
                                      {"vector", Tensor::zeros(DType::F32, {48})}};
  for (int i = 0; i < 20; ++i) {
    tensors.front().name += "d";
    ASSERT_EQ(getMessage(writeSafetensors(folder / "x.safetensors", tensors)), "");
    auto file = SafetensorsFile::open(folder / "x.safetensors");
    ASSERT_EQ(getMessage(file.takeError()), "");
    auto isAt = [&](llvm::StringRef name, uint64_t alignment) {
      return file->getRange(*file->find(name)).offset % alignment == 0;
    };
    EXPECT_TRUE(isAt("tiles", 64));
    EXPECT_TRUE(isAt("vector", 64));
    EXPECT_TRUE(isAt("half", 32));
    EXPECT_TRUE(isAt("wide", 8));
  }
}

TEST(Safetensors, LazyTensorsAreMadeInTheOrderOfTheFile) {
  TempFolder folder;
  std::vector<std::string> made;
  auto lazy = [&](const char *name, int64_t count) {
    return LazyTensor{name, DType::F32, {count}, [&made, name, count]() -> llvm::Expected<Tensor> {
                        made.push_back(name);
                        return Tensor::zeros(DType::F32, {count});
                      }};
  };
  std::vector<LazyTensor> tensors = {lazy("a", 1), lazy("b", 16)};
  ASSERT_EQ(getMessage(writeSafetensors(folder / "x.safetensors", tensors)), "");
  EXPECT_EQ(made, std::vector<std::string>({"b", "a"}));
  tensors[0].shape = {2};
  EXPECT_EQ(getMessage(writeSafetensors(folder / "y.safetensors", tensors)),
            folder / "y.safetensors" + ": tensor 'a' has no data of its size");
  EXPECT_EQ(folder.count(), 1u);
}

TEST(Safetensors, TensorsOutliveTheFileObject) {
  TempFolder folder;
  std::string path =
      folder.write("x", makeFile("{" + makeEntry("a", "F32", "[2]", "[0,8]") + "    }", 8));
  Tensor tensor;
  {
    auto file = SafetensorsFile::open(path);
    ASSERT_EQ(getMessage(file.takeError()), "");
    tensor = file->getTensor(file->getEntries().front());
  }
  std::filesystem::remove(path);
  EXPECT_EQ(tensor.data<float>()[1], 0.0f);
}

TEST(Safetensors, UnalignedTensorsAreCopied) {
  TempFolder folder;
  std::string header = "{" + makeEntry("a", "F32", "[2]", "[0,8]") + "}";
  while (header.size() % 4 != 1)
    header += ' ';
  auto file = SafetensorsFile::open(folder.write("x", makeFile(header, 8)));
  ASSERT_EQ(getMessage(file.takeError()), "");
  const SafetensorsEntry &entry = file->getEntries().front();
  EXPECT_FALSE(file->isAligned(entry));
  Tensor tensor = file->getTensor(entry);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.getRawData()) % 4, 0u);
  EXPECT_EQ(tensor.data<float>()[1], 0.0f);
}

TEST(Safetensors, FourBitTensorsAreStoredAsBytes) {
  TempFolder folder;
  ASSERT_EQ(getMessage(writeSafetensors(folder / "x", {{"q", Tensor::zeros(DType::I4, {3, 5})}})),
            "");
  auto file = SafetensorsFile::open(folder / "x");
  ASSERT_EQ(getMessage(file.takeError()), "");
  EXPECT_EQ(file->getEntries().front().type, DType::U8);
  EXPECT_EQ(file->getEntries().front().shape, (Shape{3, 3}));
}

TEST(Safetensors, WriterRefusesBadNames) {
  TempFolder folder;
  Tensor one = Tensor::zeros(DType::F32, {1});
  expectMessage(getMessage(writeSafetensors(folder / "x", {{"a", one}, {"a", one}})),
                "two tensors are named 'a'");
  expectMessage(getMessage(writeSafetensors(folder / "x", {{"__metadata__", one}})),
                "cannot be named '__metadata__'");
  expectMessage(getMessage(writeSafetensors(folder / "x", {{"\xff", one}})), "cannot be named");
  expectMessage(getMessage(writeSafetensors(folder / "x", {{"a", Tensor()}})), "has no data");
  EXPECT_EQ(folder.count(), 0u);
}

struct HostileFile {
  const char *what;
  std::string bytes;
  /// Part of the message; "" when the file is good.
  std::string message;
};

static std::vector<HostileFile> makeHostileFiles() {
  const std::string good = makeEntry("a", "F32", "[2]", "[0,8]");
  auto wrap = [](const std::string &entries) { return "{" + entries + "}"; };
  std::string manyZeroRank = "[1,1,1,1,1,1,1,1,1]";
  return {
      {"good", makeFile(wrap(good), 8), ""},
      {"empty header", makeFile("{}", 0), ""},
      {"empty tensors share an offset",
       makeFile(wrap(makeEntry("a", "F32", "[0]", "[0,0]") + "," +
                     makeEntry("b", "F32", "[0,3]", "[0,0]")),
                0),
       ""},
      {"unknown field",
       makeFile("{\"a\":{\"x\":[1,{}],\"dtype\":\"U8\",\"shape\":[],"
                "\"data_offsets\":[0,1]}}",
                1),
       ""},
      {"trailing blanks", makeFile(wrap(good) + "   ", 8), ""},
      {"no bytes", "", "0 bytes are too few"},
      {"seven bytes", std::string(7, 0), "7 bytes are too few"},
      {"length zero", makeFile("", 0), "a header of 0 bytes"},
      {"length past the file", makeFile(wrap(good), 0, 1000), "the header needs 1000 bytes"},
      {"length one past the file", makeFile("{} ", 0, 4),
       "the header needs 4 bytes, the file has 3"},
      {"length huge", makeFile(wrap(good), 0, ~uint64_t(0)),
       "a header of 18446744073709551615 bytes"},
      {"length just too large", makeFile(wrap(good), 0, 100000001), "a header of 100000001 bytes"},
      {"leading blank", makeFile(" " + wrap(good), 8), "does not start with '{'"},
      {"header is a list", makeFile("[1]", 0), "does not start with '{'"},
      {"header ends early", makeFile("{\"a\":", 0), "the text ends"},
      {"header ends in a string", makeFile("{\"a", 0), "the text ends inside a string"},
      {"text after the header", makeFile(wrap(good) + "x", 8), "expected the end of the text"},
      {"nested", makeFile("{\"a\":" + std::string(200000, '['), 0), "expected '{', found '['"},
      {"nested in an unknown field", makeFile("{\"a\":{\"x\":" + std::string(200000, '['), 0),
       "nested deeper than 64"},
      {"bad UTF-8", makeFile("{\"\xff\":1}", 0), "not valid UTF-8"},
      {"hole at the start", makeFile(wrap(makeEntry("a", "F32", "[2]", "[4,12]")), 12),
       "tensor 'a': starts at byte 4, but the tensors before it end at 0 (hole)"},
      {"hole in the middle", makeFile(wrap(good + "," + makeEntry("b", "U8", "[1]", "[9,10]")), 10),
       "tensor 'b': starts at byte 9, but the tensors before it end at 8 (hole)"},
      {"overlap", makeFile(wrap(good + "," + makeEntry("b", "U8", "[4]", "[6,10]")), 10),
       "tensor 'b': starts at byte 6, but the tensors before it end at 8 (overlap)"},
      {"same bytes twice", makeFile(wrap(good + "," + makeEntry("b", "F32", "[2]", "[0,8]")), 8),
       "(overlap)"},
      {"empty tensor inside another",
       makeFile(wrap(good + "," + makeEntry("b", "U8", "[0]", "[4,4]")), 8), "(overlap)"},
      {"bytes left over", makeFile(wrap(good), 9),
       "the tensors end at byte 8, but the file holds 9"},
      {"bytes missing", makeFile(wrap(good), 7), "do not lie in the 7 bytes"},
      {"begin after end", makeFile(wrap(makeEntry("a", "F32", "[2]", "[8,0]")), 8),
       "data_offsets 8 to 0"},
      {"negative offset", makeFile(wrap(makeEntry("a", "F32", "[2]", "[-8,0]")), 8),
       "data_offsets of 'a' must hold whole numbers"},
      {"one offset", makeFile(wrap(makeEntry("a", "F32", "[2]", "[8]")), 8),
       "needs a dtype, a shape and two data_offsets"},
      {"three offsets", makeFile(wrap(makeEntry("a", "F32", "[2]", "[0,8,8]")), 8),
       "data_offsets of 'a' has more than 2 numbers"},
      {"offset past 2^63",
       makeFile(wrap(makeEntry("a", "F32", "[2]", "[0,9223372036854775808]")), 8),
       "must hold whole numbers"},
      {"size differs", makeFile(wrap(makeEntry("a", "F32", "[3]", "[0,8]")), 8),
       "tensor 'a': shape and dtype need 12 bytes, data_offsets hold 8"},
      {"product wraps to 4",
       makeFile(wrap(makeEntry("a", "U8", "[4194305,4194305,211106198978564]", "[0,4]")), 4),
       "2^40 elements or more"},
      {"product overflows beside a zero",
       makeFile(wrap(makeEntry("a", "U8", "[4611686018427387904,4,0]", "[0,0]")), 0),
       "2^40 elements or more"},
      {"negative dimension", makeFile(wrap(makeEntry("a", "F32", "[-2]", "[0,8]")), 8),
       "shape of 'a' must hold whole numbers"},
      {"fractional dimension", makeFile(wrap(makeEntry("a", "F32", "[2.0]", "[0,8]")), 8),
       "shape of 'a' must hold whole numbers"},
      {"leading zero", makeFile(wrap(makeEntry("a", "F32", "[02]", "[0,8]")), 8),
       "shape of 'a' must hold whole numbers"},
      {"rank 9", makeFile(wrap(makeEntry("a", "U8", manyZeroRank, "[0,1]")), 1),
       "shape of 'a' has more than 8 numbers"},
      {"unknown type", makeFile(wrap(makeEntry("a", "F33", "[2]", "[0,8]")), 8),
       "tensor 'a': type 'F33' is unknown"},
      {"unsupported type", makeFile(wrap(makeEntry("a", "F8_E4M3", "[8]", "[0,8]")), 8),
       "tensor 'a': type F8_E4M3 is not supported"},
      {"type is a number", makeFile("{\"a\":{\"dtype\":1}}", 0), "expected '\"', found '1'"},
      {"no type", makeFile("{\"a\":{\"shape\":[],\"data_offsets\":[0,0]}}", 0), "needs a dtype"},
      {"tensor is a number", makeFile("{\"a\":1}", 0), "expected '{', found '1'"},
      {"tensor twice", makeFile(wrap(good + "," + good), 8), "key 'a' occurs twice"},
      {"tensor twice, once escaped",
       makeFile(wrap(good + "," + makeEntry("\\u0061", "F32", "[2]", "[0,8]")), 8),
       "key 'a' occurs twice"},
      {"field twice", makeFile("{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\"}}", 0),
       "key 'dtype' occurs twice"},
      {"metadata is a list", makeFile("{\"__metadata__\":[]}", 0), "expected '{', found '['"},
      {"metadata holds a number", makeFile("{\"__metadata__\":{\"k\":1}}", 0),
       "__metadata__ maps strings to strings"},
      {"metadata twice", makeFile("{\"__metadata__\":{},\"__metadata__\":{}}", 0),
       "key '__metadata__' occurs twice"},
      {"comma missing", makeFile("{\"a\":{\"dtype\":\"U8\" \"shape\":[]}}", 0), "expected ','"},
      {"comma at the end", makeFile("{" + good + ",}", 8), "expected '\"', found '}'"},
      {"name with a new line and an escape code",
       makeFile(wrap(makeEntry("a\\n\\u001b[31m", "F33", "[]", "[0,0]")), 0),
       "tensor 'a\\x0a\\x1b[31m': type 'F33'"},
      {"name of 4 kB", makeFile(wrap(makeEntry(std::string(4096, 'n'), "F33", "[]", "[0,0]")), 0),
       "nnn...': type 'F33'"},
      {"NUL in the header", makeFile(std::string("{\0}", 3), 0), "expected '\"', found '\\x00'"},
  };
}

TEST(Safetensors, HostileFilesAreRefusedWithTheRightMessage) {
  TempFolder folder;
  for (const HostileFile &hostile : makeHostileFiles()) {
    SCOPED_TRACE(hostile.what);
    std::string path = folder.write("x.safetensors", hostile.bytes);
    std::string message = getMessage(SafetensorsFile::open(path));
    if (hostile.message.empty()) {
      EXPECT_EQ(message, "");
      continue;
    }
    expectMessage(message, hostile.message);
    expectMessage(message, "x.safetensors");
  }
}

TEST(Safetensors, EveryCutOfAGoodFileIsRefused) {
  TempFolder folder;
  std::string good = makeFile(
      "{" + makeEntry("a", "F32", "[2]", "[0,8]") + ",\"__metadata__\":{\"k\":\"\\n\"}}", 8);
  for (size_t size = 0; size < good.size(); ++size) {
    std::string path = folder.write("x", good.substr(0, size));
    EXPECT_NE(getMessage(SafetensorsFile::open(path)), "") << size;
  }
}

TEST(Safetensors, UnknownFieldsAreReported) {
  TempFolder folder;
  std::string path = folder.write(
      "x", makeFile("{\"a\":{\"new\":1,\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]}}", 1));
  auto file = SafetensorsFile::open(path);
  ASSERT_EQ(getMessage(file.takeError()), "");
  expectMessage(file->getWarning().str(), "tensor 'a' has an unknown field 'new'");
}

TEST(Safetensors, OnlyRegularFilesAreOpened) {
  TempFolder folder;
  expectMessage(getMessage(SafetensorsFile::open(folder / "none")), "No such file");
  expectMessage(getMessage(SafetensorsFile::open(folder.str())), "it is a folder");
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  expectMessage(getMessage(SafetensorsFile::open(folder / "pipe")), "a pipe or a device");
  expectMessage(getMessage(SafetensorsFile::open("/dev/zero")), "a pipe or a device");
}
