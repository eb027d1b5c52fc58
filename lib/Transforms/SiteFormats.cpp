//===- SiteFormats.cpp - Formats assigned to sites, in the IR -------------===//

#include "SiteFormats.h"

#include "ResolveMix.h"
#include "mlir/IR/BuiltinOps.h"
#include "ssmq/Formats/Format.h"
#include "ssmq/Interfaces/QuantizableOpInterface.h"
#include "ssmq/Support/Error.h"

using namespace mlir;
using namespace mlir::ssm;
using llvm::Error;
using llvm::Expected;
using ::ssmq::quote;
using ::ssmq::SiteKind;

/// What the first use is to its op.
static StringRef getRole(const Site &site) {
  OpOperand *use = site.uses.front();
  for (const OperandSite &operand : cast<QuantizableOpInterface>(use->getOwner()).getSites())
    if (operand.operand == use)
      return operand.name;
  return {};
}

static DictionaryAttr getFormats(Operation *op) {
  return op->getAttrOfType<DictionaryAttr>(SSMDialect::kFormatsAttrName);
}

static DenseF32ArrayAttr getRanges(Operation *op, StringRef role) {
  auto ranges = op->getAttrOfType<DictionaryAttr>(SSMDialect::kRangesAttrName);
  return ranges ? ranges.getAs<DenseF32ArrayAttr>(role) : DenseF32ArrayAttr();
}

FormatAttr mlir::ssm::getSiteFormat(const Site &site) {
  if (site.kind == SiteKind::Weight)
    return site.getHolder()->getAttrOfType<FormatAttr>(SSMDialect::kFormatAttrName);
  DictionaryAttr formats = getFormats(site.uses.front()->getOwner());
  return formats ? formats.getAs<FormatAttr>(getRole(site)) : FormatAttr();
}

/// Sets the attribute, or removes it when it is null.
static void setOrRemove(Operation *op, StringRef name, Attribute value) {
  if (value)
    op->setAttr(name, value);
  else
    op->removeAttr(name);
}

/// Sets one entry of a dictionary, or removes it when it is null, and the dictionary with the last.
static void setEntry(Operation *op, StringRef name, StringRef key, Attribute value) {
  auto known = op->getAttrOfType<DictionaryAttr>(name);
  NamedAttrList entries(known ? known : DictionaryAttr::get(op->getContext()));
  if (value)
    entries.set(key, value);
  else
    entries.erase(key);
  setOrRemove(op, name,
              entries.empty() ? DictionaryAttr() : entries.getDictionary(op->getContext()));
}

void mlir::ssm::setSiteFormat(const Site &site, FormatAttr format, DenseF32ArrayAttr ranges) {
  if (site.kind == SiteKind::Weight)
    return setOrRemove(site.getHolder(), SSMDialect::kFormatAttrName, format);
  Operation *op = site.uses.front()->getOwner();
  setEntry(op, SSMDialect::kFormatsAttrName, getRole(site), format);
  setEntry(op, SSMDialect::kRangesAttrName, getRole(site), ranges);
}

Expected<Mix> mlir::ssm::getAssignedFormats(ModuleOp module, ArrayRef<Site> sites) {
  Mix mix;
  // Roles of `ssm.formats` that are no sites.
  DenseMap<Operation *, unsigned> unknown;
  module.walk([&](Operation *op) {
    if (DictionaryAttr formats = getFormats(op))
      unknown[op] = formats.size();
  });
  for (const Site &site : sites) {
    FormatAttr attribute = getSiteFormat(site);
    if (!attribute)
      continue;
    std::shared_ptr<const ::ssmq::Format> format = attribute.getFormat();
    if (Error error = format->checkLayout(site.getLayout(/*tokens=*/1)))
      return ::ssmq::makeError("site {0}: {1}", quote(site.name), toString(std::move(error)));
    SiteChange &change = mix.emplace_back(SiteChange{&site, format, nullptr});
    if (site.kind == SiteKind::Weight)
      continue;
    Operation *op = site.uses.front()->getOwner();
    --unknown[op];
    if (DenseF32ArrayAttr ranges = getRanges(op, getRole(site)))
      if (Error error = setBounds(change, ranges))
        return std::move(error);
  }
  for (auto [op, count] : unknown)
    if (count)
      return ::ssmq::makeError(
          "'{0}' has {1} formats in ssm.formats for values that are no site or "
          "are quantized already",
          op->getName(), count);
  return mix;
}

Error mlir::ssm::applyAssignment(ModuleOp module, const ::ssmq::Assignment &assignment) {
  SmallVector<Site> sites = findSites(module);
  Expected<Mix> mix = SiteIndex(sites).resolve(assignment);
  if (!mix)
    return mix.takeError();
  for (const Site &site : sites)
    setSiteFormat(site, nullptr);
  MLIRContext *context = module.getContext();
  for (const SiteChange &one : *mix)
    setSiteFormat(*one.site, FormatAttr::get(context, one.format->getSpelling()),
                  one.ranges ? DenseF32ArrayAttr::get(context, one.ranges->getBounds())
                             : DenseF32ArrayAttr());
  return Error::success();
}
