#include "tests/live/observed.h"

#include <fmt/format.h>

#include <algorithm>

#include "weir/dump/goroutine_text.h"

namespace weir::live {

namespace {

std::string place_of(std::string_view file, std::int32_t line) {
  return fmt::format("{}:{}", file, line);
}

std::string creator_of(const dump::Creator& creator) {
  if (creator.function.empty()) return "";
  std::string text(creator.function);
  if (creator.by.value != 0) text += fmt::format(" in goroutine {}", creator.by.value);
  text += " at " + place_of(creator.file, creator.line);
  if (creator.offset) text += fmt::format(" +{:#x}", *creator.offset);
  return text;
}

std::string describe(const ObservedFrame& frame) {
  return fmt::format("{}{} {}{}", frame.function, frame.inlined ? " (inlined)" : "", frame.place,
                     frame.offset ? fmt::format(" +{:#x}", *frame.offset) : "");
}

bool same(const ObservedFrame& a, const ObservedFrame& b) {
  return a.function == b.function && a.place == b.place && a.inlined == b.inlined &&
         a.offset == b.offset;
}

/// The first difference of `truth[begin, end)` and `seen[begin + shift, …)`; empty if there is
/// none.
std::string differ(const std::vector<ObservedFrame>& truth, const std::vector<ObservedFrame>& seen,
                   std::size_t begin, std::size_t end, std::size_t shift) {
  for (std::size_t i = begin; i < end; ++i) {
    if (i + shift >= seen.size())
      return fmt::format("frame {} is missing: {}", i, describe(truth[i]));
    if (!same(truth[i], seen[i + shift]))
      return fmt::format("frame {}: runtime \"{}\", weir \"{}\"", i, describe(truth[i]),
                         describe(seen[i + shift]));
  }
  return "";
}

std::string differ_in_frames(const ObservedGoroutine& truth, const ObservedGoroutine& seen) {
  const std::size_t printed = truth.frames.size();
  if (!truth.elided_at || seen.elided_at) {
    if (auto first = differ(truth.frames, seen.frames, 0, printed, 0); !first.empty()) return first;
    if (seen.frames.size() > printed)
      return fmt::format("{} frames more, first {}", seen.frames.size() - printed,
                         describe(seen.frames[printed]));
    return "";
  }
  const std::size_t head = *truth.elided_at;
  if (auto first = differ(truth.frames, seen.frames, 0, head, 0); !first.empty()) return first;
  if (!truth.elided_frames)  // before Go 1.21 the rest is not printed at all
    return seen.frames.size() > head ? "" : "frames that the runtime elided are missing";
  if (seen.frames.size() != printed + *truth.elided_frames)
    return fmt::format("{} frames, the runtime counts {}", seen.frames.size(),
                       printed + *truth.elided_frames);
  return differ(truth.frames, seen.frames, head, printed, *truth.elided_frames);
}

std::string differ(const ObservedGoroutine& truth, const ObservedGoroutine& seen) {
  if (truth.state != seen.state)
    return fmt::format("state: runtime \"{}\", weir \"{}\"", truth.state, seen.state);
  if (truth.locked != seen.locked) return fmt::format("locked to thread: runtime {}", truth.locked);
  if (auto frames = differ_in_frames(truth, seen); !frames.empty()) return frames;
  if (truth.creator != seen.creator)
    return fmt::format("creator: runtime \"{}\", weir \"{}\"", truth.creator, seen.creator);
  return "";
}

}  // namespace

ObservedDump observe(std::string_view text) {
  ObservedDump dump;
  dump::Scanner scanner([&](const dump::GoroutineText& g) {
    if (g.header.id.value == 0) return;
    const dump::Stack stack = dump::parse_stack(g.stack);
    ObservedGoroutine observed;
    observed.state = g.header.state_text;
    observed.locked = g.header.locked_to_thread;
    for (const dump::Frame& frame : stack.frames)
      observed.frames.push_back({std::string(frame.function), place_of(frame.file, frame.line),
                                 frame.inlined, frame.foreign, frame.offset});
    if (stack.elided) {
      observed.elided_at = stack.elided->position;
      observed.elided_frames = stack.elided->count;
    }
    observed.creator = creator_of(stack.created);
    dump.insert_or_assign(g.header.id.value, std::move(observed));
  });
  scanner.feed(text);
  scanner.finish();
  return dump;
}

Comparison compare(const ObservedDump& truth, const ObservedDump& seen) {
  Comparison result;
  for (const auto& [id, goroutine] : truth) {
    ++result.goroutines;
    result.frames += goroutine.frames.size();
    const auto found = seen.find(id);
    const std::string difference =
        found == seen.end() ? "is missing" : differ(goroutine, found->second);
    if (difference.empty()) {
      ++result.equal;
    } else {
      result.differences.push_back(fmt::format("goroutine {}: {}", id, difference));
    }
  }
  for (const auto& [id, goroutine] : seen) {
    if (truth.contains(id)) continue;
    ++result.goroutines;
    result.differences.push_back(
        fmt::format("goroutine {}: only weir has it ({})", id, goroutine.state));
  }
  return result;
}

}  // namespace weir::live
