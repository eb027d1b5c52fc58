//===- ResolveMix.cpp - Assignments at the sites of a module --------------===//

#include "ResolveMix.h"

#include "ssmq/Formats/Format.h"
#include "ssmq/Support/Error.h"

using namespace mlir;
using namespace mlir::ssm;
using llvm::Error;
using llvm::Expected;
using ::ssmq::quote;

SiteIndex::SiteIndex(ArrayRef<Site> sites) {
  for (const Site &site : sites)
    byName[site.name] = &site;
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
    if (change->format)
      mix.push_back(std::move(*change));
  }
  return mix;
}
