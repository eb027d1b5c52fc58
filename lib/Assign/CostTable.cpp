//===- CostTable.cpp - How long each format takes on a target -------------===//

#include "ssmq/Assign/CostTable.h"

#include "ssmq/Support/Error.h"
#include "ssmq/Support/JsonFields.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

using namespace ssmq;
using llvm::Error;
using llvm::Expected;

static double readTime(JsonFields &fields, llvm::StringRef key) {
  double time = fields.getNumber(key);
  if (!(time >= 0))
    fields.fail(llvm::formatv("a time of {0} ns cannot be", time).str());
  return time;
}

Expected<CostTable> CostTable::read(llvm::StringRef path) {
  Expected<llvm::json::Value> value = readJsonFile(path);
  if (!value)
    return value.takeError();
  CostTable table;
  table.path = path.str();
  JsonFields fields(*value, path);
  fields.expectDocument("ssmq-cost-table", 1);
  for (auto [i, one] : llvm::enumerate(fields.getArray("entries"))) {
    JsonFields entry(one, llvm::formatv("{0}: entry {1}", path, i).str());
    std::tuple key(entry.getString("op"), entry.getCount("rows"), entry.getCount("columns"),
                   entry.getString("format"));
    Times times{readTime(entry, "decodeNanoseconds"),
                readTime(entry, "prefillNanosecondsPerToken")};
    if (!table.entries.try_emplace(std::move(key), times).second)
      entry.fail("the same op, shape and format came before");
    if (Error error = entry.takeError())
      return error;
  }
  for (auto [i, one] : llvm::enumerate(fields.getArray("sites"))) {
    JsonFields site(one, llvm::formatv("{0}: site {1}", path, i).str());
    SiteOps ops{site.getCount("rows"), site.getCount("columns"), {}};
    for (const llvm::json::Value &op : site.getArray("ops")) {
      if (std::optional<llvm::StringRef> name = op.getAsString())
        ops.ops.push_back(name->str());
      else
        site.fail("an op is no text");
    }
    if (!table.sites.try_emplace(site.getString("site"), std::move(ops)).second)
      site.fail("the same site came before");
    if (Error error = site.takeError())
      return error;
  }
  if (const llvm::json::Object *object = value->getAsObject())
    if (const llvm::json::Value *one = object->get("rest")) {
      JsonFields rest(*one, (path + ": rest").str());
      table.rest = {readTime(rest, "decodeNanoseconds"),
                    readTime(rest, "prefillNanosecondsPerToken")};
      if (Error error = rest.takeError())
        return error;
    }
  if (Error error = fields.takeError())
    return error;
  return table;
}

std::optional<CostTable::Times> CostTable::getTimes(const SiteOps &site,
                                                    llvm::StringRef format) const {
  Times sum;
  for (const std::string &op : site.ops) {
    auto entry = entries.find({op, site.rows, site.columns, format.str()});
    if (entry == entries.end())
      return std::nullopt;
    sum.decode += entry->second.decode;
    sum.prefill += entry->second.prefill;
  }
  return sum;
}

Error CostTable::apply(AssignmentProblem &problem) const {
  problem.hasTimes = true;
  problem.rest.decodeNanoseconds = rest.decode;
  problem.rest.prefillNanoseconds = rest.prefill;
  llvm::StringSet<> chosen;
  for (SiteChoices &site : problem.sites) {
    if (site.kind != SiteKind::Weight)
      continue;
    chosen.insert(site.site);
    auto ops = sites.find(site.site);
    if (ops == sites.end())
      return makeError("{0} does not know {1}; it is of another model", path, quote(site.site));
    std::vector<std::string> missing;
    std::vector<Choice> timed;
    for (Choice &choice : site.choices) {
      std::optional<Times> times = getTimes(ops->second, choice.format);
      if (!times) {
        missing.push_back(choice.format);
        continue;
      }
      choice.decodeNanoseconds = times->decode;
      choice.prefillNanoseconds = times->prefill;
      timed.push_back(std::move(choice));
    }
    if (timed.empty())
      return makeError("{0} has no time for {1} in any of its formats ({2}); time one of them",
                       path, quote(site.site), llvm::join(missing, ", "));
    site.choices = std::move(timed);
  }
  for (const auto &[name, site] : sites)
    if (std::optional<Times> kept = getTimes(site, keepFormat); kept && !chosen.contains(name)) {
      problem.rest.decodeNanoseconds += kept->decode;
      problem.rest.prefillNanoseconds += kept->prefill;
    }
  return Error::success();
}
