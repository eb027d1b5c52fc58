//===- Progress.h - A line that says how far a long job is ------*- C++ -*-===//
//
// One line on stderr, redrawn at most ten times a second and removed at the end:
//   sensitivity  37% 148/400  2.1/s  2:00 left
// Nothing is written when stderr is no terminal, so that logs stay clean.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_SUPPORT_PROGRESS_H
#define SSMQ_SUPPORT_PROGRESS_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/raw_ostream.h"
#include <chrono>
#include <mutex>
#include <string>

namespace ssmq {

class Progress {
public:
  /// `finished` steps of `total` were done before this run and do not count in the rate.
  Progress(llvm::StringRef label, int64_t total, int64_t finished = 0);
  /// The same on a stream that is taken for a terminal.
  Progress(llvm::StringRef label, int64_t total, int64_t finished, llvm::raw_ostream &out);
  ~Progress();
  Progress(const Progress &) = delete;
  Progress &operator=(const Progress &) = delete;

  /// Thread safe.
  void advance(int64_t steps = 1);

private:
  using Clock = std::chrono::steady_clock;

  std::string label;
  int64_t total, finished, done;
  llvm::raw_ostream *out;
  Clock::time_point start = Clock::now(), lastDrawn{};
  bool isDrawn = false;
  std::mutex mutex;
};

/// The line, without control characters: `done` of `total` steps, `now` of them in `seconds`.
std::string formatProgress(llvm::StringRef label, int64_t done, int64_t total, int64_t now,
                           double seconds);

} // namespace ssmq

#endif // SSMQ_SUPPORT_PROGRESS_H
