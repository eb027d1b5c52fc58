//===- IntegerGrid.cpp - Integer codes on a grid that is given ------------===//

#include "ssmq/Formats/IntegerGrid.h"

#include "ssmq/Support/HalfFloat.h"

namespace ssmq {

float roundScale(float scale) {
  constexpr float kLargestHalf = 65504;
  return halfToFloat(floatToHalf(std::min(scale, kLargestHalf)));
}

IntegerGrid makeIntegerGrid(IntegerCodes codes, float low, float high) {
  IntegerGrid grid{0, 0, codes.lowest(), codes.highest()};
  if (codes.symmetric) {
    grid.scale = roundScale(std::max(high, -low) / static_cast<float>(codes.highest()));
    return grid;
  }
  auto steps = static_cast<float>(codes.highest() - codes.lowest());
  grid.scale = roundScale(high / steps - low / steps);
  if (grid.scale != 0) {
    float below = std::min(steps, std::nearbyint(-low / grid.scale));
    grid.zero = codes.lowest() + static_cast<int>(below);
  }
  return grid;
}

} // namespace ssmq
