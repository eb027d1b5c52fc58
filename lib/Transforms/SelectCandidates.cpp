//===- SelectCandidates.cpp - Sites and formats by name -------------------===//

#include "SelectCandidates.h"

#include "mlir/IR/BuiltinOps.h"
#include "ssmq/Analysis/SitePerturbation.h"
#include <map>

using namespace mlir;
using namespace mlir::ssm;
using llvm::Error;
using llvm::Expected;
using ::ssmq::SiteKind;

Expected<SmallVector<Site>> mlir::ssm::selectSites(ModuleOp module, ArrayRef<std::string> names) {
  SmallVector<SiteKind> kinds;
  for (const std::string &name : names) {
    std::optional<SiteKind> kind = ::ssmq::parseSiteKind(name);
    if (!kind && name != "all")
      return llvm::createStringError(
          "'" + name +
          "' is no kind of site; there are weight, norm, activation, parameter, "
          "state, cache and all");
    if (kind)
      kinds.push_back(*kind);
    else
      llvm::append_range(kinds, ::ssmq::allSiteKinds);
  }
  if (kinds.empty())
    kinds.push_back(SiteKind::Weight);
  SmallVector<Site> sites = findSites(module, kinds);
  if (sites.empty())
    return llvm::createStringError("the module has no such site that could be quantized");
  return sites;
}

/// "kind=format", or a format for any kind.
static Error addFormat(StringRef text, std::map<SiteKind, FormatList> &formats) {
  auto [name, spelling] = text.split('=');
  std::optional<SiteKind> kind = ::ssmq::parseSiteKind(name);
  auto format = ::ssmq::parseFormat(kind ? spelling : text);
  if (!format)
    return format.takeError();
  for (SiteKind one : ::ssmq::allSiteKinds)
    if (!kind || *kind == one)
      formats[one].push_back(*format);
  return Error::success();
}

Expected<std::vector<FormatList>> mlir::ssm::selectFormats(ArrayRef<std::string> texts,
                                                           ArrayRef<Site> sites) {
  std::map<SiteKind, FormatList> formatsOf;
  for (const std::string &text : texts)
    if (Error error = addFormat(text, formatsOf))
      return std::move(error);
  if (texts.empty())
    for (SiteKind kind : ::ssmq::allSiteKinds)
      for (StringRef spelling : ::ssmq::getDefaultFormats(kind))
        if (Error error = addFormat((getName(kind) + "=" + spelling).str(), formatsOf))
          return std::move(error);
  std::vector<FormatList> result;
  llvm::SmallPtrSet<const ::ssmq::Format *, 8> used;
  for (const Site &site : sites) {
    result.push_back(getDistinctFormats(formatsOf[site.kind], site));
    for (const auto &format : formatsOf[site.kind])
      if (!llvm::errorToBool(format->checkLayout(site.getLayout(/*tokens=*/1))))
        used.insert(format.get());
  }
  for (const auto &[kind, list] : formatsOf)
    for (const auto &format : list)
      if (!texts.empty() && !used.contains(format.get()))
        return llvm::createStringError("'" + format->getSpelling() +
                                       "' fits none of the sites that are measured");
  return result;
}

Error mlir::ssm::dropUnfit(const Interpreter &interpreter, ArrayRef<Site> sites,
                           MutableArrayRef<FormatList> formats) {
  for (auto [site, list] : llvm::zip_equal(sites, formats)) {
    FormatList kept;
    for (const auto &format : list) {
      // Integers hold whatever is finite.
      Expected<bool> fits = format->hasCodes() ? true : canHoldConstant(site, *format, interpreter);
      if (!fits)
        return fits.takeError();
      if (*fits)
        kept.push_back(format);
    }
    list = std::move(kept);
  }
  return Error::success();
}
