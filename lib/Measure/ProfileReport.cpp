//===- ProfileReport.cpp - Where the time of a program goes ---------------===//

#include "ssmq/Measure/ProfileReport.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include <tuple>

using namespace ssmq;
using llvm::StringRef;

/// backbone.layers.3.mixer.in_proj -> backbone.layers.3; a path without a number stays whole.
static StringRef getLayer(StringRef path) {
  for (size_t at = 0; at < path.size();) {
    size_t end = std::min(path.find('.', at), path.size());
    if (llvm::all_of(path.slice(at, end), llvm::isDigit) && end > at)
      return path.take_front(end);
    at = end + 1;
  }
  return path;
}

namespace {
/// Sums by name in the order of their first call.
class Sums {
public:
  void add(StringRef name, const ProfiledOp &op, const ProfiledStep &step,
           const ProfiledCall &call) {
    auto [known, inserted] = numbers.try_emplace(name, sums.size());
    if (inserted)
      sums.push_back({name.str()});
    ProfileSum &sum = sums[known->second];
    int64_t multiplyAdds = op.getMultiplyAdds(step.tokens, step.position);
    ++sum.calls;
    sum.nanoseconds += call.end - call.begin;
    sum.bytes += op.getBytes(step.tokens, step.position);
    sum.multiplyAdds += multiplyAdds;
    if (op.kind == "integer_linear")
      sum.integerMultiplyAdds += multiplyAdds;
  }
  std::vector<ProfileSum> take() { return std::move(sums); }
  std::vector<ProfileSum> takeCostliestFirst() {
    llvm::sort(sums, [](const ProfileSum &a, const ProfileSum &b) {
      return std::tie(b.nanoseconds, a.name) < std::tie(a.nanoseconds, b.name);
    });
    return std::move(sums);
  }

private:
  llvm::StringMap<size_t> numbers;
  std::vector<ProfileSum> sums;
};
} // namespace

std::vector<ProfilePhase> ssmq::summarize(llvm::ArrayRef<ProfiledOp> ops,
                                          llvm::ArrayRef<ProfiledStep> steps) {
  std::vector<ProfilePhase> phases;
  for (const ProfiledStep &first : steps) {
    if (llvm::any_of(phases, [&](const ProfilePhase &phase) { return phase.name == first.phase; }))
      continue;
    ProfilePhase &phase = phases.emplace_back();
    phase.name = first.phase;
    Sums kinds, layers, single;
    for (const ProfiledStep &step : steps) {
      if (step.phase != phase.name)
        continue;
      ++phase.steps;
      phase.tokens += step.tokens;
      phase.nanoseconds += step.end - step.begin;
      for (const ProfiledCall &call : step.calls) {
        const ProfiledOp &op = ops[call.op];
        kinds.add(op.kind, op, step, call);
        layers.add(op.path.empty() ? "(unnamed)" : getLayer(op.path), op, step, call);
        single.add(op.path + " " + op.kernel, op, step, call);
      }
    }
    phase.kinds = kinds.takeCostliestFirst();
    phase.layers = layers.take();
    phase.ops = single.takeCostliestFirst();
  }
  return phases;
}

/// A rate in 1e9 a second, and its percentage of a peak in parentheses.
static std::string formatRate(double amount, double nanoseconds, double peak) {
  if (amount == 0 || nanoseconds == 0)
    return "";
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << llvm::format("%.1f", amount / nanoseconds);
  if (peak > 0)
    stream << llvm::format(" (%.0f%%)", 100e9 * amount / nanoseconds / peak);
  return text;
}

static void printRow(StringRef name, double calls, double nanoseconds, double share,
                     const std::string &megabytes, const std::string &bandwidth,
                     const std::string &arithmetic, llvm::raw_ostream &stream) {
  stream << llvm::format("  %-56s %7.0f %10.1f %5.1f%% %10s %13s %15s\n",
                         name.take_back(56).str().c_str(), calls, nanoseconds / 1e3, 100 * share,
                         megabytes.c_str(), bandwidth.c_str(), arithmetic.c_str());
}

