#pragma once
// For tests: writes traces of format 2 by hand.
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "weir/gotrace/batch.h"

namespace weir::gotrace {

class TraceBuilder {
 public:
  explicit TraceBuilder(std::string_view version = "1.26") {
    bytes_ = "go ";
    (bytes_ += version) += " trace";
    bytes_.resize(Header::size, '\0');
  }

  /// Events of one thread; each is type, ticks since the one before, arguments.
  struct Item {
    EventType type;
    std::initializer_list<std::uint64_t> numbers;
  };
  TraceBuilder& events(std::uint64_t generation, std::uint64_t thread, std::uint64_t time,
                       std::initializer_list<Item> items) {
    std::string data;
    for (const Item& item : items) {
      data += static_cast<char>(item.type);
      for (const std::uint64_t number : item.numbers) append(data, number);
    }
    return batch(generation, thread, time, data);
  }
  TraceBuilder& sync(std::uint64_t generation, std::uint64_t frequency = 15'625'000) {
    std::string data(1, static_cast<char>(EventType::sync));
    data += static_cast<char>(EventType::frequency);
    append(data, frequency);
    return batch(generation, no_thread, 1, data);
  }
  /// Numbered from 1.
  TraceBuilder& strings(std::uint64_t generation, std::initializer_list<std::string_view> texts) {
    std::string data(1, static_cast<char>(EventType::strings));
    std::uint64_t id = 0;
    for (const std::string_view text : texts) {
      data += static_cast<char>(EventType::string);
      append(data, ++id);
      append(data, text.size());
      data += text;
    }
    return batch(generation, no_thread, 1, data);
  }
  /// Stack `id` of one frame.
  TraceBuilder& stack(std::uint64_t generation, std::uint64_t id, std::uint64_t function) {
    std::string data(1, static_cast<char>(EventType::stacks));
    data += static_cast<char>(EventType::stack);
    for (const std::uint64_t number :
         {id, std::uint64_t{1}, 0x1000 + function, function, std::uint64_t{0}, std::uint64_t{7}})
      append(data, number);
    return batch(generation, no_thread, 1, data);
  }
  TraceBuilder& end() {
    bytes_ += static_cast<char>(EventType::end_of_generation);
    return *this;
  }
  TraceBuilder& batch(std::uint64_t generation, std::uint64_t thread, std::uint64_t time,
                      std::string_view data) {
    bytes_ += static_cast<char>(EventType::event_batch);
    for (const std::uint64_t number : {generation, thread, time, std::uint64_t{data.size()}})
      append(bytes_, number);
    bytes_ += data;
    return *this;
  }
  const std::string& text() const { return bytes_; }
  bytes::Bytes bytes() const { return bytes::as_bytes(bytes_); }

 private:
  static void append(std::string& to, std::uint64_t number) {
    for (; number >= 0x80; number >>= 7) to += static_cast<char>(0x80 | (number & 0x7f));
    to += static_cast<char>(number);
  }

  std::string bytes_;
};

}  // namespace weir::gotrace
