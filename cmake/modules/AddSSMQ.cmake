# One static library a folder: ssmq_add_library(SSMQSupport File.cpp Tensor.cpp LINK SSMQOther ...)
# Libraries named in LINK are ours or third-party; MLIR and LLVM always come from the shared
# libraries, so that a tool never carries a second copy of MLIRContext.
function(ssmq_add_library name)
  cmake_parse_arguments(ARG "NO_MLIR" "" "LINK;DEPENDS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  ssmq_set_compile_options(${name})
  target_link_libraries(${name} PUBLIC ${ARG_LINK} $<IF:$<BOOL:${ARG_NO_MLIR}>,LLVM,MLIR>)
  if(NOT ARG_NO_MLIR)
    target_link_libraries(${name} PUBLIC LLVM)
    add_dependencies(${name} ssmq-headers)
  endif()
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  target_include_directories(${name} INTERFACE
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>
    $<INSTALL_INTERFACE:include>)
  install(TARGETS ${name} EXPORT SSMQTargets COMPONENT development ARCHIVE DESTINATION lib)
endfunction()

function(ssmq_set_compile_options name)
  target_compile_options(${name} PRIVATE -Wall -Wextra -Wno-unused-parameter
    -march=x86-64-v3 -ffp-contract=off)
  if(SSMQ_SANITIZER)
    target_compile_options(${name} PRIVATE -fsanitize=${SSMQ_SANITIZER} -fno-omit-frame-pointer)
    target_link_options(${name} PUBLIC -fsanitize=${SSMQ_SANITIZER})
  endif()
endfunction()

function(ssmq_add_tool name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  ssmq_set_compile_options(${name})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} MLIR LLVM)
  add_dependencies(${name} ssmq-headers)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
  install(TARGETS ${name} COMPONENT tools RUNTIME DESTINATION bin)
endfunction()
