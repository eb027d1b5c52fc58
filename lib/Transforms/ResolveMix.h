//===- ResolveMix.h - Assignments at the sites of a module ------*- C++ -*-===//

#ifndef SSMQ_LIB_TRANSFORMS_RESOLVEMIX_H
#define SSMQ_LIB_TRANSFORMS_RESOLVEMIX_H

#include "ssmq/Analysis/MixMeasurement.h"
#include "ssmq/Assign/Assignment.h"

namespace mlir::ssm {

/// Gives a site that has a format the ranges of the bounds, if there are any. Fails when they are
/// not what the format needs.
llvm::Error setBounds(SiteChange &change, ArrayRef<float> bounds);

/// The sites of a module by name.
class SiteIndex {
public:
  /// `sites` must outlive this.
  explicit SiteIndex(ArrayRef<Site> sites);

  /// Fails on an unknown site and on a format that does not fit it.
  llvm::Expected<SiteChange> resolve(StringRef site, StringRef format) const;
  /// Without the sites that are kept; with the ranges that the assignment states.
  llvm::Expected<Mix> resolve(const ::ssmq::Assignment &assignment) const;

private:
  llvm::StringMap<const Site *> byName;
};

} // namespace mlir::ssm

#endif // SSMQ_LIB_TRANSFORMS_RESOLVEMIX_H
