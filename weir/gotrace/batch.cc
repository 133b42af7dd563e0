#include "weir/gotrace/batch.h"

#include <fmt/format.h>

namespace weir::gotrace {
namespace {

EventType kind_of(std::uint8_t first_byte) {
  switch (const auto type = static_cast<EventType>(first_byte)) {
    case EventType::stacks:
    case EventType::strings:
    case EventType::cpu_samples:
    case EventType::frequency:  // the whole sync batch of 1.22 to 1.24
    case EventType::sync:
      return type;
    default:
      return EventType::event_batch;
  }
}

}  // namespace

Result<std::optional<Batch>> BatchWalk::next() {
  if (at_ >= file_.size()) return std::optional<Batch>{};
  bytes::Cursor cursor(file_.subspan(at_));
  Batch batch;
  const auto type = static_cast<EventType>(cursor.u8());
  if (type == EventType::end_of_generation) {
    batch.kind = type;
    at_ += 1;
    batch.offset = at_;
    return std::optional(batch);
  }
  if (type != EventType::event_batch && type != EventType::experimental_batch)
    return fail(ErrorCode::invalid,
                fmt::format("a batch of events should begin here, and this is byte {}",
                            static_cast<unsigned>(type)),
                FileOffset{at_});
  if (type == EventType::experimental_batch) batch.experiment = cursor.u8();
  batch.generation = cursor.varint();
  batch.thread = cursor.varint();
  batch.time = cursor.varint();
  const std::uint64_t size = cursor.varint();
  if (!cursor.ok())
    return fail(ErrorCode::truncated, "the file ends within a batch's header", FileOffset{at_});
  if (size > largest_batch)
    return fail(
        ErrorCode::invalid,
        fmt::format("a batch of {} bytes; the largest possible has {}", size, largest_batch),
        FileOffset{at_});
  if (size > cursor.left())
    return fail(
        ErrorCode::truncated,
        fmt::format("the file ends within a batch: {} bytes of {} are there", cursor.left(), size),
        FileOffset{at_});
  batch.offset = at_ + cursor.pos();
  batch.size = static_cast<std::uint32_t>(size);
  if (type == EventType::experimental_batch)
    batch.kind = type;
  else if (size > 0)
    batch.kind = kind_of(static_cast<std::uint8_t>(file_[batch.offset]));
  at_ = batch.offset + size;
  return std::optional(batch);
}

}  // namespace weir::gotrace
