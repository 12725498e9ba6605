# roster_link_statically(TARGET): links what the program is built on into it, where this system has the archives.
#
# Each `roster list` is a new process. With shared libraries it loads ninety and resolves 21,000 symbols before it can
# ask, and the daemon touches a part of each. The archives are gRPC's variant without TLS, which a unix socket has no
# use for; the library `roster`, which other programs link, goes on to use what its users have.
option(ROSTER_STATIC_DEPENDENCIES "Link gRPC, protobuf, Abseil and libbpf into the program where there are archives" ON)

include(CheckLinkerFlag)

function(roster_link_statically TARGET)
  # A sanitizer sees more of what goes through shared libraries: their functions are intercepted.
  if(NOT ROSTER_STATIC_DEPENDENCIES OR ROSTER_SANITIZE)
    return()
  endif()
  set(archives)
  foreach(name grpc++_unsecure grpc_unsecure gpr upb address_sorting re2 cares protobuf bpf elf z)
    find_library(archive_${name} lib${name}.a NO_CACHE)
    if(NOT archive_${name})
      message(STATUS "The program is linked with shared libraries: there is no lib${name}.a")
      return()
    endif()
    list(APPEND archives ${archive_${name}})
  endforeach()
  cmake_path(GET archive_grpc++_unsecure PARENT_PATH directory)
  # All of Abseil there is: the linker takes what is asked for.
  file(GLOB abseil ${directory}/libabsl_*.a)

  # Behind our own libraries, and before the shared ones that these bring: nothing is left for those to resolve, and so
  # they are dropped.
  target_link_libraries(${TARGET} PRIVATE
    roster-daemon roster-proto roster-reader roster -Wl,--start-group ${archives} ${abseil} -Wl,--end-group)
  target_link_options(${TARGET} PRIVATE -Wl,--as-needed -Wl,--gc-sections)
  # A tenth of the size of the relocations that are left; needs glibc 2.36 where the program runs, as where it is built.
  check_linker_flag(CXX -Wl,-z,pack-relative-relocs ROSTER_PACKS_RELOCATIONS)
  if(ROSTER_PACKS_RELOCATIONS)
    target_link_options(${TARGET} PRIVATE -Wl,-z,pack-relative-relocs)
  endif()
  target_sources(${TARGET} PRIVATE $<TARGET_OBJECTS:roster-late-curl>)
  target_link_libraries(${TARGET} PRIVATE ${CMAKE_DL_LIBS})
  set_target_properties(${TARGET} PROPERTIES ROSTER_STATIC_DEPENDENCIES TRUE)
endfunction()
