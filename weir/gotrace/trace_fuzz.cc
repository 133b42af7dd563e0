// Any bytes as a trace: no crash, no event out of the tables, and the same twice.
#include <cstdint>
#include <cstdlib>

#include "weir/gotrace/reader.h"

namespace {

using namespace weir::gotrace;

class Checker : public EventSink {
 public:
  explicit Checker(const Dictionary& dictionary) : dictionary_(dictionary) {}
  void take(std::span<const Event> events) override {
    for (const Event& event : events) {
      if (event.stack >= dictionary_.stack_count() || event.text >= dictionary_.string_count())
        std::abort();
      mixed = mixed * 31 + (static_cast<std::uint64_t>(event.time) ^ event.slot ^ event.stack ^
                            static_cast<std::uint64_t>(event.type));
      ++count;
    }
  }
  std::uint64_t mixed = 0, count = 0;

 private:
  const Dictionary& dictionary_;
};

std::uint64_t read(weir::bytes::Bytes bytes) {
  Dictionary dictionary;
  Checker checker(dictionary);
  weir::Notes notes;
  ReadOptions options;
  const auto facts = read_trace(bytes, dictionary, checker, options, notes);
  // Whatever the bytes, an event of the file gives two events at most.
  if (facts && checker.count > 2 * facts->events) std::abort();
  return checker.mixed ^ (facts ? facts->events : 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const weir::bytes::Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
  if (read(bytes) != read(bytes)) std::abort();
  return 0;
}
