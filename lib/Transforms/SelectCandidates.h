//===- SelectCandidates.h - Sites and formats by name -----------*- C++ -*-===//

#ifndef SSMQ_TRANSFORMS_SELECTCANDIDATES_H
#define SSMQ_TRANSFORMS_SELECTCANDIDATES_H

#include "ssmq/Analysis/SensitivitySweep.h"

namespace mlir::ssm {

/// The sites of the kinds of these names; "all" names every kind, and none stands for weights.
/// Fails when there are no such kinds or sites.
llvm::Expected<SmallVector<Site>> selectSites(ModuleOp module, ArrayRef<std::string> names);

/// The formats of each site from texts `kind=format`, or `format` for any kind; none stands for the
/// default formats of each kind. Fails when a text is no format or fits no site.
llvm::Expected<std::vector<FormatList>> selectFormats(ArrayRef<std::string> texts,
                                                      ArrayRef<Site> sites);

/// Leaves out formats that cannot hold the constant values of a site, such as log2 where signs
/// differ.
llvm::Error dropUnfit(const Interpreter &interpreter, ArrayRef<Site> sites,
                      MutableArrayRef<FormatList> formats);

} // namespace mlir::ssm

#endif // SSMQ_TRANSFORMS_SELECTCANDIDATES_H
