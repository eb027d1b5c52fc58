//===- EstimatePass.cpp - An estimate as a document -----------------------===//

#include "mlir/IR/BuiltinOps.h"
#include "ssmq/Support/File.h"
#include "ssmq/Target/Xe2/Passes.h"
#include "ssmq/Target/Xe2/Xe2.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_ESTIMATEXE2
#include "ssmq/Target/Xe2/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;
using namespace mlir::ssm;

static llvm::json::Value toJson(const Xe2Estimate &estimate) {
  return llvm::json::Object{{"launches", estimate.launches},
                            {"groups", estimate.groups},
                            {"bytesRead", estimate.bytesRead},
                            {"bytesWritten", estimate.bytesWritten},
                            {"weightBytesRead", estimate.weightBytesRead},
                            {"stateBytesMoved", estimate.stateBytesMoved},
                            {"dpas", estimate.dpas},
                            {"dpasMultiplyAdds", estimate.dpasMultiplyAdds},
                            {"nanoseconds", estimate.seconds * 1e9}};
}

namespace {

struct EstimateXe2 : public mlir::ssm::impl::EstimateXe2Base<EstimateXe2> {
  using Base::Base;

  void runOnOperation() override {
    markAllAnalysesPreserved();
    llvm::json::Object document{
        {"document", "ssmq-xe2-estimate"}, {"version", 1}, {"tokens", tokens.getValue()}};
    for (auto [key, entry, count, position] :
         {std::tuple("decode", "decode", int64_t(1), tokens.getValue()),
          std::tuple("prefill", "forward", tokens.getValue(), int64_t(0))}) {
      auto function = getOperation().lookupSymbol<func::FuncOp>(entry);
      if (!function || tokens < 1) {
        emitError(getOperation().getLoc()) << (function ? "tokens must be positive"
                                                        : "there is no @" + std::string(entry) +
                                                              " that launches kernels; run "
                                                              "--ssmq-xe-launches first");
        return signalPassFailure();
      }
      FailureOr<SmallVector<LaunchCount>> launches = countLaunches(function, count, position);
      if (failed(launches))
        return signalPassFailure();
      llvm::erase_if(*launches, [&](const LaunchCount &launch) {
        return !StringRef(launch.kernel).starts_with(kernels);
      });
      document[key] = toJson(estimateXe2(*launches));
    }
    auto write = [&](llvm::raw_ostream &stream) {
      stream << llvm::formatv("{0:2}\n", llvm::json::Value(std::move(document)));
      return llvm::Error::success();
    };
    if (output.empty()) {
      llvm::consumeError(write(llvm::outs()));
      return;
    }
    if (llvm::Error error = ::ssmq::writeFileAtomically(output, write)) {
      emitError(getOperation().getLoc()) << llvm::toString(std::move(error));
      signalPassFailure();
    }
  }
};

} // namespace
