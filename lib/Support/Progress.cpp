//===- Progress.cpp - A line that says how far a long job is --------------===//

#include "ssmq/Support/Progress.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include <algorithm>
#include <chrono>
#include <cmath>

using namespace ssmq;

static constexpr double kFadeSeconds = 60;
static constexpr double kRedrawSeconds = 0.1;

static double getSteadySeconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

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

std::string ssmq::formatProgress(llvm::StringRef label, double share, double seconds,
                                 std::optional<double> left) {
  auto percent = static_cast<int>(100 * std::clamp(share, 0.0, 1.0));
  std::string line = llvm::formatv("{0}  {1}%  {2} gone", label, percent, formatDuration(seconds));
  return left ? line + ", " + formatDuration(*left) + " left" : line;
}

void TimeEstimate::advance(double units, double seconds) {
  if (last) {
    double passed = std::max(0.0, seconds - *last);
    double kept = std::exp(-passed / kFadeSeconds);
    fadedUnits = kept * fadedUnits + units;
    fadedSeconds = kept * fadedSeconds + passed;
  }
  last = seconds;
}

std::optional<double> TimeEstimate::getSeconds(double units) const {
  if (fadedUnits <= 0 || fadedSeconds <= 0)
    return std::nullopt;
  return units * fadedSeconds / fadedUnits;
}

Progress::Progress(llvm::StringRef label, double total, llvm::raw_ostream &out, SecondsClock clock)
    : label(label), total(total), out(&out), clock(std::move(clock)), start(this->clock()) {}

Progress::Progress(llvm::StringRef label, double total)
    : Progress(label, total, llvm::errs(), getSteadySeconds) {
  if (!llvm::errs().is_displayed())
    out = nullptr;
}

Progress::~Progress() {
  if (isDrawn)
    *out << "\r\033[K";
}

void Progress::advance(double units) {
  std::lock_guard<std::mutex> lock(mutex);
  done += units;
  double now = clock();
  estimate.advance(units, now);
  draw(now);
}

void Progress::skip(double units) {
  std::lock_guard<std::mutex> lock(mutex);
  done += units;
  draw(clock());
}

void Progress::draw(double now) {
  if (!out || (isDrawn && done < total && now - lastDrawn < kRedrawSeconds))
    return;
  double left = std::max(0.0, total - done);
  *out << "\r\033[K"
       << formatProgress(label, total > 0 ? done / total : 1, now - start,
                         estimate.getSeconds(left));
  out->flush();
  lastDrawn = now;
  isDrawn = true;
}
