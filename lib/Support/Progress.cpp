//===- Progress.cpp - A line that says how far a long job is --------------===//

#include "ssmq/Support/Progress.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include <algorithm>

using namespace ssmq;

/// 4:05, or 2:04:05 from an hour on.
static std::string formatDuration(double seconds) {
  auto whole = static_cast<int64_t>(std::min(seconds, 1e9) + 0.5);
  std::string text;
  llvm::raw_string_ostream out(text);
  if (whole >= 3600)
    out << whole / 3600 << ':' << llvm::format("%02d", static_cast<int>(whole / 60 % 60));
  else
    out << whole / 60;
  out << llvm::format(":%02d", static_cast<int>(whole % 60));
  return text;
}

std::string ssmq::formatProgress(llvm::StringRef label, int64_t done, int64_t total, int64_t now,
                                 double seconds) {
  double share = total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 1;
  std::string line =
      llvm::formatv("{0}  {1}% {2}/{3}", label, static_cast<int>(100 * share), done, total);
  if (now <= 0 || seconds <= 0)
    return line;
  double rate = static_cast<double>(now) / seconds;
  return line + llvm::formatv("  {0:F1}/s  {1} left", rate,
                              formatDuration(static_cast<double>(total - done) / rate))
                    .str();
}

Progress::Progress(llvm::StringRef label, int64_t total, int64_t finished, llvm::raw_ostream &out)
    : label(label), total(total), finished(finished), done(finished), out(&out) {}

Progress::Progress(llvm::StringRef label, int64_t total, int64_t finished)
    : Progress(label, total, finished, llvm::errs()) {
  if (!llvm::errs().is_displayed())
    out = nullptr;
}

Progress::~Progress() {
  if (isDrawn)
    *out << "\r\033[K";
}

void Progress::advance(int64_t steps) {
  std::lock_guard<std::mutex> lock(mutex);
  done += steps;
  Clock::time_point time = Clock::now();
  if (!out || (isDrawn && done < total && time - lastDrawn < std::chrono::milliseconds(100)))
    return;
  double seconds = std::chrono::duration<double>(time - start).count();
  *out << "\r\033[K" << formatProgress(label, done, total, done - finished, seconds);
  out->flush();
  lastDrawn = time;
  isDrawn = true;
}
