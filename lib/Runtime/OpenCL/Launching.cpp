//===- Launching.cpp - Programs, kernels and their launches ---------------===//

#include "OpenCLDevice.h"
#include "ssmq/Runtime/OpenCL/SubgroupFunctions.h"
#include "ssmq/Support/Error.h"

using namespace ssmq;
using llvm::Error;
using llvm::Expected;

/// The driver's words, in one line of bounded length.
Error OpenCLDevice::makeBuildError(cl_program program, const llvm::Twine &what, cl_int code) const {
  size_t size = 0;
  std::string log;
  if (program && api.clGetProgramBuildInfo(program, id.device, CL_PROGRAM_BUILD_LOG, 0, nullptr,
                                           &size) == CL_SUCCESS) {
    log.resize(size);
    api.clGetProgramBuildInfo(program, id.device, CL_PROGRAM_BUILD_LOG, size, log.data(), nullptr);
  }
  std::string line;
  for (char c : llvm::StringRef(log).take_until([](char c) { return c == 0; }).trim())
    line += c == '\n' ? ' ' : c;
  if (line.empty())
    return makeOpenCLError(what + " on " + info.name, code);
  return llvm::createStringError(
      std::make_error_code(std::errc::io_error),
      llvm::Twine(toOneLine(what.str() + " on " + info.name + " failed: " + line.substr(0, 500))));
}

std::vector<std::string> OpenCLDevice::findEmulated(const SpirvModule &module) const {
  std::vector<std::string> emulated;
  for (const std::string &name : module.getImports()) {
    SubgroupExtension extension = getSubgroupExtension(name);
    if ((extension == SubgroupExtension::MatrixMultiply && !info.hasMatrixMultiply) ||
        (extension == SubgroupExtension::BlockIO && !info.hasBlockIO))
      emulated.push_back(getExtensionSpelling(name));
  }
  return emulated;
}

Expected<OpenCLObject<cl_program>> OpenCLDevice::createProgram(llvm::StringRef spirv) const {
  Expected<std::string> renamed = renameSpirvImports(spirv, getExtensionSpelling);
  if (!renamed)
    return renamed.takeError();
  cl_int code = CL_SUCCESS;
  cl_program program =
      api.clCreateProgramWithIL(context.get(), renamed->data(), renamed->size(), &code);
  if (code != CL_SUCCESS)
    return makeOpenCLError("reading SPIR-V on " + info.name, code);
  return OpenCLObject<cl_program>(program, api.clReleaseProgram);
}

Expected<OpenCLObject<cl_program>> OpenCLDevice::compileSource(const std::string &source) const {
  const char *text = source.data();
  size_t size = source.size();
  cl_int code = CL_SUCCESS;
  OpenCLObject<cl_program> program(
      api.clCreateProgramWithSource(context.get(), 1, &text, &size, &code), api.clReleaseProgram);
  if (code == CL_SUCCESS)
    code = api.clCompileProgram(program.get(), 1, &id.device, "-cl-std=CL3.0", 0, nullptr, nullptr,
                                nullptr, nullptr);
  if (code != CL_SUCCESS)
    return makeBuildError(program.get(), "compiling the emulation of Xe's functions", code);
  return program;
}

Expected<OpenCLObject<cl_program>> OpenCLDevice::buildProgram(llvm::StringRef spirv,
                                                              const SpirvModule &module) const {
  const char *options = info.hasExactDivision ? "-cl-fp32-correctly-rounded-divide-sqrt" : nullptr;
  Expected<OpenCLObject<cl_program>> program = createProgram(spirv);
  if (!program)
    return program.takeError();
  std::vector<std::string> emulated = findEmulated(module);
  if (emulated.empty()) {
    cl_int code = api.clBuildProgram(program->get(), 1, &id.device, options, nullptr, nullptr);
    if (code != CL_SUCCESS)
      return makeBuildError(program->get(), "building kernels", code);
    return program;
  }

  Expected<std::string> source = makeSubgroupEmulation(emulated);
  if (!source)
    return source.takeError();
  Expected<OpenCLObject<cl_program>> emulation = compileSource(*source);
  if (!emulation)
    return emulation.takeError();
  cl_int code = api.clCompileProgram(program->get(), 1, &id.device, options, 0, nullptr, nullptr,
                                     nullptr, nullptr);
  if (code != CL_SUCCESS)
    return makeBuildError(program->get(), "compiling kernels", code);
  cl_program parts[] = {program->get(), emulation->get()};
  OpenCLObject<cl_program> linked(
      api.clLinkProgram(context.get(), 1, &id.device, nullptr, 2, parts, nullptr, nullptr, &code),
      api.clReleaseProgram);
  if (code != CL_SUCCESS)
    return makeBuildError(linked.get(), "linking kernels", code);
  return linked;
}

