#pragma once
// Builder: makes a Profile step by step, each string, function and location once.
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "weir/pprof/profile.h"

namespace weir::pprof {

/// A (type, unit) pair in words.
struct ValueName {
  std::string_view type;
  std::string_view unit;
};

class Builder {
 public:
  explicit Builder(std::span<const ValueName> sample_types);

  StringId intern(std::string_view text);
  /// Returns the index; never merges.
  std::uint32_t add_mapping(const Mapping& mapping);
  /// The index of the function equal to this one, added if it is new.
  std::uint32_t intern_function(const Function& function);
  /// The index of the location with this mapping, address and lines (innermost first), added if it
  /// is new. Functions and mapping must be indices that this Builder gave, or none.
  std::uint32_t intern_location(std::uint64_t address, std::uint32_t mapping,
                                std::span<const Line> lines);
  /// Every sample stands by itself: merging equal ones is for the caller. As many values as there
  /// are sample types; locations leaf first.
  void add_sample(const SampleView& sample);

  /// For the fields that need no interning (time, period, comments …).
  Profile& profile() { return profile_; }
  /// The finished profile; the Builder is empty after it.
  Profile finish() { return std::move(profile_); }

 private:
  using LocationKey =
      std::tuple<std::uint64_t, std::uint32_t,
                 std::vector<std::tuple<std::uint32_t, std::int64_t, std::int64_t>>>;

  Profile profile_;
  std::unordered_map<std::string, StringId> strings_;
  std::map<std::tuple<StringId, StringId, StringId, std::int64_t>, std::uint32_t> functions_;
  std::map<LocationKey, std::uint32_t> locations_;
};

}  // namespace weir::pprof
