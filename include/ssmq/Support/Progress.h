//===- Progress.h - A line that says how far a long job is ------*- C++ -*-===//
//
// One line on stderr, redrawn at most ten times a second and removed at the end:
//   sensitivity  37%  1:10 gone, 2:00 left
// Nothing is written when stderr is no terminal, so that logs stay clean.
//
// Work is counted in units of the caller's choice that cost about the same time each (operations,
// say), not in steps: where steps differ in cost and the dear ones come first, counting steps
// promises too late an end. The time left is the work left over the rate of about the last minute
// (both time and units fade by exp(-age / 60 s)), so that it follows a machine that gets slower.
// Until the first step ends nothing is known; its time and units are not in the rate, since what a
// job does once at its beginning is no measure of the rest.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_SUPPORT_PROGRESS_H
#define SSMQ_SUPPORT_PROGRESS_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/raw_ostream.h"
#include <functional>
#include <mutex>
#include <optional>
#include <string>

namespace ssmq {

/// Seconds since any fixed moment.
using SecondsClock = std::function<double()>;

/// How long work takes, from what was done until now.
class TimeEstimate {
public:
  /// `units` more were done at `seconds`; times do not decrease.
  void advance(double units, double seconds);
  /// For `units` of work; nothing before the second step.
  std::optional<double> getSeconds(double units) const;

private:
  std::optional<double> last;
  double fadedUnits = 0, fadedSeconds = 0;
};

class Progress {
public:
  Progress(llvm::StringRef label, double total);
  /// The same on a stream that is taken for a terminal.
  Progress(llvm::StringRef label, double total, llvm::raw_ostream &out, SecondsClock clock);
  ~Progress();
  Progress(const Progress &) = delete;
  Progress &operator=(const Progress &) = delete;

  /// Thread safe, as is skip.
  void advance(double units);
  /// For what needed no work, such as results of an earlier run: done, but not in the rate.
  void skip(double units);

private:
  void draw(double now);

  std::string label;
  double total, done = 0;
  llvm::raw_ostream *out;
  SecondsClock clock;
  double start, lastDrawn = 0;
  bool isDrawn = false;
  TimeEstimate estimate;
  std::mutex mutex;
};

/// The line, without control characters: `share` of the work is done after `seconds`, and `left`
/// seconds remain, if that is known.
std::string formatProgress(llvm::StringRef label, double share, double seconds,
                           std::optional<double> left);

} // namespace ssmq

#endif // SSMQ_SUPPORT_PROGRESS_H
