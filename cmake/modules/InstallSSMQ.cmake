# Makes find_package(SSMQ) work against the build tree (SSMQ_DIR=BUILD/lib/cmake/ssmq) and against an
# install prefix. Components: tools, development; the Python package is installed by pip.
include(CMakePackageConfigHelpers)
set(SSMQ_CMAKE_FOLDER lib/cmake/ssmq)
set(SSMQ_CONFIG_FOLDER ${PROJECT_BINARY_DIR}/${SSMQ_CMAKE_FOLDER})

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/SSMQConfig.cmake.in
  ${SSMQ_CONFIG_FOLDER}/SSMQConfig.cmake INSTALL_DESTINATION ${SSMQ_CMAKE_FOLDER})
# LLVM's C++ interface changes with each minor version, and so does ours.
write_basic_package_version_file(${SSMQ_CONFIG_FOLDER}/SSMQConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
foreach(module FindCBC FindOneDNN)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/modules/${module}.cmake
    ${SSMQ_CONFIG_FOLDER}/${module}.cmake COPYONLY)
endforeach()

export(EXPORT SSMQTargets NAMESPACE SSMQ:: FILE ${SSMQ_CONFIG_FOLDER}/SSMQTargets.cmake)
install(EXPORT SSMQTargets NAMESPACE SSMQ:: COMPONENT development
  DESTINATION ${SSMQ_CMAKE_FOLDER})
install(FILES ${SSMQ_CONFIG_FOLDER}/SSMQConfig.cmake ${SSMQ_CONFIG_FOLDER}/SSMQConfigVersion.cmake
  ${SSMQ_CONFIG_FOLDER}/FindCBC.cmake ${SSMQ_CONFIG_FOLDER}/FindOneDNN.cmake
  COMPONENT development DESTINATION ${SSMQ_CMAKE_FOLDER})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/ ${PROJECT_BINARY_DIR}/include/
  COMPONENT development DESTINATION include
  FILES_MATCHING PATTERN "*.h" PATTERN "*.inc" PATTERN "*.td" PATTERN "CMakeFiles" EXCLUDE)
