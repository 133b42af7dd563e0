# weir_precompile(<target> [FROM <target>] [TESTS])
#
# The headers that most files include, parsed once: for the target itself, or the ones that target FROM has
# parsed, which must be of the same kind (library or program) and have the same flags. TESTS: GoogleTest's too.
# Without effect where ccache is found: it makes the same files cheaper still, and takes no notice of these.
# tools/lint looks at every file without them, so each still includes what it uses.
option(WEIR_PRECOMPILE "parse the common headers once" ON)
set(WEIR_COMMON_HEADERS
  <algorithm> <array> <charconv> <chrono> <cstdint> <cstdlib> <cstring> <filesystem> <fstream> <functional> <map> <memory>
  <optional> <set> <span> <sstream> <string> <string_view> <unordered_map> <utility> <vector> <fmt/format.h>)
function(weir_precompile target)
  cmake_parse_arguments(arg "TESTS" "FROM" "" ${ARGN})
  if(CCACHE OR NOT WEIR_PRECOMPILE)
    return()
  endif()
  if(arg_FROM)
    target_precompile_headers(${target} REUSE_FROM ${arg_FROM})
  elseif(arg_TESTS)
    target_precompile_headers(${target} PRIVATE ${WEIR_COMMON_HEADERS} <gmock/gmock.h> <gtest/gtest.h>)
  else()
    target_precompile_headers(${target} PRIVATE ${WEIR_COMMON_HEADERS})
  endif()
endfunction()
