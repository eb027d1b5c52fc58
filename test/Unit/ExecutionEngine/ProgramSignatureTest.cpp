//===- ProgramSignatureTest.cpp - Signatures of @forward ------------------===//

#include "ssmq/Dialect/SSM/Utils/ProgramSignature.h"

#include "TestModule.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/MLIRContext.h"
#include "gtest/gtest.h"

using namespace ssmq;
using namespace ssmq::test;

namespace {

class ProgramSignatureTest : public ::testing::Test {
protected:
  llvm::Expected<ProgramSignature> read(llvm::StringRef text) {
    module = parseText(*context, text);
    EXPECT_TRUE(module);
    return readSignature(*module);
  }
  std::string fails(llvm::StringRef text) { return llvm::toString(read(text).takeError()); }

  std::unique_ptr<mlir::MLIRContext> context = createContext();
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

TEST_F(ProgramSignatureTest, Tensors) {
  auto signature = llvm::cantFail(read(R"mlir(
    func.func private @forward(tensor<?xi32>, tensor<i32> {ssm.state = "position"},
                               tensor<?x2x4xf16>)
      -> (tensor<?x7xf32>, tensor<i32>, tensor<?x2x4xf16>))mlir"));
  EXPECT_EQ(signature.vocabSize, 7);
  ASSERT_EQ(signature.states.size(), 2u);
  EXPECT_EQ(signature.states[0].name, "position");
  EXPECT_EQ(signature.states[0].type, DType::I32);
  EXPECT_TRUE(signature.states[0].shape.empty());
  EXPECT_EQ(signature.states[1].name, "state1");
  EXPECT_EQ(getStateShape(signature.states[1], 3), (Shape{3, 2, 4}));

  ProgramState state = llvm::cantFail(createZeroState(signature, 3));
  EXPECT_EQ(state.values[1].getNumBytes(), 3 * 2 * 4 * 2);
  EXPECT_EQ(llvm::toString(createZeroState(signature, int64_t(1) << 39).takeError()),
            "state 'state1' is too large for 549755813888 tokens; ask for a smaller capacity");
}

TEST_F(ProgramSignatureTest, Buffers) {
  module = parse(*context);
  auto signature = llvm::cantFail(readSignature(*module));
  EXPECT_EQ(signature.vocabSize, kVocab);
  ASSERT_EQ(signature.states.size(), 2u);
  EXPECT_EQ(signature.states[1].name, "layers.0.sums");
}

TEST_F(ProgramSignatureTest, Refusals) {
  EXPECT_EQ(fails("module {}"), "the module has no function @forward; import a checkpoint first");
  EXPECT_EQ(fails("func.func private @forward()"),
            "@forward must take tokens, a 1-D tensor or memref of i32, or features, a 2-D one of "
            "f32, first");
  EXPECT_EQ(fails("func.func private @forward(tensor<?xf32>) -> tensor<?x7xf32>"),
            "@forward must take tokens, a 1-D tensor or memref of i32, or features, a 2-D one of "
            "f32, first");
  EXPECT_EQ(fails("func.func private @forward(tensor<?xi32>) -> tensor<?x?xf32>"),
            "@forward must give logits of type f32 and shape steps x vocabulary or 1 x classes");
  EXPECT_EQ(fails("func.func private @forward(tensor<?xi32>, tensor<i32>) -> tensor<?x7xf32>"),
            "@forward takes 1 states and returns 0");
  EXPECT_EQ(fails("func.func private @forward(tensor<?xi32>, index) -> (tensor<?x7xf32>, index)"),
            "state 'state0' of @forward must be a ranked tensor or memref of i8, i16, i32, i64, "
            "f16, bf16, f32 or f64");
  EXPECT_EQ(fails("func.func private @forward(tensor<?xi32>, tensor<1099511627776xf32>) -> "
                  "(tensor<?x7xf32>, tensor<1099511627776xf32>)"),
            "state 'state0' of @forward is too large");
}

} // namespace
