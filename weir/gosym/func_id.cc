#include "weir/gosym/func_id.h"

#include <algorithm>
#include <span>

namespace weir::gosym {

namespace {

using enum FuncId;

// In the order of each version's own constants.
constexpr FuncId ids_1_19[] = {normal,
                               abort,
                               asmcgocall,
                               async_preempt,
                               cgocallback,
                               debug_call,
                               gc_bg_mark_worker,
                               goexit,
                               gogo,
                               gopanic,
                               handle_async_event,
                               mcall,
                               morestack,
                               mstart,
                               panicwrap,
                               rt0_go,
                               run_finalizers,
                               runtime_main,
                               sigpanic,
                               systemstack,
                               systemstack_switch,
                               wrapper};
// 1.22 adds corostart (coroutines, for range over functions).
constexpr FuncId ids_1_22[] = {normal,       abort,
                               asmcgocall,   async_preempt,
                               cgocallback,  corostart,
                               debug_call,   gc_bg_mark_worker,
                               goexit,       gogo,
                               gopanic,      handle_async_event,
                               mcall,        morestack,
                               mstart,       panicwrap,
                               rt0_go,       run_finalizers,
                               runtime_main, sigpanic,
                               systemstack,  systemstack_switch,
                               wrapper};
// 1.25 adds runCleanups and renames runfinq to runFinalizers, behind runtime_main.
constexpr FuncId ids_1_25[] = {normal,
                               abort,
                               asmcgocall,
                               async_preempt,
                               cgocallback,
                               corostart,
                               debug_call,
                               gc_bg_mark_worker,
                               goexit,
                               gogo,
                               gopanic,
                               handle_async_event,
                               mcall,
                               morestack,
                               mstart,
                               panicwrap,
                               rt0_go,
                               runtime_main,
                               run_finalizers,
                               run_cleanups,
                               sigpanic,
                               systemstack,
                               systemstack_switch,
                               wrapper};

// What stands between two bracket groups: ".f" of "int].f[string" (funcNamePiecesForPrint, 1.27).
struct Gap {
  bool balanced = false;
  std::string_view text;  // null data if there is only one group
};

Gap find_gap(std::string_view inside) {
  int depth = 1;
  std::size_t close = std::string_view::npos;
  for (std::size_t i = 0; i < inside.size(); ++i) {
    if (inside[i] == '[' && ++depth == 1) return {true, inside.substr(close + 1, i - close - 1)};
    if (inside[i] == ']' && --depth < 0) return {};
    if (inside[i] == ']' && depth == 0) close = i;
  }
  return {depth == 1 && close == std::string_view::npos, {}};
}

}  // namespace

FuncId to_func_id(std::uint8_t raw, int go_minor) {
  // 0 stands for "not known": read as the newest.
  std::span<const FuncId> ids = ids_1_25;
  if (go_minor != 0 && go_minor < 22) ids = ids_1_19;
  if (go_minor >= 22 && go_minor < 25) ids = ids_1_22;
  return raw < ids.size() ? ids[raw] : unknown;
}

std::string name_for_print(std::string_view name, int go_minor) {
  const auto open = name.find('[');
  const auto close = name.rfind(']');
  if (open == std::string_view::npos || close == std::string_view::npos || close <= open) {
    return std::string(name);
  }
  const std::string_view inside = name.substr(open + 1, close - open - 1);
  std::string_view between;
  if ((go_minor == 0 || go_minor >= 27) && inside.find('[') != std::string_view::npos) {
    const Gap gap = find_gap(inside);
    if (!gap.balanced) return std::string(name);
    between = gap.text;
  }
  std::string printed(name.substr(0, open));
  printed += "[...]";
  if (between.data() != nullptr) printed.append(between).append("[...]");
  return printed.append(name.substr(close + 1));
}

}  // namespace weir::gosym
