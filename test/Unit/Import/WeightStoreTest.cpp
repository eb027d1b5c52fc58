//===- WeightStoreTest.cpp - Checkpoints of one or many files -------------===//

#include "ssmq/Import/WeightStore.h"
#include "../Support/TempFolder.h"
#include "ssmq/Support/HalfFloat.h"
#include <limits>
#include <sys/stat.h>
#include <thread>

using namespace ssmq;
using namespace ssmq::test;

static Tensor makeVector(float value, int64_t size = 2) {
  return Tensor::fromData<float>({size}, std::vector<float>(size, value));
}

static void writeShard(const TempFolder &folder, const std::string &name,
                       llvm::ArrayRef<NamedTensor> tensors) {
  ASSERT_EQ(getMessage(writeSafetensors(folder / name, tensors)), "");
}

static void writeIndex(const TempFolder &folder, const std::string &weightMap) {
  folder.write("model.safetensors.index.json",
               R"({"metadata": {"total_size": 16}, "weight_map": )" + weightMap + "}");
}

TEST(WeightStore, ReadsOneFileByFolderOrPath) {
  TempFolder folder;
  writeShard(folder, "model.safetensors", {{"b", makeVector(2)}, {"a", makeVector(1)}});
  for (const std::string &path : {folder.str(), folder / "model.safetensors"}) {
    auto store = WeightStore::open(path);
    ASSERT_EQ(getMessage(store.takeError()), "");
    EXPECT_EQ(store->getNames().vec(), (std::vector<llvm::StringRef>{"a", "b"}));
    EXPECT_EQ(store->getTotalBytes(), 16);
    EXPECT_TRUE(store->contains("a"));
    auto tensor = store->lookup("b");
    ASSERT_EQ(getMessage(tensor.takeError()), "");
    EXPECT_EQ(tensor->data<float>()[1], 2.0f);
  }
}

TEST(WeightStore, ReadsTheOnlyFileOfAFolder) {
  TempFolder folder;
  writeShard(folder, "other.safetensors", {{"a", makeVector(1)}});
  EXPECT_EQ(getMessage(WeightStore::open(folder.str())), "");
  writeShard(folder, "second.safetensors", {{"a", makeVector(1)}});
  expectMessage(getMessage(WeightStore::open(folder.str())), "2 safetensors files but no");
}

TEST(WeightStore, ReadsShardsAndMoves) {
  TempFolder folder;
  writeShard(folder, "1.safetensors", {{"a", makeVector(1)}});
  writeShard(folder, "2.safetensors", {{"b", makeVector(2)}});
  writeIndex(folder, R"({"a": "1.safetensors", "b": "2.safetensors"})");
  auto opened = WeightStore::open(folder.str());
  ASSERT_EQ(getMessage(opened.takeError()), "");
  WeightStore store = std::move(*opened);
  EXPECT_EQ(store.getFiles().size(), 2u);
  for (auto [name, value] : {std::pair("a", 1.0f), std::pair("b", 2.0f)}) {
    auto tensor = store.lookup(name);
    ASSERT_EQ(getMessage(tensor.takeError()), "");
    EXPECT_EQ(tensor->data<float>()[0], value);
  }
}

TEST(WeightStore, UnknownNameTellsTheNearest) {
  TempFolder folder;
  writeShard(folder, "model.safetensors",
             {{"model.layers.0.mamba.A_log", makeVector(1)}, {"model.norm.weight", makeVector(2)}});
  auto store = WeightStore::open(folder.str());
  ASSERT_EQ(getMessage(store.takeError()), "");
  expectMessage(getMessage(store->lookup("model.layers.0.mixer.A_log")),
                "no tensor 'model.layers.0.mixer.A_log'; did you mean "
                "'model.layers.0.mamba.A_log'?");
  EXPECT_EQ(getMessage(store->lookup("zzz")), "the checkpoint has no tensor 'zzz'");
}

TEST(WeightStore, UnalignedTensorsAreCopiedOnceForAllThreads) {
  TempFolder folder;
  std::string header = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  while (header.size() % 4 != 1)
    header += ' ';
  std::string bytes(8, 0);
  bytes[0] = static_cast<char>(header.size());
  auto store = WeightStore::open(folder.write("model.safetensors", bytes + header + "abcd"));
  ASSERT_EQ(getMessage(store.takeError()), "");
  const void *seen[4] = {};
  std::vector<std::thread> threads;
  for (const void *&data : seen)
    threads.emplace_back([&] { data = llvm::cantFail(store->lookup("a")).getRawData(); });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(std::set<const void *>(seen, seen + 4).size(), 1u);
  EXPECT_EQ(std::memcmp(seen[0], "abcd", 4), 0);
}

