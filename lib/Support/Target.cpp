//===- Target.cpp - Processors that code is generated for -----------------===//

#include "ssmq/Support/Target.h"

#include "ssmq/Support/Error.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/TargetParser/ARMTargetParser.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"
#include "llvm/TargetParser/X86TargetParser.h"

using namespace ssmq;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

static constexpr StringRef kDotNames[] = {"none", "avx2", "avx_vnni", "avx_vnni_int8",
                                          "avx512_vnni"};

StringRef ssmq::toString(DotKind dot) { return kDotNames[static_cast<size_t>(dot)]; }

std::optional<DotKind> ssmq::parseDotKind(StringRef name) {
  for (auto [i, known] : llvm::enumerate(kDotNames))
    if (name == known)
      return static_cast<DotKind>(i);
  return std::nullopt;
}

/// Client processors with performance and efficiency cores.
static bool isHybrid(StringRef cpu) {
  return llvm::StringSwitch<bool>(cpu)
      .Cases({"alderlake", "raptorlake", "meteorlake", "arrowlake", "arrowlake-s", "lunarlake",
              "pantherlake", "wildcatlake", "novalake"},
             true)
      .Default(false);
}

/// Linux lists efficiency cores in a folder of their own.
static bool isHostHybrid() { return llvm::sys::fs::exists("/sys/devices/cpu_atom"); }

/// With the features that it needs, or that need it.
static void set(llvm::StringMap<bool> &present, StringRef feature, bool enable) {
  present[feature] = enable;
  llvm::X86::updateImpliedFeatures(feature, enable, present);
}

/// Applies "+a,-b" to the features that a processor has.
static Error change(llvm::StringMap<bool> &present, StringRef features) {
  llvm::SmallVector<StringRef> changes;
  features.split(changes, ',', -1, /*KeepEmpty=*/false);
  for (StringRef feature : changes) {
    StringRef written = feature;
    bool enable = feature.consume_front("+");
    bool isName = llvm::all_of(feature.drop_front(!enable), [](char c) {
      return llvm::isAlnum(c) || c == '-' || c == '.' || c == '_';
    });
    if ((!enable && !feature.consume_front("-")) || feature.empty() || !isName)
      return makeError("a feature is written +name or -name, but '{0}' is not", written);
    set(present, feature, enable);
  }
  return Error::success();
}

static DotKind chooseDotKind(const llvm::StringMap<bool> &present) {
  if (present.lookup("avx512vnni"))
    return DotKind::AVX512VNNI;
  if (present.lookup("avxvnniint8"))
    return DotKind::AVXVNNIInt8;
  if (present.lookup("avxvnni"))
    return DotKind::AVXVNNI;
  return present.lookup("avx2") ? DotKind::AVX2 : DotKind::None;
}

static StringRef getMicrocontrollerTriple(llvm::ARM::ArchKind arch) {
  switch (arch) {
  case llvm::ARM::ArchKind::ARMV6M: return "thumbv6m-none-eabi";
  case llvm::ARM::ArchKind::ARMV7M: return "thumbv7m-none-eabi";
  case llvm::ARM::ArchKind::ARMV7EM: return "thumbv7em-none-eabi";
  case llvm::ARM::ArchKind::ARMV8MBaseline: return "thumbv8m.base-none-eabi";
  case llvm::ARM::ArchKind::ARMV8MMainline: return "thumbv8m.main-none-eabi";
  case llvm::ARM::ArchKind::ARMV8_1MMainline: return "thumbv8.1m.main-none-eabi";
  default: return "";
  }
}

