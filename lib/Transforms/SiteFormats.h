//===- SiteFormats.h - Formats assigned to sites, in the IR -----*- C++ -*-===//
//
// A weight's format is the attribute `ssm.format` of its holder. Any other site's stands in the
// dictionary `ssm.formats` of the op that reads it, under the role of its operand: `input`,
// `state`.
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
/// Null takes it away.
void setSiteFormat(const Site &site, FormatAttr format);

/// The sites that have a format, each with it. Fails on a format that does not fit its site and on
/// one of a role that its op does not have.
llvm::Expected<Mix> getAssignedFormats(ModuleOp module, ArrayRef<Site> sites);

/// Gives every site the format that the assignment says, and takes it from sites that it leaves out
/// or keeps. Fails, and changes nothing, on an unknown site or a format that does not fit it.
llvm::Error applyAssignment(ModuleOp module, const ::ssmq::Assignment &assignment);

} // namespace mlir::ssm

#endif // SSMQ_LIB_TRANSFORMS_SITEFORMATS_H
