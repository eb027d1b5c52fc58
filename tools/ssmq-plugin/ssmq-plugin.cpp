//===- ssmq-plugin.cpp - libSSMQ.so, loaded by a stock mlir-opt -----------===//

#include "mlir/Pass/PassRegistry.h"
#include "mlir/Tools/Plugins/DialectPlugin.h"
#include "mlir/Tools/Plugins/PassPlugin.h"
#include "ssmq/InitAll.h"

// The build hides symbols by default, but the host looks these two up by name.
#define SSMQ_PLUGIN_ENTRY extern "C" __attribute__((weak, visibility("default")))

SSMQ_PLUGIN_ENTRY mlir::DialectPluginLibraryInfo mlirGetDialectPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "SSMQ", "0.1",
          [](mlir::DialectRegistry *registry) { mlir::ssm::registerAllDialects(*registry); }};
}

SSMQ_PLUGIN_ENTRY mlir::PassPluginLibraryInfo mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "SSMQ", "0.1", [] {
            // A host that is ours has them already, and MLIR ends the process on a second copy.
            if (!mlir::PassInfo::lookup("ssmq-assign"))
              mlir::ssm::registerAllPasses();
          }};
}
