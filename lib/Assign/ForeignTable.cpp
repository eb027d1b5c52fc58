//===- ForeignTable.cpp - Choices from CSV --------------------------------===//

#include "ssmq/Assign/ForeignTable.h"

#include "CsvReader.h"
#include "ssmq/Support/Error.h"
#include "ssmq/Support/File.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace ssmq;
using llvm::Error;
using llvm::Expected;

bool ssmq::isCsv(llvm::StringRef path) { return path.ends_with_insensitive(".csv"); }

namespace {

class Reader {
public:
  Reader(const CsvTable &table, const ForeignOptions &options) : table(table), options(options) {}

  Expected<AssignmentProblem> read();

private:
  Error readPaperLine(size_t line);
  Error readOwnLine(size_t line);
  Error add(size_t line, llvm::StringRef site, Choice choice);
  /// Adds a site that is new.
  SiteChoices &getSite(llvm::StringRef site);
  Error readNumber(size_t line, llvm::StringRef column, double &number) const;
  Error readBytes(size_t line, llvm::StringRef column, int64_t &bytes) const;
  void finishPerplexities();
  Error checkWanted() const;

  const CsvTable &table;
  const ForeignOptions &options;
  AssignmentProblem problem;
  llvm::StringMap<size_t> sites;
  double leastPerplexity = std::numeric_limits<double>::infinity();
};

} // namespace

Error Reader::readNumber(size_t line, llvm::StringRef column, double &number) const {
  if (!table.has(column))
    return Error::success();
  Expected<double> value = table.getNumber(line, column);
  if (!value)
    return value.takeError();
  number = *value;
  return Error::success();
}

Error Reader::readBytes(size_t line, llvm::StringRef column, int64_t &bytes) const {
  if (table.get(line, column).getAsInteger(10, bytes) || bytes < 0)
    return makeError("{0}: {1} in column {2} is no number of them", table.getPlace(line),
                     quote(table.get(line, column)), quote(column));
  return Error::success();
}

SiteChoices &Reader::getSite(llvm::StringRef site) {
  auto [at, isNew] = sites.try_emplace(site, problem.sites.size());
  if (isNew)
    problem.sites.push_back({site.str(), {}});
  return problem.sites[at->second];
}

Error Reader::add(size_t line, llvm::StringRef site, Choice choice) {
  if (!std::isfinite(choice.cost))
    return makeError("{0}: {1} as {2}: its KL is not a number; leave the line out or measure again",
                     table.getPlace(line), quote(site), quote(choice.format));
  std::vector<Choice> &choices = getSite(site).choices;
  if (llvm::any_of(choices, [&](const Choice &one) { return one.format == choice.format; }))
    return makeError("{0}: {1} as {2} comes twice", table.getPlace(line), quote(site),
                     quote(choice.format));
  choice.cost = std::max(0.0, choice.cost);
  choices.push_back(std::move(choice));
  return Error::success();
}

Error Reader::readPaperLine(size_t line) {
  Choice choice;
  unsigned bits = 0;
  if (table.get(line, "bits").getAsInteger(10, bits) || bits < 1 || bits > 16)
    return makeError("{0}: {1} bits are none of 1 to 16", table.getPlace(line),
                     quote(table.get(line, "bits")));
  choice.format = "int" + std::to_string(bits);
  if (Error error = readNumber(line, "kl_q_p_per_token", choice.reverseKL))
    return error;
  choice.cost = choice.reverseKL;
  double perplexity = std::numeric_limits<double>::quiet_NaN();
  if (Error error = readNumber(line, "perplexity", perplexity))
    return error;
  if (perplexity <= 0)
    return makeError("{0}: a perplexity of {1} cannot be", table.getPlace(line), perplexity);
  if (perplexity < leastPerplexity)
    leastPerplexity = perplexity;
  // The original's logarithm is taken off when all lines are known.
  choice.crossEntropyChange = std::log(perplexity);
  return add(line, table.get(line, "layer"), std::move(choice));
}

Error Reader::readOwnLine(size_t line) {
  if (table.get(line, "kind") != getName(SiteKind::Weight))
    return Error::success();
  Choice choice;
  choice.format = table.get(line, "format").str();
  int64_t elements = 0;
  if (Error error = readBytes(line, "bytes", choice.bytes))
    return error;
  if (Error error = readBytes(line, "elements", elements))
    return error;
  if (Error error = readNumber(line, "forwardKL", choice.cost))
    return error;
  if (Error error = readNumber(line, "reverseKL", choice.reverseKL))
    return error;
  if (Error error = readNumber(line, "crossEntropyChange", choice.crossEntropyChange))
    return error;
  // A quote stands before what a spreadsheet would run.
  llvm::StringRef site = table.get(line, "site");
  site.consume_front("'");
  if (!sites.contains(site) &&
      llvm::AddOverflow(problem.size.numParameters, elements, problem.size.numParameters))
    return makeError("{0}: so many elements cannot be", table.getPlace(line));
  if (table.has("method") && table.get(line, "method") == "unusable") {
    getSite(site);
    return Error::success();
  }
  return add(line, site, std::move(choice));
}

void Reader::finishPerplexities() {
  double original = std::log(options.perplexity.value_or(leastPerplexity));
  for (SiteChoices &site : problem.sites)
    for (Choice &choice : site.choices)
      choice.crossEntropyChange -= original;
}

Error Reader::checkWanted() const {
  for (const std::string &format : options.formats)
    if (llvm::none_of(problem.sites, [&](const SiteChoices &site) {
          return llvm::any_of(site.choices,
                              [&](const Choice &choice) { return choice.format == format; });
        }))
      return makeError("the table has no format {0}; measure it first", quote(format));
  return Error::success();
}

Expected<AssignmentProblem> Reader::read() {
  auto hasAll = [&](std::initializer_list<llvm::StringRef> columns) {
    return llvm::all_of(columns, [&](llvm::StringRef column) { return table.has(column); });
  };
  const bool isPaper = hasAll({"layer", "bits", "kl_q_p_per_token"});
  if (!isPaper && !hasAll({"site", "kind", "format", "bytes", "elements", "forwardKL"}))
    return makeError("the CSV has neither the columns layer, bits and kl_q_p_per_token nor those "
                     "that `ssmq export` writes");
  for (size_t line = 0; line < table.size(); ++line)
    if (Error error = isPaper ? readPaperLine(line) : readOwnLine(line))
      return error;
  if (isPaper)
    finishPerplexities();
  if (Error error = checkWanted())
    return error;
  problem.hasSizes = !isPaper && !options.allowKeep;
  for (SiteChoices &site : problem.sites) {
    if (!options.formats.empty())
      llvm::erase_if(site.choices, [&](const Choice &choice) {
        return !llvm::is_contained(options.formats, choice.format);
      });
    if (!options.allowKeep)
      continue;
    Choice &kept = site.choices.emplace_back();
    kept.format = keepFormat.str();
    kept.reverseKL = kept.crossEntropyChange = 0;
  }
  if (Error error = checkProblem(problem))
    return error;
  return std::move(problem);
}

Expected<AssignmentProblem> ssmq::readForeignTable(llvm::StringRef path,
                                                   const ForeignOptions &options) {
  Expected<std::shared_ptr<const MappedFile>> file = MappedFile::open(path);
  if (!file)
    return file.takeError();
  Expected<CsvTable> table = CsvTable::parse((*file)->getBytes(), path);
  if (!table)
    return table.takeError();
  return Reader(*table, options).read();
}
