//===- Module.cpp - The Python module _ssmq over the C interface --------===//

#include "Binding.h"

using namespace ssmq::python;

NB_MODULE(_ssmq, module) {
  module.doc() = "Bindings of the C interface of ssmq; use the package ssmq.";

  nb::register_exception_translator([](const std::exception_ptr &pointer, void *) {
    try {
      std::rethrow_exception(pointer);
    } catch (const Failure &failure) {
      nb::object type = nb::module_::import_("ssmq.errors").attr("Error");
      nb::object error = type(failure.message, static_cast<int>(failure.status));
      PyErr_SetObject(type.ptr(), error.ptr());
    }
  });

  bindEvaluation(module);
  bindFormats(module);
  bindPrograms(module);
  bindTraining(module);

  module.def("assign",
             [](const std::string &request, const std::optional<std::string> &assignment) {
               std::string text;
               check([&] {
                 return ssmqAssign(request.c_str(), assignment ? assignment->c_str() : nullptr,
                                   appendTo, &text);
               });
               return text;
             });
  module.def("compute_front", [](const std::string &request, size_t maxPoints) {
    std::string text;
    check([&] { return ssmqComputeFront(request.c_str(), maxPoints, appendTo, &text); });
    return text;
  });

  module.def("list_devices", [] {
    std::string text;
    check([&] { return ssmqListDevices(appendTo, &text); });
    return text;
  });
  module.def("merge_tables", [](const std::vector<std::string> &tables, const std::string &merged) {
    std::vector<const char *> paths;
    for (const std::string &table : tables)
      paths.push_back(table.c_str());
    check([&] { return ssmqMergeTables(paths.data(), paths.size(), merged.c_str()); });
  });
}
