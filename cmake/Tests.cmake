# gateway_test(NAME DEPENDS floor... SOURCES x.c) declares one cmocka program and its ctest entry.
function(gateway_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPENDS")
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE gateway_flags ${arg_DEPENDS} PkgConfig::CMOCKA)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES TIMEOUT 120)
endfunction()

# What scripts/fuzz builds and reads.
if(GATEWAY_SANITIZE MATCHES "fuzzer")
    add_custom_target(fuzz_targets)
    file(WRITE ${CMAKE_BINARY_DIR}/fuzz_targets.txt "")
endif()

# gateway_fuzz(NAME DEPENDS floor... SOURCES x.c CORPUS folder) declares one fuzz target (a source
# with LLVMFuzzerTestOneInput). Every build replays the corpus as a test; the fuzz preset
# makes it a libFuzzer program as well.
function(gateway_fuzz name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "CORPUS" "SOURCES;DEPENDS")
    cmake_path(ABSOLUTE_PATH arg_CORPUS BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE gateway_flags ${arg_DEPENDS})
    if(GATEWAY_SANITIZE MATCHES "fuzzer")
        target_link_options(${name} PRIVATE -fsanitize=fuzzer)
        add_test(NAME ${name} COMMAND ${name} -runs=0 ${arg_CORPUS})
        add_dependencies(fuzz_targets ${name})
        file(APPEND ${CMAKE_BINARY_DIR}/fuzz_targets.txt
            "${name} ${CMAKE_CURRENT_BINARY_DIR}/${name} ${arg_CORPUS}\n")
    else()
        target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/fuzz/replay.c)
        add_test(NAME ${name} COMMAND ${name} ${arg_CORPUS})
    endif()
    set_tests_properties(${name} PROPERTIES TIMEOUT 300)
endfunction()
