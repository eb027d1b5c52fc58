# Finds CBC 2.10 with its C interface (Debian's coinor-libcbc-dev, or a build under CBC_ROOT).
# Defines the imported target CBC::CBC.
find_path(CBC_INCLUDE_DIR coin/Cbc_C_Interface.h HINTS ${CBC_ROOT} PATH_SUFFIXES include)
find_library(CBC_LIBRARY NAMES CbcSolver HINTS ${CBC_ROOT} PATH_SUFFIXES lib)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CBC REQUIRED_VARS CBC_LIBRARY CBC_INCLUDE_DIR)
if(CBC_FOUND AND NOT TARGET CBC::CBC)
  add_library(CBC::CBC UNKNOWN IMPORTED)
  set_target_properties(CBC::CBC PROPERTIES
    IMPORTED_LOCATION ${CBC_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${CBC_INCLUDE_DIR})
endif()
mark_as_advanced(CBC_INCLUDE_DIR CBC_LIBRARY)