TEST(WeightStore, HostileIndexFilesAreRefused) {
  struct Case {
    std::string weightMap, message;
  };
  const Case cases[] = {
      {R"({"a": "../x.safetensors"})", "must be the plain name"},
      {R"({"a": "/etc/x.safetensors"})", "must be the plain name"},
      {R"({"a": "sub/x.safetensors"})", "must be the plain name"},
      {R"({"a": "sub\\x.safetensors"})", "must be the plain name"},
      {R"({"a": ".."})", "must be the plain name"},
      {R"({"a": ""})", "must be the plain name"},
      {R"({"a": "x\u0000.safetensors"})", "must be the plain name"},
      {R"({"a": "passwd"})", "must be the plain name"},
      {"{\"a\": \"" + std::string(4096, 'x') + ".safetensors\"}", "must be the plain name"},
      {R"({"a": 1})", "the shard of tensor 'a' is not a string"},
      {R"({"a": "1.safetensors", "a": "1.safetensors"})", "key 'a' occurs twice"},
      {R"([])", "no object 'weight_map'"},
      {R"({"a": "none.safetensors"})", "1 of 1 shards are missing, the first is "
                                       "'none.safetensors'"},
      {R"({"a": "1.safetensors", "b": "1.safetensors"})",
       "tensor 'b' is not in 1.safetensors, where the index has it"},
      {R"({"b": "2.safetensors"})", "tensor 'a' of 2.safetensors is not in the index"},
      {R"({"a": "outside.safetensors"})", "is a link out of the folder"},
      {R"({"a": "pipe.safetensors"})", "a pipe or a device"},
      {R"({"a": "short.safetensors"})", "is the download complete?"},
      {R"({"a": "1.safetensors", "b": "2.safetensors"})", "tensor 'a' of 2.safetensors"},
  };
  TempFolder folder, elsewhere;
  writeShard(folder, "1.safetensors", {{"a", makeVector(1)}});
  writeShard(folder, "2.safetensors", {{"a", makeVector(1)}, {"b", makeVector(1)}});
  writeShard(elsewhere, "x.safetensors", {{"a", makeVector(1)}});
  std::filesystem::create_symlink(elsewhere / "x.safetensors", folder / "outside.safetensors");
  ASSERT_EQ(::mkfifo((folder / "pipe.safetensors").c_str(), 0600), 0);
  std::string whole = readAll(folder / "1.safetensors");
  folder.write("short.safetensors", whole.substr(0, whole.size() - 1));
  for (const Case &one : cases) {
    SCOPED_TRACE(one.weightMap.substr(0, 80));
    writeIndex(folder, one.weightMap);
    expectMessage(getMessage(WeightStore::open(folder.str())), one.message);
  }
}

TEST(WeightStore, HubCacheLinksAreFollowed) {
  TempFolder cache;
  std::filesystem::create_directories(cache / "blobs");
  std::filesystem::create_directories(cache / "snapshots/main");
  writeShard(cache, "blobs/abc", {{"a", makeVector(3)}});
  std::filesystem::create_symlink("../../blobs/abc", cache / "snapshots/main/1.safetensors");
  cache.write("snapshots/main/model.safetensors.index.json",
              R"({"weight_map": {"a": "1.safetensors"}})");
  EXPECT_EQ(getMessage(WeightStore::open(cache / "snapshots/main")), "");
}

TEST(WeightStore, FoldersWithoutSafetensorsSayWhatToDo) {
  TempFolder folder;
  expectMessage(getMessage(WeightStore::open(folder.str())), "no safetensors files");
  folder.write("pytorch_model.bin", "");
  expectMessage(getMessage(WeightStore::open(folder.str())), "convert the checkpoint");
  expectMessage(getMessage(WeightStore::open(folder / "none")), "No such file");
}

TEST(WeightStore, CheckFiniteNamesTheTensor) {
  const float inf = std::numeric_limits<float>::infinity();
  Tensor big = Tensor::zeros(DType::F32, {1000});
  big.mutableData<float>()[3] = -inf;
  big.mutableData<float>()[999] = std::numeric_limits<float>::quiet_NaN();
  Tensor half = Tensor::zeros(DType::F16, {2});
  static_cast<uint16_t *>(half.getMutableRawData())[1] = floatToHalf(inf);
  Tensor bfloat = Tensor::zeros(DType::BF16, {2});
  static_cast<uint16_t *>(bfloat.getMutableRawData())[0] = floatToBFloat(inf);
  Tensor wide = Tensor::fromData<double>({1}, {-double(inf)});
  Tensor codes = Tensor::fromData<uint8_t>({4}, {0, 0, 0x80, 0x7f});
  struct Case {
    Tensor tensor;
    std::string message;
  };
  const Case cases[] = {
      {big, "tensor 'x' holds 2 values that are NaN or infinite, of 1000"},
      {half, "tensor 'x' holds 1 values"},
      {bfloat, "tensor 'x' holds 1 values"},
      {wide, "tensor 'x' holds 1 values"},
      {codes, ""},
      {makeVector(std::numeric_limits<float>::max()), ""},
  };
  for (const Case &one : cases)
    for (unsigned threads : {1u, 2u}) {
      TempFolder folder;
      writeShard(folder, "model.safetensors", {{"a", makeVector(1)}, {"x", one.tensor}});
      auto store = WeightStore::open(folder.str());
      ASSERT_EQ(getMessage(store.takeError()), "");
      EXPECT_EQ(getMessage(store->checkFinite(threads)).substr(0, one.message.size()), one.message);
    }
}
