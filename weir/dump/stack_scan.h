#pragma once
// StackScan: recognises and fingerprints the lines of one goroutine, without taking them apart.
// Internal to dump.
#include <cstdint>
#include <string_view>

#include "weir/dump/frame_memo.h"
#include "weir/dump/line.h"

namespace weir::dump {

class StackScan {
 public:
  enum class Verdict : std::uint8_t {
    taken,    ///< the line, and the call before it, belong to the goroutine
    pending,  ///< it does if its place follows
    alien,    ///< it does not, but more of the goroutine may follow
    ended,    ///< it does not, and the goroutine is over
  };
  /// `memo` outlives it.
  explicit StackScan(FrameMemo& memo) : memo_(&memo) {}

  /// Takes the call at the beginning of `text` if the memo knows it. Returns the size of its two
  /// lines; 0 if it is for add() to look at them.
  std::size_t take_known(std::string_view text);
  Verdict add(std::string_view line);

  std::uint64_t key() const { return key_; }
  std::uint32_t frames() const { return frames_; }
  bool unavailable() const { return unavailable_; }
  /// A call's place has not come.
  bool dangling() const;
  /// Lines of other writers between lines of this goroutine.
  std::uint32_t interruptions() const { return interruptions_; }

 private:
  enum class Waiting : std::uint8_t { nothing, location, creator_location };

  Verdict take();
  Verdict add_location(std::string_view line, const LocationShape& shape);
  Verdict add_alien(std::string_view line);

  FrameMemo* memo_;
  std::uint64_t key_ = 0;
  std::uint32_t frames_ = 0;
  std::uint32_t aliens_ = 0;  ///< since the last line that was taken
  std::uint32_t interruptions_ = 0;
  Waiting waiting_ = Waiting::nothing;
  std::string_view call_;   ///< the function or creator line that waits for its location
  std::string_view alien_;  ///< the last line that was not taken: perhaps a C function's name
  bool created_ = false;    ///< the creator is complete: only ancestors can follow
  bool in_ancestors_ = false;
  bool unavailable_ = false;
};

}  // namespace weir::dump