static void printTable(StringRef title, llvm::ArrayRef<ProfileSum> sums, const ProfilePhase &phase,
                       const MachinePeaks &peaks, llvm::raw_ostream &stream) {
  stream << llvm::format("  %-56s %7s %10s %6s %10s %13s %15s\n", title.str().c_str(), "calls",
                         "us", "share", "MB", "GB/s", "G mul-add/s");
  double steps = phase.steps;
  for (const ProfileSum &sum : sums) {
    // Where both kinds of arithmetic meet in a row, no one peak is its limit.
    double peak = sum.integerMultiplyAdds == 0                  ? peaks.floatRate
                  : sum.integerMultiplyAdds == sum.multiplyAdds ? peaks.integerRate
                                                                : 0;
    std::string megabytes;
    llvm::raw_string_ostream(megabytes) << llvm::format("%.3f", sum.bytes / steps / 1e6);
    printRow(sum.name, sum.calls / steps, sum.nanoseconds / steps,
             double(sum.nanoseconds) / phase.nanoseconds, megabytes,
             formatRate(sum.bytes, sum.nanoseconds, peaks.bandwidth),
             formatRate(sum.multiplyAdds, sum.nanoseconds, peak), stream);
  }
}

void ssmq::printProfile(llvm::ArrayRef<ProfilePhase> phases, const MachinePeaks &peaks,
                        llvm::raw_ostream &stream, unsigned numOps) {
  if (peaks.bandwidth > 0)
    stream << llvm::format("peaks: reads %.1f GB/s, f32 %.1f and 8-bit %.1f G mul-add/s\n",
                           peaks.bandwidth / 1e9, peaks.floatRate / 1e9, peaks.integerRate / 1e9);
  for (const ProfilePhase &phase : phases) {
    stream << llvm::format("%s: %lld steps of %lld tokens, %.1f us each\n", phase.name.c_str(),
                           (long long)phase.steps, (long long)(phase.tokens / phase.steps),
                           phase.nanoseconds / 1e3 / phase.steps);
    printTable("kind", phase.kinds, phase, peaks, stream);
    int64_t inside = 0;
    for (const ProfileSum &sum : phase.kinds)
      inside += sum.nanoseconds;
    double between = phase.nanoseconds - inside;
    printRow("between ops", 0, between / phase.steps, between / phase.nanoseconds, "", "", "",
             stream);
    printTable("layer", phase.layers, phase, peaks, stream);
    llvm::ArrayRef<ProfileSum> costliest(phase.ops);
    printTable("op", costliest.take_front(numOps), phase, peaks, stream);
  }
}

void ssmq::writeTrace(llvm::ArrayRef<ProfiledOp> ops, llvm::ArrayRef<ProfiledStep> steps,
                      llvm::raw_ostream &stream) {
  llvm::json::OStream json(stream);
  int64_t start = steps.empty() ? 0 : steps.front().begin;
  auto event = [&](StringRef name, StringRef category, int64_t begin, int64_t end,
                   llvm::function_ref<void()> arguments) {
    json.object([&] {
      json.attribute("name", name);
      json.attribute("cat", category);
      json.attribute("ph", "X");
      json.attribute("pid", 0);
      json.attribute("tid", 0);
      // Microseconds.
      json.attribute("ts", double(begin - start) / 1e3);
      json.attribute("dur", double(end - begin) / 1e3);
      json.attributeObject("args", arguments);
    });
  };
  json.object([&] {
    json.attribute("displayTimeUnit", "ns");
    json.attributeArray("traceEvents", [&] {
      for (const ProfiledStep &step : steps) {
        event(step.phase, "step", step.begin, step.end, [&] {
          json.attribute("tokens", step.tokens);
          json.attribute("position", step.position);
        });
        for (const ProfiledCall &call : step.calls) {
          const ProfiledOp &op = ops[call.op];
          event(op.path.empty() ? op.kind : op.path, op.kind, call.begin, call.end, [&] {
            json.attribute("kernel", op.kernel);
            json.attribute("bytes", op.getBytes(step.tokens, step.position));
            json.attribute("multiply_adds", op.getMultiplyAdds(step.tokens, step.position));
          });
        }
      }
    });
  });
  stream << "\n";
}
