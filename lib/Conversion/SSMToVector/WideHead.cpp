//===- WideHead.cpp - The state of a head in f32 --------------------------===//

#include "WideHead.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "ssmq/Formats/Format.h"

using namespace mlir;
using namespace mlir::ssm;

using Values = KernelBuilder::Values;

bool WideHead::hasOneScale(SSDScanOp::Adaptor op) {
  return op.getStateScales() &&
         op.getStateFormatAttr().getFormat()->getSharing().kind == ::ssmq::Sharing::PerHead;
}

WideHead::WideHead(KernelBuilder &k, SSDScanOp::Adaptor op, Value head)
    : k(k), head(head), buffer(op.getState()), index(head), oneScale(hasOneScale(op)),
      stored(k, op.getState(), op.getStateScales(), op.getStateFormatAttr()) {
  auto type = cast<MemRefType>(op.getState().getType());
  headDim = type.getDimSize(1);
  states = type.getDimSize(2);
  isStored = !type.getElementType().isF32();
  if (!isStored)
    return;
  buffer = k.allocate(k.index(1), {headDim, states});
  index = k.index(0);
  Value scale = oneScale ? k.splat(k.loadScalar(op.getStateScales(), {head, index}), 1) : nullptr;
  overRows([&](Value row) {
    auto at = [&](int64_t) { return placeOf(row); };
    StateRows::Rows wide = scale ? stored.load(1, at, scale) : stored.load(1, at);
    for (auto [vector, chunk] : llvm::zip_equal(wide.vectors, stored.getChunks()))
      k.store(k.slice(vector, 0, chunk.count), buffer, {index, row, k.index(chunk.start)});
  });
}

StateRows::Place WideHead::placeOf(Value row) const {
  return {{head, row}, k.add(k.mul(head, headDim), row)};
}

void WideHead::overRows(function_ref<void(Value row)> body) {
  k.loop(k.index(0), k.index(headDim), 1, body);
}

Value WideHead::mostOfHead() {
  StateRows rows(k, buffer, nullptr, nullptr);
  Value none = rows.magnitudeBits(k.zeros(rows.getLanes()));
  auto larger = [&](Value a, Value b) -> Value { return arith::MaxSIOp::create(k, a, b); };
  Values most = k.loop(k.index(0), k.index(headDim), 1, none, [&](Value row, ValueRange before) {
    Value bits = before.front();
    for (Value vector :
         rows.load(1, [&](int64_t) -> StateRows::Place { return {{index, row}, nullptr}; }).vectors)
      bits = larger(bits, rows.magnitudeBits(vector));
    return Values{bits};
  });
  return k.mergeLanes(most, larger);
}

void WideHead::finish() {
  if (!isStored)
    return;
  Value scale = oneScale ? stored.fitScales(mostOfHead()) : nullptr;
  StateRows::Rows wide{{}, scale};
  overRows([&](Value row) {
    auto at = [&](int64_t) { return placeOf(row); };
    wide.vectors.clear();
    for (const StateRows::Chunk &chunk : stored.getChunks())
      wide.vectors.push_back(k.pad(k.load(buffer, {index, row, k.index(chunk.start)}, chunk.count),
                                   stored.getLanes()));
    if (scale)
      stored.storeVectors(wide, 1, at);
    else
      stored.store(wide, 1, at);
  });
  if (scale)
    stored.storeScales(scale, head);
  k.free(buffer);
}
