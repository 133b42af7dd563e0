#include "weir/store/encode.h"

#include <type_traits>

namespace weir::store {
namespace {

using model::Blocking;
using model::ChannelCase;
using model::Frame;
using model::Goroutine;

// Numbers are LEB128, texts have their length before them. One list of fields per value serves both
// directions: `io(value)` writes it or reads it.

class Writer {
 public:
  static constexpr bool reads = false;
  std::string take() { return std::move(out_); }

  void number(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_ += static_cast<char>(value | 0x80);
    out_ += static_cast<char>(value);
  }
  void io(const std::string& text) {
    number(text.size());
    out_ += text;
  }
  template <class T>
  void integer(const T& value) {
    number(static_cast<std::uint64_t>(value));
  }
  template <class T>
  std::size_t size(const T& list) {
    number(list.size());
    return list.size();
  }

 private:
  std::string out_;
};

class Reader {
 public:
  static constexpr bool reads = true;
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  bool whole() const { return good_ && rest_.empty(); }
  void refuse() {
    good_ = false;
    rest_ = {};
  }

  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) break;
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    refuse();
    return 0;
  }
  void io(std::string& text) {
    const std::uint64_t length = number();
    if (length > rest_.size()) {
      refuse();
      return;
    }
    text = rest_.substr(0, length);
    rest_.remove_prefix(length);
  }
  template <class T>
  void integer(T& value) {
    value = static_cast<T>(number());
  }
  /// Every element takes a byte at least, which bounds the size of the list.
  template <class T>
  std::size_t size(T& list) {
    const std::uint64_t count = number();
    if (count > rest_.size()) {
      refuse();
      return 0;
    }
    list.resize(count);
    return count;
  }

 private:
  std::string_view rest_;
  bool good_ = true;
};

/// The value itself for reading, const for writing.
template <class Io, class T>
using Ref = std::conditional_t<Io::reads, T&, const T&>;

template <class Io>
void fields(Io& io, Ref<Io, Nanos> time) {
  io.integer(time.value);
}

template <class Io>
void fields(Io& io, Ref<Io, Frame> frame) {
  io.io(frame.function);
  io.io(frame.file);
  io.integer(frame.line);
  io.integer(frame.inlined);
  io.integer(frame.wrapper);
}

template <class Io>
void fields(Io& io, Ref<Io, ChannelCase> one) {
  io.integer(one.direction);
  io.integer(one.channel.address.value);
  io.io(one.channel.element_type);
  io.integer(one.channel.length);
  io.integer(one.channel.capacity);
  io.integer(one.channel.closed);
  io.integer(one.channel.timer);
}

template <class Io>
void fields(Io& io, Ref<Io, std::pair<std::string, std::string>> label) {
  io.io(label.first);
  io.io(label.second);
}

template <class Io, class T>
void list(Io& io, T& elements) {
  const std::size_t count = io.size(elements);
  for (std::size_t i = 0; i < count; ++i) fields(io, elements[i]);
}

/// `present(io, value)` for the value inside, if there is one.
template <class Io, class T, class Present>
void optional(Io& io, T& value, Present present) {
  bool there = value.has_value();
  io.integer(there);
  if (!there) return;
  if constexpr (Io::reads) value.emplace();
  present(*value);
}

template <class Io>
void fields(Io& io, Ref<Io, Blocking> blocked) {
  io.integer(blocked.kind);
  list(io, blocked.cases);
  io.integer(blocked.object.value);
  optional(io, blocked.fd, [&](auto& fd) { io.integer(fd); });
  io.io(blocked.fd_target);
  optional(io, blocked.io_direction, [&](auto& direction) { io.integer(direction); });
  optional(io, blocked.wakes_in, [&](auto& time) { fields(io, time); });
  io.io(blocked.unknown_why);
}

