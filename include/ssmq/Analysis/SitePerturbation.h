//===- SitePerturbation.h - A site stored in a format -----------*- C++ -*-===//

#ifndef SSMQ_ANALYSIS_SITEPERTURBATION_H
#define SSMQ_ANALYSIS_SITEPERTURBATION_H

#include "ssmq/Analysis/Sites.h"
#include "ssmq/Formats/StaticRanges.h"
#include "ssmq/Reference/Interpreter.h"

namespace mlir::ssm {

/// What a rerun sees when a site is stored in a format, and what went wrong while it rounded
/// states.
struct SitePerturbation {
  Perturbation perturbation;
  /// Rounding a state cannot stop the op; ask for it after the rerun.
  std::shared_ptr<std::string> fault = std::make_shared<std::string>();

  llvm::Error takeFault() const;
};

/// Stores the value of a site in a format: the operands read what remains of it, or the op rounds
/// its state after each token. `ranges` is for static formats, else null; it and the format must
/// outlive the result.
llvm::Expected<SitePerturbation>
perturbSite(const Site &site, const ::ssmq::Format &format, const ::ssmq::StaticRanges *ranges,
            const Interpreter &interpreter, const Interpreter::Values &trace, unsigned threads = 1);

/// Whether the format can hold the values of a site that depends on weights alone; true of others,
/// whose values are not known before a run. Fails when they are not finite.
llvm::Expected<bool> canHoldConstant(const Site &site, const ::ssmq::Format &format,
                                     const Interpreter &interpreter);

/// Adds to `ranges` what the site holds in the run.
llvm::Error observeSite(const Site &site, const Interpreter &interpreter,
                        const Interpreter::Values &trace, ::ssmq::StaticRanges &ranges);

} // namespace mlir::ssm

#endif // SSMQ_ANALYSIS_SITEPERTURBATION_H
