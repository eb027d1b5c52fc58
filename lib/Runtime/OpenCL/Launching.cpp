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
  return makeError("{0} on {1} failed: {2}", what.str(), info.name,
                   llvm::StringRef(line).take_front(500));
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

Expected<OpenCLDevice::Program> OpenCLDevice::buildProgram(llvm::StringRef spirv) const {
  Expected<SpirvModule> module = SpirvModule::parse(spirv);
  if (!module)
    return module.takeError();
  Expected<OpenCLObject<cl_program>> program = createProgram(spirv);
  if (!program)
    return program.takeError();
  Program built;
  built.module = std::move(*module);
  std::vector<std::string> emulated = findEmulated(built.module);
  if (emulated.empty()) {
    cl_int code = api.clBuildProgram(program->get(), 1, &id.device, nullptr, nullptr, nullptr);
    if (code != CL_SUCCESS)
      return makeBuildError(program->get(), "building kernels", code);
    built.program = std::move(*program);
    return built;
  }

  Expected<std::string> source = makeSubgroupEmulation(emulated);
  if (!source)
    return source.takeError();
  Expected<OpenCLObject<cl_program>> emulation = compileSource(*source);
  if (!emulation)
    return emulation.takeError();
  cl_int code = api.clCompileProgram(program->get(), 1, &id.device, nullptr, 0, nullptr, nullptr,
                                     nullptr, nullptr);
  if (code != CL_SUCCESS)
    return makeBuildError(program->get(), "compiling kernels", code);
  cl_program parts[] = {program->get(), emulation->get()};
  built.program = {
      api.clLinkProgram(context.get(), 1, &id.device, nullptr, 2, parts, nullptr, nullptr, &code),
      api.clReleaseProgram};
  if (code != CL_SUCCESS)
    return makeBuildError(built.program.get(), "linking kernels", code);
  return built;
}

Expected<OpenCLDevice::Program *> OpenCLDevice::getProgram(llvm::StringRef spirv) {
  auto found = programs.find(spirv.data());
  if (found == programs.end()) {
    Expected<Program> built = buildProgram(spirv);
    if (!built)
      return built.takeError();
    found = programs.try_emplace(spirv.data(), std::move(*built)).first;
  }
  return &found->second;
}

Expected<OpenCLDevice::Kernel *> OpenCLDevice::getKernel(Program &program, const char *name) const {
  auto found = program.kernels.find(name);
  if (found != program.kernels.end())
    return &found->second;
  const SpirvKernel *known = program.module.lookup(name);
  if (!known)
    return makeError("the SPIR-V module has no kernel {0}", quote(name));
  cl_int code = CL_SUCCESS;
  cl_kernel kernel = api.clCreateKernel(program.program.get(), name, &code);
  if (code != CL_SUCCESS)
    return makeOpenCLError("making kernel " + quote(name) + " on " + info.name, code);
  Kernel made{{kernel, api.clReleaseKernel}, known->parameters};
  return &program.kernels.try_emplace(name, std::move(made)).first->second;
}

Error OpenCLDevice::setArguments(const Kernel &kernel, const KernelLaunch &launch) const {
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
    cl_int code =
        isPointer
            ? extension.clSetKernelArgMemPointerINTEL(
                  kernel.kernel.get(), i, reinterpret_cast<const void *>(launch.arguments[i]))
            : api.clSetKernelArg(kernel.kernel.get(), i, parameter.numBytes, &launch.arguments[i]);
    if (code != CL_SUCCESS)
      return makeOpenCLError(
          "setting argument " + llvm::Twine(i) + " of kernel " + quote(launch.kernel), code);
  }
  return Error::success();
}

Error OpenCLDevice::launch(const KernelLaunch &launch) {
  size_t global[3], local[3];
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
  Expected<Kernel *> kernel = getKernel(**program, launch.kernel);
  if (!kernel)
    return kernel.takeError();
  if (Error error = setArguments(**kernel, launch))
    return error;
  if (global[0] == 0 || global[1] == 0 || global[2] == 0)
    return Error::success();
  cl_int code = api.clEnqueueNDRangeKernel(queue.get(), (*kernel)->kernel.get(), 3, nullptr, global,
                                           local, 0, nullptr, nullptr);
  if (code != CL_SUCCESS)
    return makeOpenCLError(
        llvm::formatv("launching {0} with groups {1} x {2} x {3} of {4} x {5} x {6} work-items "
                      "on {7}",
                      quote(launch.kernel), launch.groups[0], launch.groups[1], launch.groups[2],
                      local[0], local[1], local[2], info.name)
            .str(),
        code);
  ++numLaunches;
  return Error::success();
}
