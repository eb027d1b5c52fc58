//===- SiteRanges.h - Ranges of static formats at sites ---------*- C++ -*-===//

#ifndef SSMQ_ANALYSIS_SITERANGES_H
#define SSMQ_ANALYSIS_SITERANGES_H

#include "ssmq/Analysis/SequenceSweep.h"
#include <map>

namespace mlir::ssm {

/// What the teacher's runs on calibration sequences say of the values at sites. Sites are known by
/// their address.
class SiteRanges {
public:
  /// Asks for the range of a static format at a site; does nothing for others.
  void want(const Site &site, const ::ssmq::Format &format);

  /// Observes what was asked for since the last call, in the run on each sequence.
  llvm::Error observe(size_t numSequences,
                      llvm::function_ref<llvm::Expected<const SequenceSweep *>(size_t)> getSweep,
                      unsigned threads);

  /// Null for a format that needs no range; a range that is needed must have been observed.
  std::shared_ptr<const ::ssmq::StaticRanges> get(const Site &site,
                                                  const ::ssmq::Format &format) const;

private:
  /// Of a site, by StaticRanges::getKey.
  using Ranges =
      std::map<std::pair<const Site *, std::string>, std::shared_ptr<::ssmq::StaticRanges>>;

  Ranges observed, wanted;
};

} // namespace mlir::ssm

#endif // SSMQ_ANALYSIS_SITERANGES_H
