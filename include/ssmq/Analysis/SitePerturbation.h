//===- SitePerturbation.h - A site stored in a format -----------*- C++ -*-===//

#ifndef SSMQ_ANALYSIS_SITEPERTURBATION_H
#define SSMQ_ANALYSIS_SITEPERTURBATION_H

#include "ssmq/Analysis/Sites.h"
#include "ssmq/Formats/StaticRanges.h"
#include "ssmq/Reference/Interpreter.h"
#include <mutex>

namespace mlir::ssm {

/// Whether a value that a format cannot hold, or one that is not finite, is all that is wrong.
bool cannotBeUsed(const llvm::Error &error);

/// The first thing that goes wrong while values are rounded inside a rerun; thread safe.
class RoundingFault {
public:
  void keep(llvm::Error error);
  /// An error when there is one, an UnusableError where what was kept cannotBeUsed.
  llvm::Error take() const;

private:
  mutable std::mutex mutex;
  std::string message;
  bool isUnusable = false;
};

/// What a rerun sees when a site is stored in a format, and what went wrong while it rounded
/// values.
struct SitePerturbation {
  Perturbation perturbation;
  /// Rounding a state cannot stop the op; ask for it after the rerun.
  std::shared_ptr<RoundingFault> fault = std::make_shared<RoundingFault>();

  llvm::Error takeFault() const { return fault->take(); }
};

/// What is wanted at a site.
struct SiteChange {
  const Site *site = nullptr;
  /// Null for what the program has there without a base.
  std::shared_ptr<const ::ssmq::Format> format;
  /// For static formats, else null; null of these too until they are known.
  std::shared_ptr<const ::ssmq::StaticRanges> ranges;
};

/// Stores the value of a site in a format: the operands read what remains of it, or the op rounds
/// its state after each token. `ranges` is for static formats, else null; it and the format must
/// outlive the result.
llvm::Expected<SitePerturbation>
perturbSite(const Site &site, const ::ssmq::Format &format, const ::ssmq::StaticRanges *ranges,
            const Interpreter &interpreter, const Interpreter::Values &trace, unsigned threads = 1);

/// Stores several sites in formats at a time. Unlike perturbSite, which takes a value from a trace,
/// this rounds what depends on tokens when the rerun reads it, so that changes add up along the
/// program. What `formats` points to must outlive the result.
llvm::Expected<SitePerturbation> perturbSites(ArrayRef<SiteChange> formats,
                                              const Interpreter &interpreter);

/// Whether the format can hold the values of a site that depends on weights alone; true of others,
/// whose values are not known before a run. Fails when they are not finite.
llvm::Expected<bool> canHoldConstant(const Site &site, const ::ssmq::Format &format,
                                     const Interpreter &interpreter);

/// Adds to `ranges` what the site holds in the run.
llvm::Error observeSite(const Site &site, const Interpreter &interpreter,
                        const Interpreter::Values &trace, ::ssmq::StaticRanges &ranges);

} // namespace mlir::ssm

#endif // SSMQ_ANALYSIS_SITEPERTURBATION_H