Expected<OpenCLDevice::Program *> OpenCLDevice::getProgram(llvm::StringRef spirv) {
  auto found = programs.find(spirv.data());
  if (found != programs.end())
    return &found->second;
  Expected<SpirvModule> module = SpirvModule::parse(spirv);
  if (!module)
    return module.takeError();
  Expected<OpenCLObject<cl_program>> built = buildProgram(spirv, *module);
  if (!built)
    return built.takeError();
  Program made;
  made.program = std::move(*built);
  if (Error error = makeKernels(made, *module))
    return error;
  return &programs.try_emplace(spirv.data(), std::move(made)).first->second;
}

Error OpenCLDevice::makeKernels(Program &program, const SpirvModule &module) const {
  for (const SpirvKernel &known : module.getKernels()) {
    cl_int code = CL_SUCCESS;
    cl_kernel kernel = api.clCreateKernel(program.program.get(), known.name.c_str(), &code);
    if (code != CL_SUCCESS)
      return makeOpenCLError("making kernel " + quote(known.name) + " on " + info.name, code);
    auto made = std::make_unique<Kernel>();
    made->name = known.name;
    made->kernel = {kernel, api.clReleaseKernel};
    made->parameters = known.parameters;
    program.kernels[known.name] = std::move(made);
  }
  return Error::success();
}

Error OpenCLDevice::build(llvm::StringRef spirv) {
  std::lock_guard<std::mutex> lock(mutex);
  return getProgram(spirv).takeError();
}

Error OpenCLDevice::checkArguments(const Kernel &kernel, const KernelLaunch &launch) const {
  size_t count = kernel.parameters.size();
  if (launch.arguments.size() != count || count > 63)
    return makeError("kernel {0} has {1} parameters (at most 63 are possible) and was launched "
                     "with {2} arguments",
                     quote(launch.kernel), count, launch.arguments.size());
  for (size_t i = 0; i < count; ++i) {
    const SpirvParameter &parameter = kernel.parameters[i];
    bool isPointer = launch.pointerMask >> i & 1;
    if (parameter.kind !=
            (isPointer ? SpirvParameter::Kind::Pointer : SpirvParameter::Kind::Number) ||
        parameter.numBytes > 8)
      return makeError("parameter {0} of kernel {1} is no {2}", i, quote(launch.kernel),
                       isPointer ? "pointer" : "number of at most 64 bits");
  }
  return Error::success();
}

Error OpenCLDevice::launch(const KernelLaunch &launch) {
  std::array<size_t, 3> global, local;
  for (int i = 0; i < 3; ++i) {
    int64_t total = 0;
    if (launch.groups[i] < 0 || launch.items[i] < 1 ||
        llvm::MulOverflow(launch.groups[i], launch.items[i], total))
      return makeError("kernel {0} was launched with {1} groups of {2} work-items",
                       quote(launch.kernel), launch.groups[i], launch.items[i]);
    global[i] = total;
    local[i] = launch.items[i];
  }
  std::lock_guard<std::mutex> lock(mutex);
  Expected<Program *> program = getProgram(launch.spirv);
  if (!program)
    return program.takeError();
  auto found = (*program)->kernels.find(launch.kernel);
  if (found == (*program)->kernels.end())
    return makeError("the SPIR-V module has no kernel {0}", quote(launch.kernel));
  const Kernel *kernel = found->second.get();
  if (Error error = checkArguments(*kernel, launch))
    return error;
  if (llvm::is_contained(global, 0))
    return Error::success();
  waiting.push_back({kernel, global, local, launch.arguments.vec()});
  return info.usesCommandBuffers ? Error::success() : flush();
}
