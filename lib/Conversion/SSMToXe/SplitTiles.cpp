//===- SplitTiles.cpp - Tiles of a weight for one token -------------------===//

#include "SplitTiles.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::ssm;

/// Sub-groups that run at the same time on Lunar Lake: 64 vector engines of 8 threads each. Fewer
/// leave memory waiting.
static constexpr int64_t kWantedSubgroups = 512;

SplitTiles::SplitTiles(int64_t tiles) : tiles(tiles) {
  while (parts < XeBuilder::kSubgroups && tiles * parts < kWantedSubgroups)
    parts *= 2;
}

int64_t SplitTiles::getGroups() const {
  return llvm::divideCeilSigned(tiles * parts, XeBuilder::kSubgroups);
}

void SplitTiles::emit(XeBuilder &k, Value group, int64_t chunks,
                      function_ref<Value(Value, Value, Value)> add,
                      function_ref<void(Value, Value)> store) const {
  int64_t tilesOfGroup = XeBuilder::kSubgroups / parts;
  Value number = k.add(k.mul(group, tilesOfGroup), k.floorDiv(k.subgroup, parts));
  Value part = k.rem(k.subgroup, parts), isTile = k.isLess(number, k.index(tiles));
  // All sub-groups come to the barrier, so those without a tile sum one that others have.
  Value tile = arith::SelectOp::create(k, isTile, number, k.index(tiles - 1));
  Value sum =
      k.loop(part, k.index(chunks), k.index(parts), {k.f32(0)}, [&](Value chunk, ValueRange sums) {
        return XeBuilder::Values{add(tile, chunk, sums[0])};
      })[0];
  if (parts == 1)
    return k.ifThen(isTile, [&] { store(tile, sum); });
  Place sums = k.local(k.getF32Type(), {XeBuilder::kSubgroups, XeBuilder::kLanes});
  k.store(sum, sums, {k.subgroup, k.lane});
  k.barrier();
  Value isFirst = k.isEqual(part, k.index(0));
  k.ifThen(arith::AndIOp::create(k, isTile, isFirst), [&] {
    Value all = sum;
    for (int64_t i = 1; i < parts; ++i)
      all = k.addf(all, k.load(sums, {k.add(k.subgroup, i), k.lane}));
    store(tile, all);
  });
}
