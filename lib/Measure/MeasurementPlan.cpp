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
