//===- SiteRanges.cpp - Ranges of static formats at sites -----------------===//

#include "ssmq/Analysis/SiteRanges.h"

#include "ssmq/Support/Parallel.h"
#include <mutex>

using namespace mlir;
using namespace mlir::ssm;
using llvm::Error;
using llvm::Expected;
using ::ssmq::Format;
using ::ssmq::StaticRanges;

void SiteRanges::want(const Site &site, const Format &format) {
  if (!format.needsRanges())
    return;
  std::pair key(&site, StaticRanges::getKey(format));
  if (!observed.count(key))
    wanted.try_emplace(std::move(key), std::make_shared<StaticRanges>(format));
}

Error SiteRanges::observe(size_t numSequences,
                          llvm::function_ref<Expected<const SequenceSweep *>(size_t)> getSweep,
                          unsigned threads) {
  SmallVector<Ranges::value_type *> entries;
  for (Ranges::value_type &entry : wanted)
    entries.push_back(&entry);
  for (size_t k = 0; !entries.empty() && k < numSequences; ++k) {
    Expected<const SequenceSweep *> sweep = getSweep(k);
    if (!sweep)
      return sweep.takeError();
    std::mutex mutex;
    Error failure = Error::success();
    ::ssmq::parallelFor(threads, entries.size(), [&](int64_t begin, int64_t end) {
      for (auto *entry : ArrayRef(entries).slice(begin, end - begin))
        if (Error error = observeSite(*entry->first.first, (*sweep)->getInterpreter(),
                                      (*sweep)->getTrace(), *entry->second)) {
          std::lock_guard<std::mutex> lock(mutex);
          failure = llvm::joinErrors(std::move(failure), std::move(error));
        }
    });
    if (failure)
      return failure;
  }
  observed.merge(wanted);
  wanted.clear();
  return Error::success();
}

std::shared_ptr<const StaticRanges> SiteRanges::get(const Site &site, const Format &format) const {
  return format.needsRanges() ? observed.at({&site, StaticRanges::getKey(format)}) : nullptr;
}
