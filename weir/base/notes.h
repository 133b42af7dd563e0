#pragma once
// "Went on, but": what a reader must know to trust a result. Notes travel in the Snapshot and end
// every report.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

enum class Severity : std::uint8_t {
  info,     ///< worth knowing
  warning,  ///< part of the answer is weaker than usual
  loss,     ///< something is missing from the answer
};

/// The word that machine output uses: "info", "warning", "loss".
std::string_view to_string(Severity severity);

/// One remark. `place` may be empty; equal (severity, text, place) are counted, not repeated.
struct Note {
  Severity severity = Severity::info;
  std::string text;    ///< one clause, no final stop
  std::string place;   ///< goroutine, address, file: where it happened first
  std::string advice;  ///< what to do about it; may be empty
  std::uint64_t count = 1;
};

class Notes {
 public:
  /// Adds a note, or counts it when the same (severity, text) is there already (the first place is
  /// kept).
  void add(Severity severity, std::string text, std::string place = {}, std::string advice = {});
  /// The same with a count: as if added note.count times. A count of 0 adds nothing.
  void add(const Note& note);
  void merge(const Notes& other);
  const std::vector<Note>& all() const { return notes_; }
  bool empty() const { return notes_.empty(); }

 private:
  std::vector<Note> notes_;
};

/// Why a value is not there. Printed as "unknown (reason)", never as 0 or "".
struct Unknown {
  std::string why;
};

}  // namespace weir
