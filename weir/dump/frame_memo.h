#pragma once
// FrameMemo: recognises a call that has been seen at the same place of a stack before, by comparing
// text. Internal to dump.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::dump {

/// The goroutines of a large dump have few stacks, but each its own arguments. So what follows a
/// stack's beginning is most likely what followed the same beginning last time, and to compare two
/// texts costs less than finding out anew what a line is. Bounded: when it is full it begins anew.
class FrameMemo {
 public:
  /// A call that is known: the bytes of its two lines, and the stack's key with it.
  struct Match {
    std::size_t size = 0;  ///< 0: not known
    std::uint64_t key = 0;
  };

  /// Whether `text` begins with the two lines of the call that came last after a stack's beginning
  /// with `key`, whatever the arguments.
  Match find(std::uint64_t key, std::string_view text) const;

  /// After `key` came a call of `function` (without arguments) and its location line (without its
  /// end), which made it `next`.
  void learn(std::uint64_t key, std::string_view function, std::string_view location,
             std::uint64_t next);

 private:
  struct Call {
    std::uint64_t key = 0;
    std::uint64_t next = 0;
    std::uint32_t at = 0;             ///< in texts_
    std::uint16_t function_size = 0;  ///< with the opening parenthesis; 0: nothing here
    std::uint16_t location_size = 0;  ///< behind it, with the line's end
  };

  std::size_t place_of(std::uint64_t key) const;

  std::vector<Call> calls_;  ///< by key, linear probing; made when first something is learned
  std::size_t used_ = 0;
  std::string texts_;
};

}  // namespace weir::dump
