# Debian's libcaf-dev 0.17 ships neither a CMake config nor pkg-config files.
# Targets are named as in CAF >= 0.18's own package: CAF::core, CAF::io.
find_path(CAF_INCLUDE_DIR caf/config.hpp)
if(CAF_INCLUDE_DIR)
  file(STRINGS "${CAF_INCLUDE_DIR}/caf/config.hpp" _caf_line
    REGEX "#define CAF_VERSION [0-9]+")
  string(REGEX MATCH "[0-9]+" _caf_number "${_caf_line}")
  math(EXPR _caf_major "${_caf_number} / 10000")
  math(EXPR _caf_minor "(${_caf_number} / 100) % 100")
  math(EXPR _caf_patch "${_caf_number} % 100")
  set(CAF_VERSION "${_caf_major}.${_caf_minor}.${_caf_patch}")
endif()
find_package(Threads REQUIRED)
foreach(_caf_part core io)
  find_library(CAF_${_caf_part}_LIBRARY caf_${_caf_part})
  if(CAF_${_caf_part}_LIBRARY AND NOT TARGET CAF::${_caf_part})
    add_library(CAF::${_caf_part} UNKNOWN IMPORTED)
    set_target_properties(CAF::${_caf_part} PROPERTIES
      IMPORTED_LOCATION "${CAF_${_caf_part}_LIBRARY}"
      INTERFACE_INCLUDE_DIRECTORIES "${CAF_INCLUDE_DIR}")
    set(CAF_${_caf_part}_FOUND TRUE)
  endif()
endforeach()
if(TARGET CAF::core)
  set_property(TARGET CAF::core PROPERTY INTERFACE_LINK_LIBRARIES Threads::Threads)
endif()
if(TARGET CAF::io)
  set_property(TARGET CAF::io PROPERTY INTERFACE_LINK_LIBRARIES CAF::core)
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CAF
  REQUIRED_VARS CAF_INCLUDE_DIR CAF_core_LIBRARY
  VERSION_VAR CAF_VERSION HANDLE_COMPONENTS)
