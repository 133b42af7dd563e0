#pragma once
// What makes two goroutines "the same place": user functions, what they wait for, who made them.
// The same for a live process, a dump, a profile; it survives new lines, addresses and Go versions.
// Rules and their reasons: docs/gate.md, "Fingerprints".
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/model/gate.h"
#include "weir/model/snapshot.h"

namespace weir::analysis {

/// What a goroutine waits for, from whatever the evidence has: the blocking object, else Go's
/// words, else the runtime and sync functions on top of the stack. nullopt: it does not wait
/// (running, runnable, in a system call).
std::optional<model::WaitKind> wait_kind(const model::Goroutine& goroutine);

/// Whether a frame is the user's own code: neither Go's standard library nor C, nor a wrapper that
/// the compiler made, which tracebacks and profiles do not have.
bool is_user_frame(const model::Frame& frame);

/// The word for a wait kind in a fingerprint's key: Go's newest words ("chan receive",
/// "sync.Mutex.Lock"). A nil channel has the same word as a channel, since a profile cannot tell.
std::string_view wait_word(std::optional<model::WaitKind> kind);

/// The functions a fingerprint is made of, innermost first: the user's, closures folded into their
/// function, recursion folded, at most 16; the standard function that the innermost one called is
/// in front. A goroutine that does not wait (`waits` false) has only the function it began with.
/// With no user function at all: the outermost function outside the runtime.
std::vector<std::string> user_functions(const model::Stack& stack, bool waits);

/// What the evidence lets a fingerprint have. Fingerprints compare only when made of the same
/// parts.
struct FingerprintParts {
  bool wait = true;
  bool creator = true;
};

model::Fingerprint fingerprint(const model::Goroutine& goroutine, FingerprintParts parts = {});

/// The id of a key: FNV-1a 64 with a final mix, 16 hex digits.
std::string fingerprint_id(std::string_view key);

}  // namespace weir::analysis
