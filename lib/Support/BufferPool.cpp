//===- BufferPool.cpp - Memory of tensors, kept for the next ones ---------===//

#include "BufferPool.h"

#include "llvm/Support/MathExtras.h"
#include <cstdlib>
#include <map>
#include <mutex>
#include <sys/mman.h>
#include <vector>

using namespace ssmq;

namespace {
/// Smaller blocks are quick to get; larger ones are kept while all of them are below the bound.
constexpr size_t smallestKept = size_t(1) << 16, mostKept = size_t(1) << 30;

struct Pool {
  std::mutex mutex;
  std::map<size_t, std::vector<void *>> blocks;
  size_t numBytes = 0;
};
} // namespace

/// Never destroyed: tensors may live until the process ends.
static Pool &getPool() {
  static Pool *pool = new Pool();
  return *pool;
}

static void *allocate(size_t size) {
#ifdef MADV_HUGEPAGE
  // Memory fresh from the system costs a fault a page: pages of 2 MiB make that ten times cheaper.
  constexpr size_t hugePage = size_t(1) << 21;
  if (size >= 2 * hugePage) {
    void *memory = std::aligned_alloc(hugePage, llvm::alignTo(size, hugePage));
    if (memory)
      madvise(memory, llvm::alignDown(size, hugePage), MADV_HUGEPAGE); // a hint, which may fail
    return memory;
  }
#endif
  return std::aligned_alloc(64, llvm::alignTo(size, 64));
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
  }
  return allocate(size);
}

void ssmq::giveBuffer(void *buffer, size_t size) {
  if (size >= smallestKept && size <= mostKept) {
    Pool &pool = getPool();
    std::lock_guard<std::mutex> lock(pool.mutex);
    if (pool.numBytes + size <= mostKept) {
      pool.blocks[size].push_back(buffer);
      pool.numBytes += size;
      return;
    }
  }
  std::free(buffer);
}
