#pragma once
// Dictionary: the strings, frames and stacks of a whole trace, each content once. A trace numbers
// them anew in every generation; here a content keeps its number.
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace weir::gotrace {

using StringId = std::uint32_t;  ///< 0 is the empty string
using FrameId = std::uint32_t;
using StackId = std::uint32_t;  ///< 0 is "no stack"

struct Frame {
  StringId function = 0;
  StringId file = 0;
  std::uint32_t line = 0;
  std::uint64_t pc = 0;
  bool operator==(const Frame&) const = default;
};

/// Owns copies. Numbers are dense and in the order of the first appearance. Memory is proportional
/// to the distinct content.
class Dictionary {
 public:
  Dictionary();

  StringId add_string(std::string_view text);
  FrameId add_frame(const Frame& frame);
  /// Frames innermost first; an empty one is stack 0.
  StackId add_stack(std::span<const FrameId> frames);

  const std::string& string(StringId id) const { return strings_[id]; }
  const Frame& frame(FrameId id) const { return frames_[id]; }
  std::span<const FrameId> stack(StackId id) const {
    return std::span(stack_frames_)
        .subspan(stack_begin_[id], stack_begin_[id + 1] - stack_begin_[id]);
  }
  std::size_t string_count() const { return strings_.size(); }
  std::size_t frame_count() const { return frames_.size(); }
  std::size_t stack_count() const { return stack_begin_.size() - 1; }

 private:
  struct FrameHash {
    std::size_t operator()(const Frame& frame) const;
  };

  std::deque<std::string> strings_;  // a deque: the map's keys point into it
  std::unordered_map<std::string_view, StringId> string_ids_;
  std::vector<Frame> frames_;
  std::unordered_map<Frame, FrameId, FrameHash> frame_ids_;
  std::vector<FrameId> stack_frames_;
  std::vector<std::uint32_t> stack_begin_;
  std::unordered_multimap<std::uint64_t, StackId> stack_ids_;  // by a hash of the frames
};

/// The numbers of one generation, mapped to those of the Dictionary.
class LocalIds {
 public:
  /// Costs what was set since the last time, not what the largest number was.
  void clear();
  void set(std::uint64_t local, std::uint32_t global);
  /// 0 for a number that was never set; `unknown` counts these (0 itself is none).
  std::uint32_t find(std::uint64_t local, std::uint64_t& unknown) const {
    if (local < dense_.size() && dense_[local] != 0) return dense_[local];
    return local == 0 ? 0 : find_other(local, unknown);
  }

 private:
  std::uint32_t find_other(std::uint64_t local, std::uint64_t& unknown) const;

  std::vector<std::uint32_t> dense_;
  std::vector<std::uint32_t> set_;  // the numbers in dense_
  std::unordered_map<std::uint64_t, std::uint32_t> sparse_;
};

}  // namespace weir::gotrace
