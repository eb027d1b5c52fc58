//===- Double.cpp - An OpenCL loader that tests can break -----------------===//

#include "Double.h"

#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <tuple>
#include <type_traits>

using namespace ssmq;

namespace {
/// $SSMQ_DOUBLE, and the calls.
struct Script {
  std::multimap<std::string, std::string> words;
  std::map<std::string, int> calls;
  std::mutex mutex;

  Script() {
    const char *text = std::getenv("SSMQ_DOUBLE");
    std::istringstream stream(text ? text : "");
    for (std::string word; stream >> word;) {
      size_t equals = word.find('=');
      words.emplace(word.substr(0, equals),
                    equals == std::string::npos ? "" : word.substr(equals + 1));
    }
  }
  ~Script() {
    const std::string *file = findWord("count");
    if (!file)
      return;
    std::ofstream stream(*file);
    for (const auto &[call, count] : calls)
      stream << call << " " << count << "\n";
  }

  /// Counts a call; the code that it fails with, or 0.
  cl_int count(const std::string &function, const std::string &detail) {
    std::lock_guard<std::mutex> lock(mutex);
    if (!detail.empty())
      ++calls[function + " " + detail];
    int number = ++calls[function];
    for (auto [at, end] = words.equal_range("fail"); at != end; ++at) {
      std::istringstream stream(at->second);
      std::string name;
      int code = 0, from = 1;
      char colon;
      std::getline(stream, name, ':') >> code >> colon >> from;
      if (name == function && number >= from)
        return code;
    }
    return CL_SUCCESS;
  }
};
} // namespace

static Script &getScript() {
  static Script script;
  return script;
}

const std::string *ssmq::findWord(const std::string &word) {
  auto found = getScript().words.find(word);
  return found == getScript().words.end() ? nullptr : &found->second;
}

static void *findExtension(cl_platform_id, const char *name);

Functions &ssmq::getFunctions() {
  static Functions functions = [] {
    Functions made;
    (findWord("real") ? forward : pretend)(made);
    hideFeatures(made);
    if (findWord("command-buffers"))
      recordLaunches(made);
    made.clGetExtensionFunctionAddressForPlatform = findExtension;
    return made;
  }();
  return functions;
}

void ssmq::forward(Functions &functions) {
  void *loader = dlopen("libOpenCL.so.1", RTLD_NOW);
  if (!loader)
    return;
#define SSMQ_FIND(NAME)                                                                            \
  functions.NAME = reinterpret_cast<decltype(functions.NAME)>(dlsym(loader, #NAME));
  SSMQ_OPENCL_FUNCTIONS(SSMQ_FIND)
#undef SSMQ_FIND
  cl_platform_id platform;
  if (!functions.clGetPlatformIDs || functions.clGetPlatformIDs(1, &platform, nullptr))
    return;
#define SSMQ_FIND(NAME)                                                                            \
  functions.NAME = reinterpret_cast<NAME##_fn>(                                                    \
      functions.clGetExtensionFunctionAddressForPlatform(platform, #NAME));
  SSMQ_OPENCL_EXTENSION_FUNCTIONS(SSMQ_FIND)
  SSMQ_OPENCL_COMMAND_BUFFER_FUNCTIONS(SSMQ_FIND)
#undef SSMQ_FIND
}

/// What is counted apart: waits, and options of a build.
template <typename... Args>
static std::string describe(const char *, Args...) {
  return "";
}
static std::string describe(const char *, cl_command_queue, cl_bool blocking, void *, const void *,
                            size_t, cl_uint, const cl_event *, cl_event *) {
  return blocking ? "blocking" : "";
}
static std::string describe(const char *, cl_program, cl_uint, const cl_device_id *,
                            const char *options, void (*)(cl_program, void *), void *) {
  return options ? options : "";
}
static std::string describe(const char *name, cl_program program, cl_uint count,
                            const cl_device_id *devices, const char *options, cl_uint,
                            const cl_program *, const char **, void (*callback)(cl_program, void *),
                            void *data) {
  return describe(name, program, count, devices, options, callback, data);
}

namespace {
/// The function that ssmq gets for an entry of the table.
template <auto member, typename F>
struct Wrapper;
template <auto member, typename R, typename... Args>
struct Wrapper<member, R (*)(Args...)> {
  static const char *name;

  static R call(Args... args) {
    cl_int code = getScript().count(name, describe(name, args...));
    if (code == CL_SUCCESS)
      return (getFunctions().*member)(args...);
    if constexpr (std::is_same_v<R, cl_int>) {
      return code;
    } else {
      // Functions that make something give their code by the last argument.
      auto last = std::get<sizeof...(Args) - 1>(std::tuple<Args...>(args...));
      if constexpr (std::is_same_v<decltype(last), cl_int *>)
        *last = code;
      return nullptr;
    }
  }
};
} // namespace

#define SSMQ_WRAPPER(NAME) Wrapper<&Functions::NAME, decltype(Functions::NAME)>
#define SSMQ_NAME(NAME)                                                                            \
  template <>                                                                                      \
  const char *SSMQ_WRAPPER(NAME)::name = #NAME;
SSMQ_OPENCL_FUNCTIONS(SSMQ_NAME)
SSMQ_OPENCL_EXTENSION_FUNCTIONS(SSMQ_NAME)
SSMQ_OPENCL_COMMAND_BUFFER_FUNCTIONS(SSMQ_NAME)

static void *findExtension(cl_platform_id, const char *name) {
#define SSMQ_FIND(NAME)                                                                            \
  if (!std::strcmp(name, #NAME))                                                                   \
    return getFunctions().NAME ? reinterpret_cast<void *>(&SSMQ_WRAPPER(NAME)::call) : nullptr;
  SSMQ_OPENCL_EXTENSION_FUNCTIONS(SSMQ_FIND)
  SSMQ_OPENCL_COMMAND_BUFFER_FUNCTIONS(SSMQ_FIND)
#undef SSMQ_FIND
  return nullptr;
}

// Exported under the names of OpenCL, with the types of its header.
extern "C" {
#define SSMQ_EXPORT(NAME)                                                                          \
  void *ssmq_resolve_##NAME() { return reinterpret_cast<void *>(&SSMQ_WRAPPER(NAME)::call); }      \
  __attribute__((visibility("default"), ifunc("ssmq_resolve_" #NAME))) decltype(::NAME) NAME;
SSMQ_OPENCL_FUNCTIONS(SSMQ_EXPORT)
}
