# cmake --install build/release --component sdk [--prefix P]: the client library for find_package(kms) and pkg-config.
# Everything goes below lib/ and include/, so that the package may be moved.
include(CMakePackageConfigHelpers)
set(KMS_SDK_LIBRARIES kms_base kms_base_io kms_crypto kms_sdk kms_sdk_io)
add_custom_target(sdk DEPENDS ${KMS_SDK_LIBRARIES})
install(TARGETS ${KMS_SDK_LIBRARIES} EXPORT kms-targets ARCHIVE DESTINATION lib COMPONENT sdk EXCLUDE_FROM_ALL)
install(EXPORT kms-targets NAMESPACE kms:: DESTINATION lib/cmake/kms COMPONENT sdk EXCLUDE_FROM_ALL)
foreach(folder base base/io crypto sdk sdk/io)
  file(GLOB headers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.h)
  install(FILES ${headers} DESTINATION include/kms/${folder} COMPONENT sdk EXCLUDE_FROM_ALL)
endforeach()
configure_file(cmake/client.h.in ${CMAKE_BINARY_DIR}/package/client.h @ONLY)
configure_file(cmake/kms.pc.in ${CMAKE_BINARY_DIR}/package/kms.pc @ONLY)
configure_package_config_file(cmake/kms-config.cmake.in ${CMAKE_BINARY_DIR}/package/kms-config.cmake
  INSTALL_DESTINATION lib/cmake/kms NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/package/kms-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/package/client.h DESTINATION include/kms COMPONENT sdk EXCLUDE_FROM_ALL)
install(FILES ${CMAKE_BINARY_DIR}/package/kms.pc DESTINATION lib/pkgconfig COMPONENT sdk EXCLUDE_FROM_ALL)
install(FILES ${CMAKE_BINARY_DIR}/package/kms-config.cmake ${CMAKE_BINARY_DIR}/package/kms-config-version.cmake
  DESTINATION lib/cmake/kms COMPONENT sdk EXCLUDE_FROM_ALL)
