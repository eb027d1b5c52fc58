//===- SiteFormats.h - Formats assigned to sites, in the IR -----*- C++ -*-===//
//
// A weight's format is the attribute `ssm.format` of its holder. Any other site's stands in the
// dictionary `ssm.formats` of the op that reads it, under the role of its operand: `input`,
// `state`; ranges that are known stand in `ssm.ranges` under the same role.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_TRANSFORMS_SITEFORMATS_H
#define SSMQ_LIB_TRANSFORMS_SITEFORMATS_H

#include "ssmq/Analysis/MixMeasurement.h"
#include "ssmq/Assign/Assignment.h"
#include "ssmq/Dialect/SSM/IR/SSMDialect.h"

namespace mlir::ssm {

/// Null when the site has none.
FormatAttr getSiteFormat(const Site &site);
/// Null takes it away. Ranges, which may be null, are of a static format.
void setSiteFormat(const Site &site, FormatAttr format, DenseF32ArrayAttr ranges = {});

/// The sites that have a format, each with it and the ranges that are known. Fails on a format or
/// ranges that do not fit their site and on those of a role that its op does not have.
llvm::Expected<Mix> getAssignedFormats(ModuleOp module, ArrayRef<Site> sites);

/// Gives every site the format that the assignment says, and takes it from sites that it leaves out
/// or keeps. Fails, and changes nothing, on an unknown site or a format that does not fit it.
llvm::Error applyAssignment(ModuleOp module, const ::ssmq::Assignment &assignment);

} // namespace mlir::ssm

#endif // SSMQ_LIB_TRANSFORMS_SITEFORMATS_H
