# Makes a libbpf skeleton from one BPF source.
#
#   roster_skeleton(NAME SOURCE)
#
# compiles SOURCE for the BPF target and runs `bpftool gen skeleton` on the object. Adds the INTERFACE
# target NAME-skel, which gives its users the header "NAME.skel.h". The headers that SOURCE includes are
# tracked through the compiler's dependency file, so that an edited header rebuilds the object.
find_program(ROSTER_BPF_CLANG NAMES clang clang-19 clang-16 clang-14 REQUIRED
             DOC "The clang that compiles for the BPF target")
find_program(ROSTER_LLVM_STRIP NAMES llvm-strip llvm-strip-14 REQUIRED)
find_program(ROSTER_BPFTOOL bpftool PATHS /usr/sbin /sbin REQUIRED)
set(ROSTER_SKEL_DIR ${CMAKE_BINARY_DIR}/skel)

# libbpf's headers pull in <asm/types.h>, which Debian keeps in a multiarch directory that the BPF
# target does not search.
execute_process(COMMAND ${CMAKE_C_COMPILER} -print-multiarch
                OUTPUT_VARIABLE ROSTER_MULTIARCH OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)

function(roster_bpf_object NAME SOURCE OBJECT)
  get_filename_component(source ${SOURCE} ABSOLUTE)
  file(MAKE_DIRECTORY ${ROSTER_SKEL_DIR})
  string(REGEX REPLACE "x86_64|amd64|AMD64" "x86" arch ${CMAKE_SYSTEM_PROCESSOR})
  string(REGEX REPLACE "aarch64" "arm64" arch ${arch})
  add_custom_command(
    OUTPUT ${OBJECT}
    COMMAND ${ROSTER_BPF_CLANG} -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Wno-unused-parameter
            -D__TARGET_ARCH_${arch} -I${PROJECT_SOURCE_DIR}/bpf -I${PROJECT_SOURCE_DIR}/maps
            -idirafter /usr/include/${ROSTER_MULTIARCH}
            -ffile-prefix-map=${PROJECT_SOURCE_DIR}/=
            -MD -MF ${OBJECT}.d -c ${source} -o ${OBJECT}
    COMMAND ${ROSTER_LLVM_STRIP} -g ${OBJECT}
    DEPENDS ${source} DEPFILE ${OBJECT}.d
    COMMENT "BPF ${NAME}" VERBATIM)
endfunction()

function(roster_skeleton NAME SOURCE)
  set(object ${ROSTER_SKEL_DIR}/${NAME}.bpf.o)
  set(header ${ROSTER_SKEL_DIR}/${NAME}.skel.h)
  roster_bpf_object(${NAME} ${SOURCE} ${object})
  string(REPLACE "-" "_" identifier ${NAME})
  add_custom_command(
    OUTPUT ${header}
    COMMAND sh -c "'${ROSTER_BPFTOOL}' gen skeleton '${object}' name '${identifier}_bpf' > '${header}.new' && mv '${header}.new' '${header}'"
    DEPENDS ${object} COMMENT "Skeleton ${NAME}" VERBATIM)
  add_custom_target(${NAME}-skel-header DEPENDS ${header})
  add_library(${NAME}-skel INTERFACE)
  add_dependencies(${NAME}-skel ${NAME}-skel-header)
  target_include_directories(${NAME}-skel SYSTEM INTERFACE ${ROSTER_SKEL_DIR})
endfunction()
