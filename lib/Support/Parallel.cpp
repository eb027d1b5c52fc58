//===- Parallel.cpp - Static parallel loops -------------------------------===//

#include "ssmq/Support/Parallel.h"

#include "llvm/Support/ThreadPool.h"
#include <algorithm>

using namespace ssmq;

void ssmq::parallelFor(unsigned threads, int64_t n,
                       llvm::function_ref<void(int64_t, int64_t)> body) {
  if (n <= 0)
    return;
  int64_t ranges = std::min<int64_t>(threads, n);
  static thread_local bool insideLoop = false;
  if (ranges <= 1 || insideLoop)
    return body(0, n);

  static llvm::DefaultThreadPool pool(llvm::hardware_concurrency());
  auto runRange = [&](int64_t i) {
    insideLoop = true;
    // Written so that no product overflows: the first n % ranges ranges are one longer.
    int64_t base = n / ranges, longer = n % ranges;
    int64_t begin = i * base + std::min(i, longer);
    body(begin, begin + base + (i < longer));
    insideLoop = false;
  };
  llvm::ThreadPoolTaskGroup group(pool);
  for (int64_t i = 1; i < ranges; ++i)
    group.async([&runRange, i] { runRange(i); });
  runRange(0);
  group.wait();
}
