//===- SpirvModuleTest.cpp - What a module needs and offers ---------------===//

#include "ssmq/Runtime/OpenCL/SpirvModule.h"

#include "TestDevice.h"
#include "ssmq/Runtime/OpenCL/SubgroupFunctions.h"
#include "llvm/ADT/STLExtras.h"
#include <random>

using namespace ssmq;
using Kind = SpirvParameter::Kind;

static std::string message(llvm::StringRef bytes) {
  llvm::Expected<SpirvModule> module = SpirvModule::parse(bytes);
  return module ? "" : llvm::toString(module.takeError());
}

namespace {
TEST(SpirvModule, ListsKernels) {
  llvm::Expected<SpirvModule> module = SpirvModule::parse(readKernels("Kernels"));
  ASSERT_TRUE(bool(module));
  const SpirvKernel *add = module->lookup("add");
  ASSERT_NE(add, nullptr);
  ASSERT_EQ(add->parameters.size(), 5u);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(add->parameters[i].kind, Kind::Pointer);
  EXPECT_EQ(add->parameters[3].kind, Kind::Number);
  EXPECT_EQ(add->parameters[3].numBytes, 4);
  EXPECT_EQ(module->lookup("whereAmI")->parameters[1].numBytes, 8);
  EXPECT_EQ(module->lookup("ad"), nullptr);
}

TEST(SpirvModule, RenamesImports) {
  std::string bytes = readKernels("SubgroupKernels");
  EXPECT_EQ(*renameSpirvImports(bytes, [](llvm::StringRef name) { return name.str(); }), bytes);
  auto renamed =
      renameSpirvImports(bytes, [](llvm::StringRef name) { return name.str() + "_new"; });
  ASSERT_TRUE(bool(renamed));
  std::vector<std::string> before = SpirvModule::parse(bytes)->getImports();
  std::vector<std::string> after = SpirvModule::parse(*renamed)->getImports();
  ASSERT_EQ(before.size(), after.size());
  EXPECT_TRUE(llvm::is_contained(before, "_Z36intel_sub_group_s8_s8_matrix_mad_k32Dv8_sDv8_iS0_"));
  for (size_t i = 0; i < before.size(); ++i)
    EXPECT_EQ(after[i], before[i] + "_new");
}

TEST(SpirvModule, RefusesWhatIsBroken) {
  EXPECT_EQ(message(""), "0 bytes are no SPIR-V module");
  EXPECT_EQ(message("abcdefghijklmnopqrstuvwxyz"), "26 bytes are no SPIR-V module");
  EXPECT_EQ(message(std::string(40, 'x')),
            "the SPIR-V module begins with 0x78787878, not 0x07230203");
  std::string bytes = readKernels("SubgroupKernels");
  bytes.append(4, 0);
  EXPECT_EQ(message(bytes),
            "the SPIR-V module is broken at word " + std::to_string(bytes.size() / 4 - 1));
  std::mt19937 random(1);
  for (int i = 0; i < 300; ++i) {
    std::string mutant = readKernels("SubgroupKernels");
    for (int k = 0; k < 8; ++k)
      mutant[random() % mutant.size()] = static_cast<char>(random());
    // An answer or an error; nothing is read outside.
    llvm::consumeError(SpirvModule::parse(mutant).takeError());
    llvm::consumeError(renameSpirvImports(mutant, getExtensionSpelling).takeError());
  }
}

TEST(SubgroupFunctions, AreSpelledAsTheExtensionsDo) {
  auto expect = [](llvm::StringRef xevm, llvm::StringRef extension) {
    EXPECT_EQ(getExtensionSpelling(xevm), extension);
    EXPECT_EQ(getExtensionSpelling(extension), extension);
  };
  expect("_Z36intel_sub_group_s8_s8_matrix_mad_k32Dv8_sDv8_iS0_",
         "_Z36intel_sub_group_i8_i8_matrix_mad_k32Dv8_sDv8_iS0_");
  expect("_Z36intel_sub_group_u8_s8_matrix_mad_k32Dv8_sDv8_iS0_",
         "_Z36intel_sub_group_u8_i8_matrix_mad_k32Dv8_tDv8_iS0_");
  expect("_Z36intel_sub_group_s8_u8_matrix_mad_k32Dv8_sDv8_iS0_",
         "_Z36intel_sub_group_i8_u8_matrix_mad_k32Dv8_sDv8_jDv8_i");
  expect("_Z36intel_sub_group_u8_u8_matrix_mad_k32Dv4_sDv8_iDv4_i",
         "_Z36intel_sub_group_u8_u8_matrix_mad_k32Dv4_tDv8_jDv4_i");
  expect("_Z38intel_sub_group_f16_f16_matrix_mad_k16sDv8_if",
         "_Z38intel_sub_group_f16_f16_matrix_mad_k16sDv8_if");
  expect("_Z40intel_sub_group_bf16_bf16_matrix_mad_k16Dv8_sDv8_iDv8_f",
         "_Z40intel_sub_group_bf16_bf16_matrix_mad_k16Dv8_sDv8_iDv8_f");
  expect("_Z40intel_sub_group_2d_block_read_8b_8r32x1cPU3AS1viiiDv2_iPh",
         "_Z40intel_sub_group_2d_block_read_8b_8r32x1cPU3AS1viiiDv2_iPt");
  expect("_Z51intel_sub_group_2d_block_read_transform_8b_32r16x1cPU3AS1viiiDv2_iPj",
         "_Z51intel_sub_group_2d_block_read_transform_8b_32r16x1cPU3AS1viiiDv2_iPj");
  expect("_Z45intel_sub_group_2d_block_prefetch_16b_8r16x1cPU3AS1viiiDv2_i",
         "_Z45intel_sub_group_2d_block_prefetch_16b_8r16x1cPU3AS1viiiDv2_i");
  for (const char *other :
       {"_Z12get_local_idj", "main", "_Z99short", "_Z3abc", "__spirv_BuiltInWorkgroupId"}) {
    EXPECT_EQ(getExtensionSpelling(other), other);
    EXPECT_EQ(getSubgroupExtension(other), SubgroupExtension::None);
  }
}

TEST(SubgroupFunctions, OnlyThoseOfXe2AreEmulated) {
  for (const char *name :
       {"_Z38intel_sub_group_f16_f16_matrix_mad_k16Dv8_sDv8_iDv8_Dh",
        "_Z37intel_sub_group_f16_s8_matrix_mad_k16Dv8_sDv8_iDv8_f",
        "_Z41intel_sub_group_2d_block_read_16b_9r16x1cPU3AS1viiiDv2_iPt",
        "_Z42intel_sub_group_2d_block_write_16b_8r16x2cPU3AS1viiiDv2_iPt",
        "_Z51intel_sub_group_2d_block_read_transform_16b_8r16x1cPU3AS1viiiDv2_iPj"}) {
    EXPECT_NE(getSubgroupExtension(name), SubgroupExtension::None) << name;
    llvm::Expected<std::string> source = makeSubgroupEmulation({std::string(name)});
    ASSERT_FALSE(bool(source)) << name;
    EXPECT_EQ(llvm::toString(source.takeError()),
              "the kernels call '" + std::string(name) +
                  "', which Xe2 does not have and ssmq does not emulate");
  }
}
} // namespace
