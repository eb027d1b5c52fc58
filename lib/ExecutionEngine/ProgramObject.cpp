//===- ProgramObject.cpp - Machine code of a program, unbound -------------===//

#include "ProgramObject.h"

#include "HostModule.h"
#include "mlir/IR/BuiltinOps.h"
#include "ssmq/Runtime/OpenCL/Launch.h"
#include "llvm/ExecutionEngine/Orc/CompileUtils.h"
#include "llvm/Support/DataExtractor.h"
#include "llvm/Support/EndianStream.h"

using namespace ssmq;
using llvm::Error;
using llvm::Expected;

Expected<ProgramObject> ssmq::compileObject(mlir::ModuleOp lowered,
                                            const ProgramSignature &signature,
                                            WeightResolver weights, const CompileOptions &options) {
  Expected<llvm::orc::JITTargetMachineBuilder> target = createTarget(options);
  if (!target)
    return target.takeError();
  Expected<std::unique_ptr<llvm::TargetMachine>> machine = target->createTargetMachine();
  if (!machine)
    return machine.takeError();
  llvm::LLVMContext context;
  Expected<std::unique_ptr<llvm::Module>> module =
      translate(lowered, signature, **machine, context);
  if (!module)
    return module.takeError();

  ProgramObject object;
  for (auto [name, entry] :
       {std::pair(kInvokeForward, kForwardEntry), std::pair(kInvokeDecode, kDecodeEntry),
        std::pair(kInvokePrefill, kPrefillEntry)}) {
    if (!(*module)->getFunction(entry))
      continue;
    addInvoke(**module, name, entry);
    object.entries.push_back(name.str());
  }
  if (llvm::GlobalVariable *spirv = (*module)->getNamedGlobal(kSpirvSymbol)) {
    spirv->setLinkage(llvm::GlobalValue::ExternalLinkage);
    object.numSpirvBytes = (*module)->getDataLayout().getTypeAllocSize(spirv->getValueType());
  }
  if (Error error = resolveWeights(**module, weights, object.weights))
    return error;
  object.isThreaded = needsOpenMP(**module);
  optimize(**module, **machine, options.optLevel);
  Expected<std::unique_ptr<llvm::MemoryBuffer>> code =
      llvm::orc::SimpleCompiler(**machine)(**module);
  if (!code)
    return code.takeError();
  object.code = std::move(*code);
  return object;
}

std::string ssmq::serialize(const ProgramObject &object) {
  std::string bytes;
  llvm::raw_string_ostream stream(bytes);
  llvm::support::endian::Writer writer(stream, llvm::endianness::little);
  auto writeText = [&](llvm::StringRef text) {
    writer.write<uint64_t>(text.size());
    stream << text;
  };
  writer.write<uint8_t>(object.isThreaded);
  writer.write<uint64_t>(object.numSpirvBytes);
  writer.write<uint64_t>(object.entries.size());
  for (llvm::StringRef entry : object.entries)
    writeText(entry);
  writer.write<uint64_t>(object.weights.size());
  for (const ProgramObject::Weight &weight : object.weights) {
    writeText(weight.name);
    writer.write<uint64_t>(weight.numBytes);
    writer.write<uint64_t>(weight.alignment);
  }
  writeText(object.code->getBuffer());
  return bytes;
}

Expected<ProgramObject> ssmq::parseObject(llvm::StringRef bytes) {
  ProgramObject object;
  llvm::DataExtractor reader(bytes, /*IsLittleEndian=*/true, /*AddressSize=*/8);
  llvm::DataExtractor::Cursor at(0);
  auto readText = [&] { return reader.getBytes(at, reader.getU64(at)); };
  object.isThreaded = reader.getU8(at);
  object.numSpirvBytes = reader.getU64(at);
  for (uint64_t rest = reader.getU64(at); at && rest > 0; --rest)
    object.entries.push_back(readText().str());
  for (uint64_t rest = reader.getU64(at); at && rest > 0; --rest) {
    ProgramObject::Weight &weight = object.weights.emplace_back();
    weight.name = readText().str();
    weight.numBytes = reader.getU64(at);
    weight.alignment = reader.getU64(at);
  }
  llvm::StringRef code = readText();
  if (!at)
    return at.takeError();
  object.code = llvm::MemoryBuffer::getMemBufferCopy(code, "ssmq");
  return object;
}
