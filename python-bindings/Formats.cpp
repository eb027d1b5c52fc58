//===- Formats.cpp - Formats as functions -------------------------------===//

#include "Binding.h"

using namespace ssmq::python;

static std::vector<std::string> getDefaultFormats(const std::string &kind) {
  std::vector<std::string> formats;
  auto append = [](const char *data, size_t size, void *userData) {
    static_cast<std::vector<std::string> *>(userData)->emplace_back(data, size);
  };
  check([&] { return ssmqGetDefaultFormats(kind.c_str(), append, &formats); });
  return formats;
}

static Logits roundValues(const std::string &format, const std::string &kind, int64_t headSize,
                          const Values &values) {
  size_t rows = values.shape(0), columns = values.shape(1);
  SsmqValueLayout layout{kind.c_str(), static_cast<int64_t>(rows), static_cast<int64_t>(columns),
                         headSize};
  auto rounded = std::make_unique<float[]>(rows * columns);
  check([&] { return ssmqFormatRound(format.c_str(), &layout, values.data(), rounded.get()); });
  return toArray(std::move(rounded), rows, columns);
}

void ssmq::python::bindFormats(nb::module_ &module) {
  module.def("get_format_spelling", [](const std::string &format) {
    std::string text;
    check([&] { return ssmqFormatGetSpelling(format.c_str(), appendTo, &text); });
    return text;
  });
  module.def("get_default_formats", &getDefaultFormats);
  module.def("get_format_bytes", [](const std::string &format, const std::string &kind,
                                    int64_t rows, int64_t columns, int64_t headSize) {
    int64_t bytes;
    SsmqValueLayout layout{kind.c_str(), rows, columns, headSize};
    check([&] { return ssmqFormatGetNumBytes(format.c_str(), &layout, &bytes); });
    return bytes;
  });
  module.def("round_values", &roundValues, "format"_a, "kind"_a, "head_size"_a, "values"_a);
}
