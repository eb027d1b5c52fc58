//===- ResolveMix.cpp - Assignments at the sites of a module --------------===//

#include "ResolveMix.h"

#include "ssmq/Formats/Format.h"
#include "ssmq/Support/Error.h"

using namespace mlir;
using namespace mlir::ssm;
using llvm::Error;
using llvm::Expected;
using ::ssmq::quote;
using ::ssmq::StaticRanges;

SiteIndex::SiteIndex(ArrayRef<Site> sites) {
  for (const Site &site : sites)
    byName[site.name] = &site;
}

Error mlir::ssm::setBounds(SiteChange &change, ArrayRef<float> bounds) {
  if (bounds.empty())
    return Error::success();
  if (Error error =
          StaticRanges::checkBounds(*change.format, change.site->getLayout(/*tokens=*/1), bounds))
    return ::ssmq::makeError("bounds of site {0}: {1}", quote(change.site->name),
                             llvm::toString(std::move(error)));
  change.ranges =
      std::make_shared<const StaticRanges>(StaticRanges::fromBounds(*change.format, bounds));
  return Error::success();
}

Expected<SiteChange> SiteIndex::resolve(StringRef name, StringRef format) const {
  const Site *site = byName.lookup(name);
  if (!site)
    return ::ssmq::makeError("the assignment names site {0}, which the module does not have",
                             quote(name));
  if (format == ::ssmq::keepFormat)
    return SiteChange{site, nullptr, nullptr};
  auto parsed = ::ssmq::parseFormat(format);
  if (!parsed)
    return parsed.takeError();
  if (Error error = (*parsed)->checkLayout(site->getLayout(/*tokens=*/1)))
    return ::ssmq::makeError("site {0}: {1}", quote(name), llvm::toString(std::move(error)));
  return SiteChange{site, *parsed, nullptr};
}

Expected<Mix> SiteIndex::resolve(const ::ssmq::Assignment &assignment) const {
  Mix mix;
  for (const ::ssmq::SiteFormat &one : assignment.sites) {
    Expected<SiteChange> change = resolve(one.site, one.format);
    if (!change)
      return change.takeError();
    if (!change->format && !one.bounds.empty())
      return ::ssmq::makeError("site {0} is kept and takes no bounds", quote(one.site));
    if (!change->format)
      continue;
    if (Error error = setBounds(*change, one.bounds))
      return std::move(error);
    mix.push_back(std::move(*change));
  }
  return mix;
}
