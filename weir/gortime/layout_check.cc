#include "weir/gortime/layout_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>
#include <vector>

#include "weir/gortime/goroutine.h"

namespace weir::gortime {
namespace {

constexpr std::uint64_t most_goroutines = 1000;
constexpr std::size_t most_threads = 1000;
/// The runtime itself parks three before main.main runs (bgsweep, bgscavenge, forcegchelper).
constexpr std::size_t fewest_waiting = 3;
constexpr std::uint64_t largest_stack = std::uint64_t{1} << 30;
constexpr std::uint64_t largest_goid = std::uint64_t{1} << 48;
constexpr std::uint32_t scan_bit = 0x1000;

using Bytes = std::vector<std::byte>;

class Checker {
 public:
  Checker(const LayoutCheck& check, target::Memory& memory)
      : check_(check), layout_(check.layout), memory_(memory) {}

  Result<std::size_t> run() {
    WEIR_TRY_VOID(check_threads());
    WEIR_TRY(const std::uint64_t count, memory_.read<std::uint64_t>(check_.globals.allglen));
    WEIR_TRY(const std::uint64_t list, memory_.read<std::uint64_t>(check_.globals.allgptr));
    if (count == 0 || count > largest_goid) return misfit("allglen", check_.globals.allglen);
    std::vector<std::uint64_t> all(std::min(count, most_goroutines));
    WEIR_TRY_VOID(memory_.read(Address{list}, std::as_writable_bytes(std::span(all))));
    std::size_t waiting = 0;
    for (const std::uint64_t g : all) {
      WEIR_TRY(const bool looked, check_goroutine(Address{g}));
      waiting += looked ? 1 : 0;
    }
    if (waiting < fewest_waiting)
      return fail(ErrorCode::unsupported, "too few goroutines wait to tell whether a layout fits");
    return waiting;
  }

 private:
  static Result<void> fit(bool holds, const char* what, Address where) {
    if (holds) return {};
    return misfit(what, where);
  }
  static tl::unexpected<Error> misfit(const char* what, Address where) {
    return fail(ErrorCode::unsupported, fmt::format("{} does not fit", what), where);
  }
  std::optional<gosym::Function> function_at(std::uint64_t pc) const {
    return check_.table.find_function(check_.bias.to_link(Address{pc}));
  }
  Result<Bytes> bytes_of(Address object, Number size) {
    if (!size.present() || size.value() > 1 << 16) return misfit("the size of a struct", object);
    Bytes bytes(size.value());
    WEIR_TRY_VOID(memory_.read(object, bytes));
    return bytes;
  }

  /// m.g0.m is m again, all along allm.
  Result<void> check_threads() {
    WEIR_TRY(std::uint64_t at, memory_.read<std::uint64_t>(check_.globals.allm));
    for (std::size_t i = 0; at != 0 && i < most_threads; ++i) {
      const Address m{at};
      WEIR_TRY(const std::uint64_t g0, memory_.read<std::uint64_t>(m + layout_.m.g0));
      WEIR_TRY(const std::uint64_t back, memory_.read<std::uint64_t>(Address{g0} + layout_.g.m));
      WEIR_TRY_VOID(fit(back == at, "m.g0.m", m));
      WEIR_TRY(at, memory_.read<std::uint64_t>(m + layout_.m.alllink));
    }
    return {};
  }

  /// False when it does not wait, or ran meanwhile.
  Result<bool> check_goroutine(Address g) {
    WEIR_TRY(const Bytes before, bytes_of(g, layout_.g.size));
    const auto status = static_cast<std::uint32_t>(layout_.g.atomicstatus.load(before)) & ~scan_bit;
    WEIR_TRY_VOID(
        fit(status <= static_cast<std::uint32_t>(GStatus::dead_extra), "g.atomicstatus", g));
    if (status != static_cast<std::uint32_t>(GStatus::waiting)) return false;
    auto verdict = check_waiting(g, before);
    WEIR_TRY(const Bytes after, bytes_of(g, layout_.g.size));
    // While it ran, anything may have been read of it.
    if (before != after) return false;
    WEIR_TRY_VOID(std::move(verdict));
    return true;
  }

  Result<void> check_waiting(Address g, const Bytes& bytes) {
    const auto& at = layout_.g;
    const std::uint64_t lo = at.stack_lo.load(bytes), hi = at.stack_hi.load(bytes);
    const std::uint64_t sp = at.sched_sp.load(bytes);
    WEIR_TRY_VOID(fit(lo != 0 && lo < hi && hi - lo <= largest_stack, "g.stack", g));
    WEIR_TRY_VOID(fit(lo < sp && sp <= hi, "g.sched.sp", g));
    WEIR_TRY_VOID(fit(at.sched_g.load(bytes) == g.value, "g.sched.g", g));
    WEIR_TRY_VOID(fit(function_at(at.sched_pc.load(bytes)).has_value(), "g.sched.pc", g));
    WEIR_TRY_VOID(fit(function_at(at.gopc.load(bytes)).has_value(), "g.gopc", g));
    const std::uint64_t start = at.startpc.load(bytes);
    const auto started = function_at(start);
    WEIR_TRY_VOID(
        fit(started && check_.bias.to_run(started->entry).value == start, "g.startpc", g));
    const std::uint64_t id = at.goid.load(bytes);
    WEIR_TRY_VOID(fit(id != 0 && id < largest_goid && ids_.insert(id).second, "g.goid", g));
    const std::uint32_t reasons = check_.globals.wait_reason_count;
    WEIR_TRY_VOID(fit(reasons == 0 || at.waitreason.load(bytes) < reasons, "g.waitreason", g));
    return check_sudog(g, Address{at.waiting.load(bytes)});
  }

  Result<void> check_sudog(Address g, Address sudog) {
    if (sudog.value == 0) return {};
    WEIR_TRY(const Bytes bytes, bytes_of(sudog, layout_.sudog.size));
    WEIR_TRY_VOID(fit(layout_.sudog.g.load(bytes) == g.value, "sudog.g", sudog));
    const Address channel{layout_.sudog.c.load(bytes)};
    if (channel.value == 0) return {};
    WEIR_TRY(const Bytes hchan, bytes_of(channel, layout_.hchan.size));
    const std::uint64_t length = layout_.hchan.qcount.load(hchan);
    WEIR_TRY_VOID(fit(length <= layout_.hchan.dataqsiz.load(hchan), "hchan.qcount", channel));
    WEIR_TRY_VOID(fit(layout_.hchan.closed.load(hchan) <= 1, "hchan.closed", channel));
    const bool queued =
        layout_.hchan.recvq_first.load(hchan) != 0 || layout_.hchan.sendq_first.load(hchan) != 0;
    return fit(queued, "hchan.recvq", channel);
  }

  const LayoutCheck& check_;
  const Layout& layout_;
  target::Memory& memory_;
  std::unordered_set<std::uint64_t> ids_;
};

}  // namespace

Result<std::size_t> check_layout(const LayoutCheck& check, target::Memory& memory) {
  return Checker(check, memory).run();
}

}  // namespace weir::gortime