template <class Io>
void fields(Io& io, Ref<Io, Goroutine> goroutine) {
  io.integer(goroutine.id.value);
  io.integer(goroutine.status);
  io.io(goroutine.wait_reason);
  optional(io, goroutine.waiting_at_least, [&](auto& time) { fields(io, time); });
  io.integer(goroutine.stack_truncated);
  io.io(goroutine.created.function);
  io.io(goroutine.created.file);
  io.integer(goroutine.created.line);
  io.integer(goroutine.created.by.value);
  io.io(goroutine.start_function);
  list(io, goroutine.labels);
  io.integer(goroutine.locked_to_thread);
  optional(io, goroutine.synctest_bubble, [&](auto& bubble) { io.integer(bubble); });
  optional(io, goroutine.blocked_on, [&](auto& blocked) { fields<Io>(io, blocked); });
}

template <class Io>
void fields(Io& io, Ref<Io, model::Source> source) {
  io.integer(source.kind);
  io.io(source.name);
  io.integer(source.pid);
  io.io(source.executable);
  io.io(source.build_id);
  io.io(source.go_version);
  io.io(source.arch);
  io.io(source.command_line);
  optional(io, source.taken_at, [&](auto& time) { fields(io, time); });
}

template <class Io>
void fields(Io& io, Ref<Io, Note> note) {
  io.integer(note.severity);
  io.io(note.text);
  io.io(note.place);
  io.io(note.advice);
  io.integer(note.count);
}

template <class T>
Result<T> checked(const Reader& reader, T value, const char* what) {
  if (!reader.whole())
    return fail(ErrorCode::invalid, std::string("the history holds a broken ") + what);
  return value;
}

/// Enumerators come from the file; one that does not exist would be undefined in a switch.
bool in_range(const Goroutine& goroutine) {
  if (goroutine.status > model::Status::unknown) return false;
  if (!goroutine.blocked_on) return true;
  if (goroutine.blocked_on->kind > model::WaitKind::other) return false;
  for (const ChannelCase& one : goroutine.blocked_on->cases)
    if (one.direction > model::Direction::receive) return false;
  const auto& direction = goroutine.blocked_on->io_direction;
  return !direction || *direction <= model::Direction::receive;
}

}  // namespace

std::string encode_stack(const model::Stack& stack) {
  Writer writer;
  list(writer, stack);
  return writer.take();
}

Result<model::Stack> decode_stack(std::string_view bytes) {
  Reader reader(bytes);
  model::Stack stack;
  list(reader, stack);
  return checked(reader, std::move(stack), "stack");
}

std::string encode_goroutine(const Goroutine& goroutine) {
  Writer writer;
  fields<Writer>(writer, goroutine);
  return writer.take();
}

Result<Goroutine> decode_goroutine(std::string_view bytes) {
  Reader reader(bytes);
  Goroutine goroutine;
  fields<Reader>(reader, goroutine);
  goroutine.stack = std::make_shared<const model::Stack>();
  if (!in_range(goroutine)) reader.refuse();
  return checked(reader, std::move(goroutine), "goroutine");
}

std::string encode_source(const model::Source& source) {
  Writer writer;
  fields<Writer>(writer, source);
  return writer.take();
}

Result<model::Source> decode_source(std::string_view bytes) {
  Reader reader(bytes);
  model::Source source;
  fields<Reader>(reader, source);
  if (source.kind > model::SourceKind::profile) reader.refuse();
  return checked(reader, std::move(source), "source");
}

std::string encode_notes(const Notes& notes) {
  Writer writer;
  list(writer, notes.all());
  return writer.take();
}

Result<Notes> decode_notes(std::string_view bytes) {
  Reader reader(bytes);
  std::vector<Note> list_of_notes;
  list(reader, list_of_notes);
  Notes notes;
  for (const Note& note : list_of_notes) {
    if (note.severity > Severity::loss) reader.refuse();
    notes.add(note);
  }
  return checked(reader, std::move(notes), "note");
}

}  // namespace weir::store
