//===- Features.cpp - Hides and offers features of devices ----------------===//

#include "Double.h"

#include <cstring>
#include <vector>

using namespace ssmq;

/// What answers but for the words of $SSMQ_DOUBLE.
static Functions original;

static bool isHidden(const std::string &what) {
  const std::string *hidden = findWord("without");
  return hidden && *hidden == what;
}

static void erase(std::string &text, const std::string &word) {
  size_t at = text.find(word);
  if (at != std::string::npos)
    text.erase(at, word.size());
}

/// The whole answer to a question, with what is hidden taken out.
static cl_int ask(cl_device_id device, cl_device_info what, std::string &bytes) {
  if (what == CL_DEVICE_COMMAND_BUFFER_REQUIRED_QUEUE_PROPERTIES_KHR) {
    const std::string *offered = findWord("command-buffers");
    cl_command_queue_properties required =
        offered && !offered->empty() ? CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE : 0;
    bytes.assign(reinterpret_cast<const char *>(&required), sizeof(required));
    return offered ? CL_SUCCESS : CL_INVALID_VALUE;
  }
  size_t size = 0;
  cl_int code = original.clGetDeviceInfo(device, what, 0, nullptr, &size);
  bytes.resize(size);
  if (code == CL_SUCCESS)
    code = original.clGetDeviceInfo(device, what, size, bytes.data(), nullptr);
  if (code != CL_SUCCESS)
    return code;
  if (what == CL_DEVICE_IL_VERSION && isHidden("spirv"))
    bytes.assign(1, 0);
  if (what == CL_DEVICE_SUB_GROUP_SIZES_INTEL && isHidden("subgroups"))
    bytes.resize(sizeof(size_t));
  if (what == CL_DEVICE_SINGLE_FP_CONFIG && isHidden("rounding"))
    bytes.assign(bytes.size(), 0);
  if (what == CL_DEVICE_EXTENSIONS) {
    if (isHidden("half"))
      erase(bytes, "cl_khr_fp16");
    if (isHidden("usm"))
      erase(bytes, "cl_intel_unified_shared_memory");
    if (isHidden("command-buffers"))
      erase(bytes, "cl_khr_command_buffer ");
    if (findWord("command-buffers"))
      bytes.insert(0, "cl_khr_command_buffer ");
  }
  return CL_SUCCESS;
}

static cl_int getDeviceInfo(cl_device_id device, cl_device_info what, size_t room, void *out,
                            size_t *outSize) {
  std::string bytes;
  if (cl_int code = ask(device, what, bytes))
    return code;
  if (out && room < bytes.size())
    return CL_INVALID_VALUE;
  if (out)
    std::memcpy(out, bytes.data(), bytes.size());
  if (outSize)
    *outSize = bytes.size();
  return CL_SUCCESS;
}

void ssmq::hideFeatures(Functions &functions) {
  original = functions;
  functions.clGetDeviceInfo = getDeviceInfo;
  if (findWord("no-platform"))
    functions.clGetPlatformIDs = [](cl_uint, cl_platform_id *, cl_uint *) {
      return CL_PLATFORM_NOT_FOUND_KHR;
    };
  if (findWord("no-device"))
    functions.clGetDeviceIDs = [](cl_platform_id, cl_device_type, cl_uint, cl_device_id *,
                                  cl_uint *) { return CL_DEVICE_NOT_FOUND; };
}
