//===- Context.cpp - Contexts of the C interface --------------------------===//

#include "Handles.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllPasses.h"
#include "ssmq/InitAll.h"
#include "llvm/Support/thread.h"
#include <exception>

using namespace ssmq;
using llvm::Error;

/// As in ssmq-opt.
static constexpr unsigned kStackBytes = 1u << 30;

SsmqStatus ssmqContextCreate(SsmqContext **context) {
  return capi::guard([&]() -> Error {
    if (Error error = capi::checkPointers({context}))
      return error;
    static std::once_flag once;
    std::call_once(once, [] {
      mlir::registerAllPasses();
      mlir::ssm::registerAllPasses();
    });
    mlir::DialectRegistry registry;
    mlir::registerAllDialects(registry);
    mlir::ssm::registerAllDialects(registry);
    *context = new SsmqContext{std::make_shared<capi::SharedContext>(registry)};
    return Error::success();
  });
}

void ssmqContextDestroy(SsmqContext *context) { delete context; }

/// "file:line:column: message", and the notes after it in brackets.
static void append(std::string &text, mlir::Diagnostic &diagnostic) {
  llvm::raw_string_ostream stream(text);
  if (!mlir::isa<mlir::UnknownLoc>(diagnostic.getLocation()))
    stream << diagnostic.getLocation() << ": ";
  stream << diagnostic;
  for (mlir::Diagnostic &note : diagnostic.getNotes())
    stream << " (" << note << ')';
  stream << '\n';
}

Error capi::runInContext(SharedContext &shared, llvm::function_ref<Error()> body) {
  std::lock_guard<std::mutex> lock(shared.mutex);
  std::string reported;
  mlir::ScopedDiagnosticHandler handler(&shared.context, [&](mlir::Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error)
      append(reported, diagnostic);
  });

  Error result = Error::success();
  std::exception_ptr exception;
  llvm::thread worker(std::optional<unsigned>(kStackBytes), [&] {
    try {
      result = body();
    } catch (...) {
      exception = std::current_exception();
    }
  });
  worker.join();
  if (exception) {
    llvm::consumeError(std::move(result));
    std::rethrow_exception(exception);
  }
  if (!result || reported.empty())
    return result;
  std::error_code code;
  llvm::handleAllErrors(std::move(result), [&](const llvm::ErrorInfoBase &error) {
    code = error.convertToErrorCode();
  });
  return llvm::createStringError(code, reported);
}
