// parse_token: any bytes give a value or an error. A token carries a checksum, which the fuzzer
// would hardly ever hit: the input is also taken as what is under it.
#include <cstdint>
#include <string>

#include "weir/base/assert.h"
#include "weir/sched/token.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const std::string& word : {text, weir::sched::seal_token(text)}) {
    const auto token = weir::sched::parse_token(word);
    if (!token) {
      WEIR_ASSERT(!token.error().what.empty());
      continue;
    }
    WEIR_ASSERT(!token->test.empty());
    WEIR_ASSERT(token->choices.empty() || token->choices.back() != 0);
  }
  return 0;
}
