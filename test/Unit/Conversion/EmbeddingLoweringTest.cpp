//===- EmbeddingLoweringTest.cpp - Tables in tiles ------------------------===//

#include "LoweringTest.h"

#include "ssmq/Formats/Tiling.h"

using namespace ssmq;
using namespace ssmq::test;

namespace {

class EmbeddingLoweringTest : public LoweringTest {};

TEST_F(EmbeddingLoweringTest, Tiles) {
  constexpr int64_t kRows = 23;
  for (unsigned bits : {4u, 8u})
    for (auto [columns, group] : {std::pair<int64_t, int64_t>{64, 16},
                                  {64, 64},
                                  {50, 20},
                                  {50, 50},
                                  {26, 1},
                                  {31, 12},
                                  {25, 48}}) {
      TileLayout layout(kRows, columns, group, bits);
      ProgramText program(columns);
      program.weight("codes", format("2x$0xi8", {layout.getTileBytes()}));
      std::string groups = format("2x$0x16x", {layout.getNumGroups()});
      program.weight("scales", groups + "f16").weight("zeros", groups + "i8");
      std::string attributes =
          format(" {group_size = $0 : i64, packed_bits = $1 : i64, tile_rows = 16 : i64, "
                 "rows = $2 : i64, columns = $3 : i64} : (tensor<?xi32>, tensor<2x$4xi8>, tensor<",
                 {group, bits, kRows, columns, layout.getTileBytes()});
      std::string type = format("tensor<?x$0xf32>", {columns});
      program.line("%a = ssm.embedding %tokens, %codes scales %scales" + attributes + groups +
                   "f16>) -> " + type);
      program.line("%b = ssm.embedding %tokens, %codes scales %scales zero_points %zeros" +
                   attributes + groups + "f16>, tensor<" + groups + "i8>) -> " + type);
      program.line("%c = arith.mulf %a, %b : " + type);
      program.line("%y = arith.addf %c, %x : " + type);
      SCOPED_TRACE(testing::Message()
                   << bits << " bits, " << columns << " columns in groups of " << group);
      check({program.finish(columns)});
    }
}

} // namespace
