//===- Budget.cpp - How large a model may become --------------------------===//

#include "ssmq/Assign/Budget.h"

#include "ssmq/Support/Error.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include <cmath>

using namespace ssmq;
using llvm::Expected;

namespace {
struct Unit {
  llvm::StringLiteral name;
  double bytes;
};
} // namespace

static constexpr Unit units[] = {
    {"B", 1},    {"kB", 1e3},     {"KB", 1e3},     {"MB", 1e6},
    {"GB", 1e9}, {"KiB", 0x1p10}, {"MiB", 0x1p20}, {"GiB", 0x1p30},
};

Expected<Budget> Budget::parse(llvm::StringRef text) {
  llvm::StringRef spelling = text.trim();
  llvm::StringRef digits = spelling.take_while([](char c) { return llvm::isDigit(c) || c == '.'; });
  llvm::StringRef unit = spelling.drop_front(digits.size()).ltrim();
  double amount = 0;
  if (digits.getAsDouble(amount) || !(amount > 0))
    return makeError("{0} is no budget; write a number above 0 and its unit, such as 4.5bpw, 3MB, "
                     "2.5MiB or 1200000B",
                     quote(text));
  if (unit.empty())
    return makeError("the budget {0} has no unit; write {1}bpw for bits a weight, or {1}MB",
                     quote(text), digits);
  if (unit == "bpw") {
    if (amount <= 64)
      return Budget(amount, true);
    return makeError("the budget {0} is above 64 bits a weight; for bytes write {1}B", quote(text),
                     digits);
  }
  for (const Unit &known : units) {
    if (unit != known.name)
      continue;
    if (amount * known.bytes <= 0x1p60)
      return Budget(amount * known.bytes, false);
    return makeError("the budget {0} is above 2^60 bytes", quote(text));
  }
  return makeError("the budget {0} has an unknown unit; understood are bpw, B, kB, MB, GB, KiB, "
                   "MiB and GiB",
                   quote(text));
}

int64_t Budget::getBytes(const ModelSize &size) const {
  double bytes = perWeight ? amount * static_cast<double>(size.numParameters) / 8 : amount;
  return static_cast<int64_t>(std::floor(std::min(bytes, 0x1p62)));
}

llvm::Error ssmq::checkReachable(int64_t budget, int64_t smallest, const ModelSize &size) {
  if (smallest <= budget)
    return llvm::Error::success();
  return makeError("the budget of {0} bytes ({1:F2} bits a weight) cannot be met: the smallest "
                   "that the measured formats give is {2} bytes ({3:F2})",
                   budget, getBitsPerWeight(budget, size), smallest,
                   getBitsPerWeight(smallest, size));
}

llvm::Error ssmq::checkReachable(int64_t budget, const SensitivityTable &table) {
  llvm::StringMap<int64_t> smallest;
  for (const SiteInfo &site : table.getSites())
    if (site.kind == SiteKind::Weight)
      smallest[site.name] = site.baselineBytes;
  for (const SensitivityRow &row : table.getRows())
    if (auto site = smallest.find(row.candidate.site); site != smallest.end())
      site->second = std::min(site->second, row.bytes);
  int64_t total = table.getModelSize().fixedBytes;
  for (const auto &entry : smallest)
    total += entry.getValue();
  return checkReachable(budget, total, table.getModelSize());
}

double ssmq::getBitsPerWeight(int64_t bytes, const ModelSize &size) {
  return size.numParameters
             ? 8 * static_cast<double>(bytes) / static_cast<double>(size.numParameters)
             : 0;
}
