//===- RowRounding.cpp - States rounded behind a token --------------------===//

#include "RowRounding.h"

#include "ssmq/Formats/Format.h"
#include "ssmq/Formats/StaticRanges.h"

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::Sharing;

bool RowRounding::handles(const ::ssmq::Format &format) {
  return RunGrids::handles(format.getNumerics());
}

RowRounding::RowRounding(KernelBuilder &k, const StateRows &rows, const ::ssmq::Format &format,
                         ArrayRef<float> ranges)
    : k(k), rows(rows), rounding(k, format.getNumerics()),
      isShared(rounding.hasGrids() && !format.needsRanges() &&
               format.getSharing().kind == Sharing::PerTensor) {
  if (!format.needsRanges())
    return;
  std::vector<::ssmq::RunGrid> grids = ::ssmq::fitGrids(format, ranges);
  table = rounding.makeTable(grids);
  numGrids = static_cast<int64_t>(grids.size());
  if (format.getSharing().kind == Sharing::Group)
    gridsPerRow = rows.getChunks().back().run + 1;
}

RowRounding::Grids RowRounding::loadGrids(Value row) {
  Grids grids;
  if (!table)
    return grids;
  Value first = numGrids == 1 ? k.index(0) : k.mul(row, gridsPerRow);
  for (int64_t run = 0; run < gridsPerRow; ++run)
    grids.push_back(rounding.loadGrid(table, k.add(first, run), /*lanes=*/0));
  return grids;
}

RowRounding::Grids RowRounding::fitRuns(ArrayRef<Value> row) {
  Grids grids;
  if (!rounding.hasGrids())
    return {Grid()};
  ArrayRef<StateRows::Chunk> chunks = rows.getChunks();
  for (size_t i = 0; i < row.size();) {
    int64_t run = chunks[i].run;
    Values range = startRange();
    for (; i < row.size() && chunks[i].run == run; ++i)
      range = rounding.addToRange(range, row[i]);
    grids.push_back(fit(range));
  }
  return grids;
}

RowRounding::Values RowRounding::addToRange(ValueRange range, ArrayRef<Value> row) {
  Values all(range);
  for (Value vector : row)
    all = rounding.addToRange(all, vector);
  return all;
}

void RowRounding::round(MutableArrayRef<Value> row, const Grids &known) {
  Grids grids = known.empty() ? fitRuns(row) : known;
  for (auto [vector, chunk] : llvm::zip_equal(row, rows.getChunks()))
    vector = rounding.round(vector, grids.size() == 1 ? grids.front() : grids[chunk.run]);
}