/// A Cortex-M with its floating point unit; nullopt for other names.
static std::optional<Target> findMicrocontroller(StringRef name) {
  llvm::ARM::ArchKind arch = llvm::ARM::parseCPUArch(name);
  StringRef triple = getMicrocontrollerTriple(arch);
  if (triple.empty())
    return std::nullopt;
  llvm::ARM::FPUKind unit = static_cast<llvm::ARM::FPUKind>(llvm::ARM::getDefaultFPU(name, arch));
  Target target;
  target.hasFMA = target.hasHalf = unit != llvm::ARM::FK_NONE;
  target.hasRoundEven = llvm::ARM::getFPUVersion(unit) >= llvm::ARM::FPUVersion::VFPV5;
  target.triple = (triple + (target.hasFMA ? "hf" : "")).str();
  target.cpu = name.str();
  // Of a complex number; registers are no wider than a part of it.
  target.vectorWidth = 2;
  return target;
}

bool ssmq::isHostArchitecture(const Target &target) {
  return llvm::Triple(target.triple).getArch() ==
         llvm::Triple(llvm::sys::getProcessTriple()).getArch();
}

Error ssmq::checkRunsHere(StringRef name) {
  Expected<Target> target = resolveTarget(name);
  if (!target)
    return target.takeError();
  if (!isHostArchitecture(*target))
    return makeError("code for target '{0}' cannot run here; it can be emitted as an object with "
                     "ssmq-run --emit=obj --freestanding",
                     name);
  if (name.empty() || name == "host")
    return Error::success();
  const llvm::StringMap<bool> host = llvm::sys::getHostCPUFeatures();
  llvm::SmallVector<StringRef> needed;
  llvm::X86::getFeaturesForCPU(name, needed);
  for (StringRef feature : needed)
    if (auto found = host.find(feature); found != host.end() && !found->getValue())
      return makeError("code for target '{0}' cannot run here: this machine lacks {1}; choose an "
                       "older target",
                       name, feature);
  return Error::success();
}

Expected<Target> ssmq::resolveTarget(StringRef name, StringRef features) {
  const llvm::Triple triple(llvm::sys::getProcessTriple());
  if (std::optional<Target> small = findMicrocontroller(name)) {
    if (!features.empty())
      return makeError("features of {0} cannot be changed; name another processor", name);
    return *small;
  }
  Target target;
  target.triple = triple.str();
  llvm::StringMap<bool> present;
  if (name.empty() || name == "host") {
    target.cpu = triple.getArch() == llvm::Triple::x86_64 ? "x86-64" : "generic";
    target.hasUnequalCores = isHostHybrid();
    present = llvm::sys::getHostCPUFeatures();
    for (const auto &feature : present)
      target.features += (feature.getValue() ? "+" : "-") + feature.getKey().str() + ",";
  } else if (triple.getArch() != llvm::Triple::x86_64) {
    return makeError("this machine compiles only for itself, so the target must be host and not "
                     "'{0}'",
                     name);
  } else if (llvm::X86::parseArchX86(name, /*Only64Bit=*/true) == llvm::X86::CK_None) {
    return makeError(
        "unknown target '{0}'; known are host, lunarlake, arrowlake, meteorlake, "
        "alderlake, sapphirerapids, graniterapids, znver4, znver5, x86-64-v2, "
        "x86-64-v3, x86-64-v4 and the other 64-bit x86 processors of clang's -march, and "
        "cortex-m0 to cortex-m85 for freestanding objects",
        name);
  } else {
    target.cpu = name.str();
    target.hasUnequalCores = isHybrid(name);
    llvm::SmallVector<StringRef> named;
    llvm::X86::getFeaturesForCPU(name, named);
    for (StringRef feature : named)
      set(present, feature, true);
  }
  if (Error error = change(present, features))
    return error;
  target.features = StringRef(target.features + features.str()).rtrim(',').str();
  target.vectorWidth = present.lookup("avx512f") ? 16 : present.lookup("avx") ? 8 : 4;
  target.dot = chooseDotKind(present);
  target.hasFMA = present.lookup("fma");
  target.hasHalf = present.lookup("f16c");
  target.hasRoundEven = present.lookup("sse4.1");
  return target;
}
