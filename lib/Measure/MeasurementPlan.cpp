//===- MeasurementPlan.cpp - Which cells are worth a measurement ----------===//

#include "ssmq/Measure/MeasurementPlan.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include <cmath>

using namespace ssmq;
using llvm::SmallVector;

static SmallVector<size_t> listFormats(const SiteCells &site) {
  return llvm::to_vector(llvm::seq<size_t>(0, site.getNumFormats()));
}

/// The format of the largest local error on the first sequence; the first of equals.
static size_t getAnchor(const SiteCells &site) {
  size_t anchor = 0;
  for (size_t format = 1; format < site.getNumFormats(); ++format)
    if (site.at(format, 0).localError > site.at(anchor, 0).localError)
      anchor = format;
  return anchor;
}

/// That of the smallest local error that is not zero, if it is not the anchor.
static std::optional<size_t> getOpposite(const SiteCells &site, size_t anchor) {
  std::optional<size_t> opposite;
  for (size_t format = 0; format < site.getNumFormats(); ++format) {
    std::optional<double> error = site.at(format, 0).localError;
    if (format != anchor && error > 0.0 && (!opposite || error < site.at(*opposite, 0).localError))
      opposite = format;
  }
  return opposite;
}

bool MeasurementPlan::usesCuts() const {
  // Two probes that agree.
  double freedom = 1;
  double atBest = priorCutError * std::sqrt(priorWeight / (priorWeight + freedom) * 3 / 2);
  return !measuresAll() && std::hypot(atBest, priorGainError) <= precision;
}

SmallVector<MeasurementPlan::Probe> MeasurementPlan::chooseProbes(Siblings siblings) const {
  std::optional<Probe> largest, smallest;
  auto getError = [&](Probe probe) {
    return *siblings[probe.site]->at(probe.format, 0).localError;
  };
  auto forEachChange = [&](auto visit) {
    for (size_t site = 0; site < siblings.size(); ++site)
      for (size_t format = 0; format < siblings[site]->getNumFormats(); ++format)
        if (Probe probe{site, format}; siblings[site]->at(format, 0).localError > 0.0)
          visit(probe);
  };
  forEachChange([&](Probe probe) {
    if (!largest || getError(probe) > getError(*largest))
      largest = probe;
  });
  forEachChange([&](Probe probe) {
    if (probe.site != largest->site && (!smallest || getError(probe) < getError(*smallest)))
      smallest = probe;
  });
  SmallVector<Probe> probes;
  for (const std::optional<Probe> &probe : {largest, smallest})
    if (probe)
      probes.push_back(*probe);
  return probes;
}

bool MeasurementPlan::predictsSiblings(Siblings siblings) const {
  RelativeErrors errors = estimateErrors(siblings);
  return std::hypot(errors.format, errors.gain) <= precision;
}

SmallVector<size_t> MeasurementPlan::chooseLocal(const SiteCells &site, size_t sequence) const {
  if (measuresAll())
    return {};
  if (sequence == 0)
    return listFormats(site);
  return {getAnchor(site)};
}

SmallVector<size_t> MeasurementPlan::chooseMeasured(const SiteCells &site, size_t sequence) const {
  if (measuresAll())
    return listFormats(site);
  size_t anchor = getAnchor(site);
  if (!(site.at(anchor, 0).localError > 0.0))
    return {}; // no format changes anything
  if (sequence > 0) {
    RelativeErrors errors = estimateErrors(site);
    if (std::hypot(errors.format, errors.gain) <= precision)
      return {};
  }
  SmallVector<size_t> formats = {anchor};
  if (sequence == 0)
    if (std::optional<size_t> opposite = getOpposite(site, anchor))
      formats.push_back(*opposite);
  return formats;
}

bool MeasurementPlan::needsAll(const SiteCells &site) const {
  if (measuresAll() || site.getNumFormats() == 0)
    return false;
  RelativeErrors errors = estimateErrors(site);
  // Without a divergence there is no gain, and nothing tells what the other formats do.
  bool hasGain = std::isfinite(errors.gain);
  bool changes = site.at(getAnchor(site), 0).localError > 0.0;
  return errors.format > precision || (changes && !hasGain);
}
