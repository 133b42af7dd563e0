// How each variable is found, and what was checked, is in docs/go-runtime.md.
#include "weir/gortime/globals.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string_view>

#include "weir/elf/file.h"
#include "weir/gortime/references.h"
#include "weir/gosym/table.h"

namespace weir::gortime {
namespace {

using Kind = Reference::Kind;
using References = std::vector<Reference>;

constexpr std::uint64_t max_ms = 10'000;           // schedinit: sched.maxmcount = 10000
constexpr std::uint64_t most_functions = 1 << 20;  // bytes of a function that are decoded
constexpr std::uint32_t most_wait_reasons = 256;   // waitReason is a uint8
constexpr std::uint32_t longest_wait_reason = 64;

bool is_load(const Reference& r, std::uint32_t width) {
  return r.kind == Kind::load && r.width == width;
}

class Finder {
 public:
  Finder(const elf::File& file, const gosym::Table& table, const Layout& layout)
      : file_(file), table_(table), layout_(layout) {}

  Result<LinkAddr> find_sched();
  Result<void> find_allgs(LinkAddr& length, LinkAddr& pointers);
  Result<LinkAddr> find_allm();
  Result<LinkAddr> find_allp(LinkAddr sched);
  Result<LinkAddr> find_semtable();
  Result<LinkAddr> find_wait_reasons(std::uint32_t& count);
  Result<LinkAddr> find_traceback_ancestors();
  Result<LinkAddr> find_mheap();
  Result<LinkAddr> find_allfin();
  Result<LinkAddr> find_gc_cleanups();
  Result<LinkAddr> find_persistent_chunks();
  Result<LinkAddr> find_vdso_clock_gettime();
  Result<LinkAddr> find_panicking();

 private:
  /// The references to writable memory, where all variables are, of a function.
  Result<References> references_of(std::string_view function) const;
  Result<bytes::Bytes> text_of(const gosym::Function& function) const;
  Result<gosym::Function> function_named(std::string_view name) const;
  /// The first reference that `accept` takes.
  Result<LinkAddr> first(std::string_view variable, std::string_view function,
                         const std::function<bool(const Reference&)>& accept) const;
  bool are_wait_reasons(LinkAddr at, std::uint32_t count) const;
  bool is_writable(LinkAddr at) const {
    const elf::Segment* segment = file_.find_load(at);
    return segment && segment->writable;
  }
  static tl::unexpected<Error> missing(std::string_view variable, std::string_view function) {
    return fail(ErrorCode::not_found,
                fmt::format("{} does not use runtime.{} in a way weir knows", function, variable));
  }

