//===- BufferPool.cpp - Memory of tensors, kept for the next ones ---------===//

#include "BufferPool.h"

#include "llvm/Support/MathExtras.h"
#include <cstdint>
#include <cstdlib>
#include <map>
#include <mutex>
#include <sys/mman.h>
#include <vector>

using namespace ssmq;

namespace {
/// Smaller blocks are quick to get; larger ones are kept while all of them are below the bound.
constexpr size_t smallestKept = size_t(1) << 16, mostKept = size_t(1) << 30;

/// Blocks below this size share pages of 2 MiB with others: the states of a model, each less than a
/// page, are read once a token, and a third faster than from pages of 4 KiB.
constexpr size_t hugePage = size_t(1) << 21, smallestAlone = 2 * hugePage;
/// Memory that blocks are cut from one after another. It is never given back, so it has a bound.
constexpr size_t slabSize = 8 * hugePage, mostInSlabs = 16 * slabSize;

struct Pool {
  std::mutex mutex;
  std::map<size_t, std::vector<void *>> blocks;
  size_t numBytes = 0;
  std::vector<char *> slabs;
  /// Bytes of the last slab that are in use.
  size_t used = slabSize;

  bool isInSlab(const void *block) const {
    auto address = reinterpret_cast<uintptr_t>(block);
    for (char *slab : slabs)
      if (address - reinterpret_cast<uintptr_t>(slab) < slabSize)
        return true;
    return false;
  }
};
} // namespace

/// Never destroyed: tensors may live until the process ends.
static Pool &getPool() {
  static Pool *pool = new Pool();
  return *pool;
}

/// Memory in pages of 2 MiB where the system has them; fresh from it, they also cost a tenth of
/// the faults.
static void *allocateHuge(size_t size) {
  void *memory = std::aligned_alloc(hugePage, llvm::alignTo(size, hugePage));
#ifdef MADV_HUGEPAGE
  if (memory)
    madvise(memory, llvm::alignDown(size, hugePage), MADV_HUGEPAGE); // a hint, which may fail
#endif
  return memory;
}

/// A block of the last slab, or of a new one; null when slabs have reached their bound.
static void *cutFromSlab(Pool &pool, size_t size) {
  size = llvm::alignTo(size, 64);
  if (pool.used + size > slabSize) {
    if ((pool.slabs.size() + 1) * slabSize > mostInSlabs)
      return nullptr;
    auto *slab = static_cast<char *>(allocateHuge(slabSize));
    if (!slab)
      return nullptr;
    pool.slabs.push_back(slab);
    pool.used = 0;
  }
  void *block = pool.slabs.back() + pool.used;
  pool.used += size;
  return block;
}

void *ssmq::takeBuffer(size_t size) {
  if (size >= smallestKept) {
    Pool &pool = getPool();
    std::lock_guard<std::mutex> lock(pool.mutex);
    auto kept = pool.blocks.find(size);
    if (kept != pool.blocks.end() && !kept->second.empty()) {
      void *block = kept->second.back();
      kept->second.pop_back();
      pool.numBytes -= size;
      return block;
    }
    if (size < smallestAlone)
      if (void *block = cutFromSlab(pool, size))
        return block;
  }
  return size >= smallestAlone ? allocateHuge(size)
                               : std::aligned_alloc(64, llvm::alignTo(size, 64));
}

void ssmq::giveBuffer(void *buffer, size_t size) {
  if (size >= smallestKept && size <= mostKept) {
    Pool &pool = getPool();
    std::lock_guard<std::mutex> lock(pool.mutex);
    if (pool.numBytes + size <= mostKept || pool.isInSlab(buffer)) {
      pool.blocks[size].push_back(buffer);
      pool.numBytes += size;
      return;
    }
  }
  std::free(buffer);
}
