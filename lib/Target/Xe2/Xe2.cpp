//===- Xe2.cpp - The GPU of Lunar Lake ------------------------------------===//

#include "ssmq/Target/Xe2/Xe2.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/Support/Format.h"

using namespace mlir;
using namespace mlir::ssm;

Xe2Estimate ssm::estimateXe2(ArrayRef<LaunchCount> launches) {
  Xe2Estimate sum;
  for (const LaunchCount &launch : launches) {
    ++sum.launches;
    sum.groups += launch.groups;
    sum.bytesRead += launch.bytesRead;
    sum.bytesWritten += launch.bytesWritten;
    sum.weightBytesRead += launch.weightBytesRead;
    sum.weightBytesLoaded += launch.weightBytesLoaded;
    sum.stateBytesMoved += launch.stateBytesMoved;
    sum.dpas += launch.dpas;
    sum.dpasMultiplyAdds += launch.dpasMultiplyAdds;
    double bytes = static_cast<double>(launch.bytesRead + launch.bytesWritten);
    sum.seconds +=
        Xe2::secondsPerLaunch + std::max(bytes / Xe2::bytesPerSecond,
                                         launch.dpasMultiplyAdds / Xe2::dpasMultiplyAddsPerSecond);
  }
  return sum;
}

static void printRow(StringRef name, const Xe2Estimate &row, llvm::raw_ostream &stream) {
  stream << llvm::format("  %-44s %8lld %9lld %13lld %12lld %13lld %11lld %10.1f\n",
                         name.str().c_str(), static_cast<long long>(row.launches),
                         static_cast<long long>(row.groups), static_cast<long long>(row.bytesRead),
                         static_cast<long long>(row.bytesWritten),
                         static_cast<long long>(row.weightBytesRead),
                         static_cast<long long>(row.dpas), row.seconds * 1e6);
}

void ssm::printEstimate(StringRef title, ArrayRef<LaunchCount> launches,
                        llvm::raw_ostream &stream) {
  llvm::MapVector<StringRef, SmallVector<LaunchCount>> byKernel;
  for (const LaunchCount &launch : launches)
    byKernel[launch.kernel].push_back(launch);
  stream << title << "\n";
  stream << llvm::format("  %-44s %8s %9s %13s %12s %13s %11s %10s\n", "kernel", "launches",
                         "groups", "bytes read", "written", "of weights", "dpas", "us at least");
  for (const auto &[kernel, own] : byKernel)
    printRow(kernel, estimateXe2(own), stream);
  Xe2Estimate sum = estimateXe2(launches);
  printRow("all", sum, stream);
  if (sum.weightBytesRead == 0)
    return;
  auto weights = static_cast<double>(sum.weightBytesRead);
  int64_t moved = sum.bytesRead + sum.bytesWritten;
  stream << llvm::format(
      "  bytes moved: %.3f x those of weights, %.3f x without states; weights are "
      "loaded %.3f times\n",
      moved / weights, (moved - sum.stateBytesMoved) / weights, sum.weightBytesLoaded / weights);
}
