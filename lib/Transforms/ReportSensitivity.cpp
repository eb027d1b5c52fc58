//===- ReportSensitivity.cpp - The table in remarks and in the IR ---------===//

#include "ReportSensitivity.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Remarks.h"
#include "ssmq/Dialect/SSM/IR/SSMDialect.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::SensitivityRow;
using ::ssmq::SensitivityTable;

static constexpr llvm::StringLiteral kCategory = "ssmq-sensitivity";
static constexpr llvm::StringLiteral kAttributeName = "ssm.sensitivity";

/// Rows in the order of the table, with the holder of their site.
static std::vector<std::pair<Operation *, SensitivityRow>>
getHeldRows(ArrayRef<Site> sites, const SensitivityTable &table) {
  llvm::StringMap<Operation *> holders;
  for (const Site &site : sites)
    holders[site.name] = site.getHolder();
  std::vector<std::pair<Operation *, SensitivityRow>> result;
  for (SensitivityRow &row : table.getRows())
    if (Operation *holder = holders.lookup(row.candidate.site))
      result.emplace_back(holder, std::move(row));
  return result;
}

void mlir::ssm::remarkSensitivity(ArrayRef<Site> sites, const SensitivityTable &table) {
  using Arg = remark::detail::Remark::Arg;
  for (auto &[holder, row] : getHeldRows(sites, table)) {
    // The engine may keep a remark, and of those with one name and location only the last; the
    // context keeps the name.
    auto name =
        StringAttr::get(holder->getContext(), row.candidate.site + " in " + row.candidate.format);
    auto parent = holder->getParentOfType<FunctionOpInterface>();
    auto report = remark::analysis(holder->getLoc(),
                                   remark::RemarkOpts::name(name).category(kCategory).function(
                                       parent ? parent.getName() : StringRef()));
    if (!report)
      return;
    report << Arg("Site", row.candidate.site) << Arg("Format", row.candidate.format)
           << Arg("Bytes", row.bytes) << Arg("Method", row.isPredicted ? "predicted" : "measured");
    auto addNumber = [&](StringRef key, double number) {
      if (std::isfinite(number))
        report << Arg(key, llvm::formatv("{0:e6}", number).str());
    };
    addNumber("KL", row.estimate.forwardKL.mean);
    addNumber("StandardError", row.estimate.forwardKL.standardError);
    if (row.isUnusable)
      report << Arg("Unusable", "overflows");
  }
}

void mlir::ssm::warnOfUnusable(Operation *op, const SensitivityTable &table) {
  std::vector<SensitivityRow> rows = table.getRows();
  auto isUnusable = [](const SensitivityRow &row) { return row.isUnusable; };
  auto first = llvm::find_if(rows, isUnusable);
  if (first != rows.end())
    emitWarning(op->getLoc()) << llvm::count_if(rows, isUnusable) << " of " << rows.size()
                              << " candidates overflow and cannot be used, "
                              << first->candidate.site << " as " << first->candidate.format
                              << " first";
}

void mlir::ssm::annotateSensitivity(ArrayRef<Site> sites, const SensitivityTable &table) {
  llvm::MapVector<Operation *, SmallVector<Attribute>> lists;
  for (auto &[holder, row] : getHeldRows(sites, table)) {
    Builder builder(holder->getContext());
    NamedAttrList fields;
    fields.set("site", builder.getStringAttr(row.candidate.site));
    fields.set("format", FormatAttr::get(builder.getContext(), row.candidate.format));
    fields.set("bytes", builder.getI64IntegerAttr(row.bytes));
    if (std::isfinite(row.estimate.forwardKL.mean))
      fields.set("kl", builder.getF64FloatAttr(row.estimate.forwardKL.mean));
    if (std::isfinite(row.estimate.forwardKL.standardError))
      fields.set("error", builder.getF64FloatAttr(row.estimate.forwardKL.standardError));
    if (row.isPredicted)
      fields.set("predicted", builder.getUnitAttr());
    if (row.isUnusable)
      fields.set("unusable", builder.getUnitAttr());
    lists[holder].push_back(fields.getDictionary(builder.getContext()));
  }
  for (auto &[holder, list] : lists)
    holder->setAttr(kAttributeName, ArrayAttr::get(holder->getContext(), list));
}
