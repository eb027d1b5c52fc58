//===- StoredStates.cpp - States in the format of their site --------------===//

#include "ssmq/Dialect/SSM/IR/StoredStates.h"

#include "ssmq/Dialect/SSM/IR/SSMOps.h"
#include "ssmq/Formats/Format.h"
#include "ssmq/Formats/Numerics.h"

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::Sharing;

std::optional<StoredState> mlir::ssm::getStoredState(QuantizableOpInterface op) {
  auto attribute = llvm::dyn_cast_or_null<FormatAttr>(op.getFormatOfState());
  if (!attribute)
    return std::nullopt;
  std::shared_ptr<const ::ssmq::Format> format = attribute.getFormat();
  Builder builder(op.getContext());
  std::string numerics = format->getNumerics().getSpelling();
  if (numerics == "f16")
    return StoredState{builder.getF16Type(), {}, 0, 0};
  if (numerics == "bf16")
    return StoredState{builder.getBF16Type(), {}, 0, 0};
  ::ssmq::ValueLayout layout = getStateLayout(op);
  if (numerics != "i8 sym" || format->needsRanges() || layout.rowsAreTokens() ||
      layout.getNumElements() == 0)
    return std::nullopt;

  Sharing sharing = format->getSharing();
  StoredState stored{builder.getI8Type(), {}, layout.columns, 1};
  switch (sharing.kind) {
  case Sharing::PerChannel: break;
  case Sharing::Group: stored.runColumns = std::min(sharing.groupSize, layout.columns); break;
  case Sharing::PerHead: stored.runRows = layout.headSize; break;
  default: return std::nullopt;
  }
  if (stored.runRows < 1 || stored.runColumns < 1)
    return std::nullopt;
  int64_t runs = (layout.columns + stored.runColumns - 1) / stored.runColumns;
  stored.scales = RankedTensorType::get({layout.rows / stored.runRows, runs}, builder.getF16Type());
  return stored;
}