  const elf::File& file_;
  const gosym::Table& table_;
  const Layout& layout_;
};

Result<gosym::Function> Finder::function_named(std::string_view name) const {
  const auto function = table_.find_function(name);
  if (!function)
    return fail(ErrorCode::not_found, fmt::format("the program has no function {}", name));
  return *function;
}

Result<bytes::Bytes> Finder::text_of(const gosym::Function& function) const {
  const std::uint64_t size = function.end.value - function.entry.value;
  return file_.read(function.entry, std::min(size, most_functions));
}

Result<References> Finder::references_of(std::string_view name) const {
  WEIR_TRY(const gosym::Function function, function_named(name));
  WEIR_TRY(const bytes::Bytes text, text_of(function));
  References found = find_references(text, function.entry, file_.machine());
  std::erase_if(found, [&](const Reference& r) { return !is_writable(r.target); });
  return found;
}

Result<LinkAddr> Finder::first(std::string_view variable, std::string_view function,
                               const std::function<bool(const Reference&)>& accept) const {
  WEIR_TRY(const References found, references_of(function));
  const auto it = std::find_if(found.begin(), found.end(), accept);
  if (it == found.end()) return missing(variable, function);
  return it->target;
}

Result<LinkAddr> Finder::find_sched() {
  const auto sets_maximum = [](const Reference& r) {
    return r.kind == Kind::store && r.width == 4 && r.immediate == max_ms;
  };
  WEIR_TRY(const LinkAddr at, first("sched", "runtime.schedinit", sets_maximum));
  return LinkAddr{at.value - layout_.schedt.maxmcount.value()};
}

// atomicAllG: Loaduintptr(&allglen), then Loadp(&allgptr).
Result<void> Finder::find_allgs(LinkAddr& length, LinkAddr& pointers) {
  constexpr std::string_view function = "runtime.forEachGRace";
  WEIR_TRY(References found, references_of(function));
  std::erase_if(found, [](const Reference& r) { return !is_load(r, 8); });
  if (found.size() != 2 || found[0].target == found[1].target) return missing("allglen", function);
  length = found[0].target;
  pointers = found[1].target;
  return {};
}

// mp.alllink = allm; atomicstorep(&allm, mp): loaded and then stored to, or its address taken for
// that.
Result<LinkAddr> Finder::find_allm() {
  constexpr std::string_view function = "runtime.mcommoninit";
  WEIR_TRY(const References found, references_of(function));
  for (auto it = found.begin(); it != found.end(); ++it) {
    const bool used_again = std::any_of(it + 1, found.end(), [&](const Reference& r) {
      return r.target == it->target && (r.kind == Kind::address || r.kind == Kind::store);
    });
    if (is_load(*it, 8) && used_again) return it->target;
  }
  return missing("allm", function);
}

// for _, pp := range allp: pointer and length are loaded one after the other.
Result<LinkAddr> Finder::find_allp(LinkAddr sched) {
  constexpr std::string_view function = "runtime.checkdead";
  WEIR_TRY(const References found, references_of(function));
  const LinkAddr sched_end = sched + layout_.schedt.size.value();
  for (std::size_t i = 1; i < found.size(); ++i) {
    const LinkAddr at = found[i - 1].target;
    if (at >= sched && at < sched_end) continue;
    if (is_load(found[i - 1], 8) && is_load(found[i], 8) && found[i].target == at + 8) return at;
  }
  return missing("allp", function);
}

// root := semtable.rootFor(addr)
Result<LinkAddr> Finder::find_semtable() {
  return first("semtable", "runtime.semrelease1",
               [](const Reference& r) { return r.kind == Kind::address; });
}

/// The strings' lengths, which are in the file even where their pointers are yet to be relocated:
/// "" (waitReasonZero), "GC assist marking", "IO wait", and then more that are not empty.
bool Finder::are_wait_reasons(LinkAddr at, std::uint32_t count) const {
  constexpr std::uint64_t first_lengths[] = {0, 17, 7};
  const auto raw = file_.read(at, std::uint64_t{count} * 16);
  if (!raw || count < std::size(first_lengths)) return false;
  for (std::uint32_t i = 0; i < count; ++i) {
    std::uint64_t length = 0;
    bytes::read_at(*raw, i * 16 + 8, length);
    if (i < std::size(first_lengths) ? length != first_lengths[i]
                                     : length == 0 || length > longest_wait_reason) {
      return false;
    }
  }
  return true;
}

// gp.waitreason.String(): if w < 0 || w >= len(waitReasonStrings) …; return waitReasonStrings[w].
Result<LinkAddr> Finder::find_wait_reasons(std::uint32_t& count) {
  constexpr std::string_view name = "runtime.goroutineheader";
  WEIR_TRY(const gosym::Function function, function_named(name));
  WEIR_TRY(const bytes::Bytes text, text_of(function));
  const auto comparisons = find_comparisons(text, function.entry, file_.machine());
  for (const Reference& r : find_references(text, function.entry, file_.machine())) {
    if (r.kind != Kind::address || !is_writable(r.target)) continue;
    for (const Comparison& comparison : comparisons) {
      if (comparison.at >= r.at || comparison.constant > most_wait_reasons) continue;
      const auto candidate = static_cast<std::uint32_t>(comparison.constant);
      if (candidate > count && are_wait_reasons(r.target, candidate)) count = candidate;
    }
    if (count > 0) return r.target;
  }
  return missing("waitReasonStrings", name);
}

// if debug.tracebackancestors <= 0 || …
Result<LinkAddr> Finder::find_traceback_ancestors() {
  return first("debug", "runtime.saveAncestors", [](const Reference& r) { return is_load(r, 4); });
}

// lock(&mheap_.lock); mheap_.sweepgen += 2: the lock is the first member.
Result<LinkAddr> Finder::find_mheap() {
  constexpr std::string_view function = "runtime.gcSweep";
  WEIR_TRY(const References found, references_of(function));
  for (const Reference& r : found) {
    if (r.kind != Kind::address) continue;
    const LinkAddr sweepgen = r.target + layout_.mheap.sweepgen.value();
    const bool used = std::any_of(found.begin(), found.end(), [&](const Reference& other) {
      return other.target == sweepgen && other.width == 4;
    });
    if (used) return LinkAddr{r.target.value - layout_.mheap.lock.value()};
  }
  return missing("mheap_", function);
}

// queuefinalizer: finc.alllink = allfin; allfin = finc. Of the variables it sets, markroot has this
// one only: for fb := allfin; fb != nil; fb = fb.alllink.
Result<LinkAddr> Finder::find_allfin() {
  WEIR_TRY(const References set, references_of("runtime.queuefinalizer"));
  WEIR_TRY(const References used, references_of("runtime.markroot"));
  LinkAddr found;
  for (const Reference& r : used) {
    const bool both = is_load(r, 8) && std::any_of(set.begin(), set.end(), [&](const auto& other) {
                        return other.target == r.target && other.kind == Kind::store;
                      });
    if (!both) continue;
    if (found.value != 0 && found != r.target) return missing("allfin", "runtime.markroot");
    found = r.target;
  }
  if (found.value == 0) return missing("allfin", "runtime.markroot");
  return found;
}

// markroot: gcCleanups.all.Load(), of a variable whose address freeSpecial passes on:
// gcCleanups.enqueue(…).
Result<LinkAddr> Finder::find_gc_cleanups() {
  WEIR_TRY(const References used, references_of("runtime.markroot"));
  WEIR_TRY(const References passed, references_of("runtime.freeSpecial"));
  for (const Reference& r : used) {
    if (!is_load(r, 8)) continue;
    const LinkAddr at{r.target.value - layout_.cleanup_block.queue_all.value()};
    const bool both = std::any_of(passed.begin(), passed.end(), [&](const Reference& other) {
      return other.target == at && other.kind == Kind::address;
    });
    if (both) return at;
  }
  return missing("gcCleanups", "runtime.markroot");
}

// persistentalloc1: chunks := persistentChunks; … atomic.Casuintptr(&persistentChunks, chunks, …).
Result<LinkAddr> Finder::find_persistent_chunks() {
  WEIR_TRY(const References used, references_of("runtime.persistentalloc1"));
  LinkAddr found;
  for (const Reference& r : used) {
    const bool both =
        is_load(r, 8) && std::any_of(used.begin(), used.end(), [&](const auto& other) {
          return other.target == r.target && other.kind == Kind::address;
        });
    if (!both || found == r.target) continue;
    if (found.value != 0) return missing("persistentChunks", "runtime.persistentalloc1");
    found = r.target;
  }
  if (found.value == 0) return missing("persistentChunks", "runtime.persistentalloc1");
  return found;
}

// MOVQ runtime·vdsoClockgettimeSym(SB), AX
Result<LinkAddr> Finder::find_vdso_clock_gettime() {
  return first("vdsoClockgettimeSym", "runtime.nanotime1",
               [](const Reference& r) { return is_load(r, 8); });
}

// checkdead: if panicking.Load() > 0; startpanic_m: panicking.Add(1).
Result<LinkAddr> Finder::find_panicking() {
  WEIR_TRY(const LinkAddr at, first("panicking", "runtime.checkdead",
                                    [](const Reference& r) { return is_load(r, 4); }));
  WEIR_TRY(const References found, references_of("runtime.startpanic_m"));
  const bool used =
      std::any_of(found.begin(), found.end(), [&](const Reference& r) { return r.target == at; });
  if (!used) return missing("panicking", "runtime.startpanic_m");
  return at;
}

}  // namespace

Result<Globals> locate_globals(const elf::File& file, const gosym::Table& table, LoadBias bias,
                               const Layout& layout, Notes& notes) {
  Finder finder(file, table, layout);
  Globals globals;
  LinkAddr length, pointers;
  WEIR_TRY(const LinkAddr sched, finder.find_sched());
  WEIR_TRY_VOID(finder.find_allgs(length, pointers));
  WEIR_TRY(const LinkAddr allm, finder.find_allm());
  WEIR_TRY(const LinkAddr allp, finder.find_allp(sched));
  WEIR_TRY(const LinkAddr semtable, finder.find_semtable());
  WEIR_TRY(const LinkAddr reasons, finder.find_wait_reasons(globals.wait_reason_count));
  globals.sched = bias.to_run(sched);
  globals.allglen = bias.to_run(length);
  globals.allgptr = bias.to_run(pointers);
  globals.allm = bias.to_run(allm);
  globals.allp = bias.to_run(allp);
  globals.semtable = bias.to_run(semtable);
  globals.wait_reason_strings = bias.to_run(reasons);

  const auto optional = [&](Address& into, const Result<LinkAddr>& found) {
    if (found) {
      into = bias.to_run(*found);
    } else {
      notes.add(Severity::info, to_string(found.error()));
    }
  };
  optional(globals.traceback_ancestors, finder.find_traceback_ancestors());
  optional(globals.mheap, finder.find_mheap());
  optional(globals.allfin, finder.find_allfin());
  if (layout.cleanup_block.queue_all.present())
    optional(globals.gc_cleanups, finder.find_gc_cleanups());
  if (file.machine() == elf::Machine::amd64)  // proofs ask for it, and are made there only
    optional(globals.persistent_chunks, finder.find_persistent_chunks());
  optional(globals.vdso_clock_gettime, finder.find_vdso_clock_gettime());
  optional(globals.panicking, finder.find_panicking());
  return globals;
}

}  // namespace weir::gortime
