//===- ListSites.cpp - List the values that can be quantized --------------===//

#include "mlir/IR/BuiltinOps.h"
#include "ssmq/Analysis/Sites.h"
#include "ssmq/Support/File.h"
#include "ssmq/Transforms/Passes.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_LISTSITESPASS
#include "ssmq/Transforms/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::SiteKind;

namespace {

class ListSitesPass : public mlir::ssm::impl::ListSitesPassBase<ListSitesPass> {
public:
  using Base::Base;
  void runOnOperation() override;
};

} // namespace

static void emitSiteRemark(const Site &site) {
  bool perToken = site.getLayout().rowsAreTokens();
  std::string rows = perToken ? "tokens" : std::to_string(site.rows);
  std::string heads =
      site.headSize ? llvm::formatv(", {0} channels a head", site.headSize).str() : "";
  emitRemark(site.uses.front()->getOwner()->getLoc())
      << site.name << ": " << getName(site.kind) << ", " << rows << " x " << site.columns << heads
      << ", " << site.numBytes << (perToken ? " bytes a token" : " bytes")
      << (site.insideOp ? ", rounded inside the op" : "");
}

static llvm::json::Value toJson(ArrayRef<Site> sites) {
  llvm::json::Array list;
  for (const Site &site : sites) {
    llvm::json::Array ops;
    for (OpOperand *use : site.uses)
      ops.push_back(use->getOwner()->getName().getStringRef());
    llvm::json::Object one{{"name", site.name},         {"kind", getName(site.kind)},
                           {"rows", site.rows},         {"columns", site.columns},
                           {"elements", site.elements}, {"bytes", site.numBytes},
                           {"ops", std::move(ops)}};
    if (site.headSize)
      one["head_size"] = site.headSize;
    list.push_back(std::move(one));
  }
  return llvm::json::Object{{"sites", std::move(list)}};
}

void ListSitesPass::runOnOperation() {
  markAllAnalysesPreserved();
  SmallVector<SiteKind> chosen;
  for (const std::string &name : kinds) {
    std::optional<SiteKind> kind = ::ssmq::parseSiteKind(name);
    if (!kind) {
      emitError(getOperation().getLoc())
          << "kind '" << name
          << "' is not known; take weight, norm, activation, parameter, state or cache";
      return signalPassFailure();
    }
    chosen.push_back(*kind);
  }
  SmallVector<Site> sites = findSites(getOperation(), chosen);
  if (output.empty()) {
    llvm::for_each(sites, emitSiteRemark);
    return;
  }
  auto write = [&](llvm::raw_ostream &os) {
    os << llvm::formatv("{0:2}\n", toJson(sites));
    return llvm::Error::success();
  };
  if (llvm::Error error = ::ssmq::writeFileAtomically(output, write)) {
    emitError(getOperation().getLoc()) << llvm::toString(std::move(error));
    signalPassFailure();
  }
}
