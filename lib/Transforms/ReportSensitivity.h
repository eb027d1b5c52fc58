//===- ReportSensitivity.h - The table in remarks and in the IR -*- C++ -*-===//
//
// Both speak of a row at the op that holds its site (Site::getHolder). Numbers that are not known
// are left out.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_TRANSFORMS_REPORTSENSITIVITY_H
#define SSMQ_LIB_TRANSFORMS_REPORTSENSITIVITY_H

#include "ssmq/Analysis/Sites.h"
#include "ssmq/Measure/SensitivityTable.h"

namespace mlir::ssm {

/// Analysis remarks of the category ssmq-sensitivity; costs nothing where nobody listens.
void remarkSensitivity(ArrayRef<Site> sites, const ::ssmq::SensitivityTable &table);

/// In one line, how many candidates overflow; nothing where none does.
void warnOfUnusable(Operation *op, const ::ssmq::SensitivityTable &table);

/// Sets `ssm.sensitivity`, an array of dictionaries {site, format, bytes, kl, error,
/// predicted, unusable}.
void annotateSensitivity(ArrayRef<Site> sites, const ::ssmq::SensitivityTable &table);

} // namespace mlir::ssm

#endif // SSMQ_LIB_TRANSFORMS_REPORTSENSITIVITY_H
