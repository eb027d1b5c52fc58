//===- TestModule.cpp - A tiny program with the entry ABI -----------------===//

#include "TestModule.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"

using namespace ssmq;

static constexpr llvm::StringLiteral kBody = R"mlir(
  func.func @NAME(%tokens: memref<TxI32>, %position: memref<i32> {ssm.state = "position"},
                  %sums: memref<?xf32> {ssm.state = "layers.0.sums"}, %logits: memref<Tx5xf32>)
      attributes {llvm.emit_c_interface} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c5 = arith.constant 5 : index
    %bias = arith.constant BIAS : f32
    %weightsPtr = llvm.mlir.addressof @model.layers.0.mamba.in_proj.weight : !llvm.ptr
    %n = memref.dim %tokens, %c0 : memref<TxI32>
    scf.for %t = %c0 to %n step %c1 {
      %old = memref.load %position[] : memref<i32>
      %at = arith.index_cast %old : i32 to index
      %token = memref.load %tokens[%t] : memref<TxI32>
      %value = arith.sitofp %token : i32 to f32
      memref.store %value, %sums[%at] : memref<?xf32>
      %oldValue = arith.sitofp %old : i32 to f32
      %next = arith.addi %at, %c1 : index
      %sum = scf.for %i = %c0 to %next step %c1 iter_args(%acc = %oldValue) -> f32 {
        %one = memref.load %sums[%i] : memref<?xf32>
        %more = arith.addf %acc, %one : f32
        scf.yield %more : f32
      }
      LOOP {
        %vi = arith.index_cast %v : index to i64
        %ptr = llvm.getelementptr %weightsPtr[%vi] : (!llvm.ptr, i64) -> !llvm.ptr, f32
        %scale = llvm.load %ptr {alignment = 4 : i64} : !llvm.ptr -> f32
        %product = arith.mulf %scale, %sum : f32
        %logit = arith.addf %product, %bias : f32
        memref.store %logit, %logits[%t, %v] : memref<Tx5xf32>
      }
      %new = arith.index_cast %next : index to i32
      memref.store %new, %position[] : memref<i32>
    }
    return
  }
)mlir";

static std::string replaceAll(std::string text, llvm::StringRef from, llvm::StringRef to) {
  for (size_t at = 0; (at = text.find(from.str(), at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to.str());
  return text;
}

static std::string makeFunction(llvm::StringRef name, llvm::StringRef tokens, llvm::StringRef bias,
                                bool threaded) {
  std::string text = replaceAll(kBody.str(), "NAME", name);
  text = replaceAll(text, "<TxI32", ("<" + tokens + "xi32").str());
  text = replaceAll(text, "<Tx5", ("<" + tokens + "x5").str());
  text = replaceAll(text, "BIAS", bias);
  return replaceAll(text, "LOOP",
                    threaded ? "scf.parallel (%v) = (%c0) to (%c5) step (%c1)"
                             : "scf.for %v = %c0 to %c5 step %c1");
}

std::unique_ptr<mlir::MLIRContext> test::createContext() {
  static bool registered = (mlir::registerAllPasses(), true);
  (void)registered;
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  auto context = std::make_unique<mlir::MLIRContext>(registry);
  context->allowUnregisteredDialects();
  return context;
}

mlir::OwningOpRef<mlir::ModuleOp> test::parseText(mlir::MLIRContext &context,
                                                  llvm::StringRef text) {
  return mlir::parseSourceString<mlir::ModuleOp>(text, &context);
}

mlir::OwningOpRef<mlir::ModuleOp> test::parse(mlir::MLIRContext &context, bool threaded,
                                              bool decode) {
  std::string text = "llvm.mlir.global external @model.layers.0.mamba.in_proj.weight()"
                     " {addr_space = 0 : i32} : !llvm.array<5 x f32>\n";
  text += makeFunction("forward", "?", "0.0", threaded);
  if (decode)
    text += makeFunction("decode", "1", "1000.0", threaded);
  return parseText(context, text);
}

bool test::lower(mlir::ModuleOp module) {
  mlir::PassManager passes(module.getContext());
  return mlir::succeeded(mlir::parsePassPipeline(kLowering, passes)) &&
         mlir::succeeded(passes.run(module));
}

float test::expectedLogit(llvm::ArrayRef<int32_t> tokens, size_t position, int64_t v) {
  float sum = position;
  for (size_t i = 0; i <= position; ++i)
    sum += tokens[i];
  return kScale[v] * sum;
}
