# What `cmake --install` puts where: the headers, both libraries, the program, the unit, and the two ways by which
# another project finds them (a CMake package and pkg-config). Included at the end of the top CMakeLists.txt.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/roster)

# maps/CMakeLists.txt installs the two headers of the ABI.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/userspace/include/roster/
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/roster FILES_MATCHING PATTERN "*.h")
install(TARGETS roster roster-reader EXPORT rosterTargets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})

install(EXPORT rosterTargets NAMESPACE roster:: DESTINATION ${package_dir})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/rosterConfig.cmake.in
                              ${CMAKE_BINARY_DIR}/rosterConfig.cmake INSTALL_DESTINATION ${package_dir}
                              PATH_VARS CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/rosterConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/rosterConfig.cmake ${CMAKE_BINARY_DIR}/rosterConfigVersion.cmake
        DESTINATION ${package_dir})

# Both say where they are relative to the prefix, or at the time of the installation: `cmake --install --prefix` may
# name another one than the build was configured with.
file(RELATIVE_PATH pc_to_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
foreach(name roster roster-reader)
  configure_file(${CMAKE_CURRENT_LIST_DIR}/${name}.pc.in ${CMAKE_BINARY_DIR}/${name}.pc @ONLY)
  install(FILES ${CMAKE_BINARY_DIR}/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()

install(CODE "
  set(PROJECT_DESCRIPTION \"${PROJECT_DESCRIPTION}\")
  set(roster_program \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/roster\")
  configure_file(${CMAKE_CURRENT_LIST_DIR}/../roster.service.in ${CMAKE_BINARY_DIR}/roster.service @ONLY)")
install(FILES ${CMAKE_BINARY_DIR}/roster.service DESTINATION lib/systemd/system)
