#include "weir/base/notes.h"

#include <utility>

namespace weir {

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::info:
      return "info";
    case Severity::warning:
      return "warning";
    case Severity::loss:
      break;
  }
  return "loss";
}

void Notes::add(Severity severity, std::string text, std::string place, std::string advice) {
  for (Note& note : notes_) {
    if (note.severity == severity && note.text == text) {
      ++note.count;
      return;
    }
  }
  notes_.push_back({severity, std::move(text), std::move(place), std::move(advice), 1});
}

void Notes::add(const Note& note) {
  if (note.count == 0) return;
  add(note.severity, note.text, note.place, note.advice);
  for (Note& mine : notes_) {
    if (mine.severity == note.severity && mine.text == note.text) mine.count += note.count - 1;
  }
}

void Notes::merge(const Notes& other) {
  for (const Note& note : other.notes_) add(note);
}

}  // namespace weir
