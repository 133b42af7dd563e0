// The parts of Gatherer that follow pointers goroutine by goroutine: labels, ancestors, pollDesc,
// notifyList, timers.
#include <algorithm>
#include <array>
#include <cstring>

#include "weir/gortime/gather.h"

namespace weir::gortime {
namespace {

constexpr std::size_t scanned_words = 64;  // stack words looked at for a pollDesc or notifyList
constexpr std::size_t list_limit =
    1'000'000;  // entries of one wait list; more is a cycle or a misread
constexpr std::uint64_t signal_stack_limit = 1 << 20;
constexpr std::size_t label_limit = 1024;
constexpr std::size_t text_limit = 64 << 10;
constexpr std::uint64_t ancestor_limit = 1024;
constexpr std::uint64_t pcs_limit = 4096;

struct SliceHeader {
  std::uint64_t data = 0;
  std::uint64_t length = 0;
  std::uint64_t capacity = 0;
};
struct StringHeader {
  std::uint64_t data = 0;
  std::uint64_t length = 0;
};

Result<std::string> read_string(target::Memory& memory, const StringHeader& header) {
  if (header.length > text_limit)
    return fail(ErrorCode::limit, "a label is longer than 64 KiB", Address{header.data});
  std::string text(header.length, '\0');
  WEIR_TRY_VOID(memory.read(Address{header.data}, std::as_writable_bytes(std::span(text))));
  return text;
}

/// Candidate pointers near the top of the stack: distinct, aligned, outside the stack itself.
std::vector<Address> pointers_on_stack(const GoroutineState& state) {
  std::vector<Address> found;
  const std::size_t count = std::min(state.stack.size(), scanned_words);
  for (std::size_t i = 0; i < count; ++i) {
    const Address word{state.stack[i]};
    if (word.value % 8 != 0 || word.value < 4096 || word.value >> 48 != 0) continue;
    if (word >= state.stack_lo && word < state.stack_hi) continue;
    if (std::find(found.begin(), found.end(), word) == found.end()) found.push_back(word);
  }
  return found;
}

/// What a signal interrupted, from the frame that the kernel put on the signal stack [lo, hi) of a
/// thread whose stack pointer is `sp`. amd64: struct rt_sigframe, arch/x86/include/asm/sigframe.h:
/// the return address, then a ucontext; flags, link (0) and the signal stack itself come first in
/// it, and make it certain. Of several, the outermost is the highest.
std::optional<OwnCode> find_interrupted(target::Memory& memory, Address sp, Address lo,
                                        Address hi) {
  constexpr std::size_t link = 1, stack_start = 2, stack_size = 4, registers = 5;  // words
  constexpr std::size_t rsp = registers + 15, rip = registers + 16, context_words = registers + 23;
  if (sp < lo || sp >= hi || sp.value % 8 != 0 || hi - lo > signal_stack_limit) return std::nullopt;
  std::vector<std::uint64_t> words((hi - sp) / 8);
  if (!memory.read(sp, std::as_writable_bytes(std::span(words)))) return std::nullopt;
  std::optional<OwnCode> found;
  for (std::size_t i = 0; i + context_words <= words.size(); ++i) {
    const std::span<const std::uint64_t> context = std::span(words).subspan(i, context_words);
    if (context[link] == 0 && context[stack_start] == lo.value && context[stack_size] == hi - lo)
      found = OwnCode{Address{context[rip]}, Address{context[rsp]}, true};
  }
  return found;
}

}  // namespace

void Gatherer::read_thread(GoroutineState& state) {
  const auto& l = context_.layout->m;
  if (auto id = memory_->read<std::int64_t>(state.m + l.id))
    state.m_id = static_cast<std::int32_t>(*id);
  if (auto tid = memory_->read<std::uint64_t>(state.m + l.procid))
    state.thread = static_cast<int>(*tid);
  if (state.status == GStatus::running) read_own_code(state);
}

/// A thread that runs a goroutine is for moments on another stack. In a call of the vDSO, m.vdsoSP
/// and vdsoPC have the caller's (nanotime1 in src/runtime/sys_linux_amd64.s and
/// sys_linux_arm64.s, which say that it is for tracebacks, go1.19–1.27). In a signal handler, the
/// kernel's frame has what was interrupted.
void Gatherer::read_own_code(GoroutineState& state) {
  const auto own = [&state](Address sp) { return sp >= state.stack_lo && sp < state.stack_hi; };
  const auto thread_sp =
      state.thread && thread_sp_ ? thread_sp_(*state.thread) : std::optional<Address>();
  if (!thread_sp || own(*thread_sp)) return;
  const auto& l = *context_.layout;
  const Address signal_g = memory_->read_pointer(state.m + l.m.gsignal).value_or(Address{});
  if (signal_g && context_.machine == elf::Machine::amd64) {
    const Address lo = memory_->read_pointer(signal_g + l.g.stack_lo).value_or(Address{});
    const Address hi = memory_->read_pointer(signal_g + l.g.stack_hi).value_or(Address{});
    const auto interrupted = find_interrupted(*memory_, *thread_sp, lo, hi);
    if (interrupted && own(interrupted->sp)) {
      state.own_code = interrupted;
      return;
    }
  }
  const Address sp = memory_->read_pointer(state.m + l.m.vdso_sp).value_or(Address{});
  const Address pc = memory_->read_pointer(state.m + l.m.vdso_pc).value_or(Address{});
  if (own(sp) && pc) state.own_code = OwnCode{pc, sp, false};
}

void Gatherer::read_details(GoroutineState& state) {
  if (state.labels_at) read_labels(state);
  if (state.ancestors_at) read_ancestors(state);
  const auto& l = *context_.layout;
  if (state.bubble && l.bubble.id.present()) {
    if (auto id = memory_->read<std::int64_t>(state.bubble + l.bubble.id))
      state.bubble_id = static_cast<std::uint64_t>(*id);
  }
  const std::string& reason = reason_of(state);
  if (reason == "IO wait") read_poll(state);
  if (reason.starts_with("sync.Cond.Wait")) read_notify_list(state);
  if (reason == "sleep" && state.sleep_when == 0 && state.timer) {
    if (auto when = memory_->read<std::int64_t>(state.timer + l.timer.when))
      state.sleep_when = *when;
  }
}

// Labels are immutable once set (runtime/pprof/runtime.go), so a goroutine that has not run has the
// same ones.
void Gatherer::read_labels(GoroutineState& state) {
  const auto cached = label_cache_.find(state.labels_at);
  if (cached != label_cache_.end()) {
    state.labels = cached->second;
    return;
  }
  auto labels = context_.layout->labels.list.present() ? read_label_slice(state.labels_at)
                                                       : read_label_map(state.labels_at);
  if (!labels) {
    notes_.add(Severity::warning, "pprof labels could not be read: " + to_string(labels.error()),
               "goroutine " + std::to_string(state.id.value));
    return;
  }
  std::sort(labels->begin(), labels->end());
  state.labels = *labels;
  label_cache_.emplace(state.labels_at, std::move(*labels));
}

/// go1.24+: runtime/pprof.labelMap, one slice of {key, value}.
Result<Gatherer::Labels> Gatherer::read_label_slice(Address at) {
  const auto& l = context_.layout->labels;
  WEIR_TRY(const auto slice, memory_->read<SliceHeader>(at + l.list));
  if (slice.length > label_limit)
    return fail(ErrorCode::limit, "more than 1024 labels on one goroutine", at);
  Labels labels;
  for (std::uint64_t i = 0; i < slice.length; ++i) {
    const Address label = Address{slice.data} + i * l.label_size.value();
    WEIR_TRY(const auto key_at, memory_->read<StringHeader>(label + l.label_key));
    WEIR_TRY(const auto value_at, memory_->read<StringHeader>(label + l.label_value));
    WEIR_TRY(auto key, read_string(*memory_, key_at));
    WEIR_TRY(auto value, read_string(*memory_, value_at));
    labels.emplace_back(std::move(key), std::move(value));
  }
  return labels;
}

/// Up to go1.23: *labelMap is a map[string]string, runtime.hmap with buckets of eight
/// (src/runtime/map.go: tophash [8]uint8, keys [8]string, elems [8]string, overflow pointer).
Result<Gatherer::Labels> Gatherer::read_label_map(Address at) {
  constexpr std::uint64_t bucket_size = 8 + 8 * 16 + 8 * 16 + 8;
  constexpr std::uint8_t min_top_hash = 5;  // below: empty or moved
  const auto& l = context_.layout->hmap;
  WEIR_TRY(const Address hmap, memory_->read_pointer(at));
  if (!hmap) return Labels{};
  WEIR_TRY(const auto count, memory_->read<std::uint64_t>(hmap + l.count));
  WEIR_TRY(const auto log_buckets, memory_->read<std::uint8_t>(hmap + l.log2_buckets));
  WEIR_TRY(const Address buckets, memory_->read_pointer(hmap + l.buckets));
  if (count > label_limit || log_buckets > 10)
    return fail(ErrorCode::limit, "more than 1024 labels on one goroutine", hmap);
  Labels labels;
  for (std::uint64_t b = 0; b < (std::uint64_t{1} << log_buckets); ++b) {
    Address bucket = buckets + b * bucket_size;
    for (std::size_t chain = 0; bucket && chain < label_limit; ++chain) {
      std::array<std::byte, bucket_size> raw;
      WEIR_TRY_VOID(memory_->read(bucket, raw));
      for (std::size_t slot = 0; slot < 8; ++slot) {
        if (static_cast<std::uint8_t>(raw[slot]) < min_top_hash) continue;
        StringHeader key, value;
        std::memcpy(&key, &raw[8 + slot * 16], sizeof key);
        std::memcpy(&value, &raw[136 + slot * 16], sizeof value);
        WEIR_TRY(auto key_text, read_string(*memory_, key));
        WEIR_TRY(auto value_text, read_string(*memory_, value));
        labels.emplace_back(std::move(key_text), std::move(value_text));
      }
      std::memcpy(&bucket, &raw[264], sizeof bucket);
    }
  }
  return labels;
}

void Gatherer::read_ancestors(GoroutineState& state) {
  const auto& l = context_.layout->ancestor_info;
  auto list = memory_->read<SliceHeader>(state.ancestors_at);
  if (!list || list->length > ancestor_limit) return;
  for (std::uint64_t i = 0; i < list->length; ++i) {
    const Address info = Address{list->data} + i * l.size.value();
    auto id = memory_->read<std::uint64_t>(info + l.goid);
    auto go_pc = memory_->read_pointer(info + l.gopc);
    auto pcs = memory_->read<SliceHeader>(info + l.pcs);
    if (!id || !go_pc || !pcs || pcs->length > pcs_limit) return;
    AncestorState ancestor{Goid{*id}, *go_pc, std::vector<Address>(pcs->length)};
    if (!memory_->read(Address{pcs->data}, std::as_writable_bytes(std::span(ancestor.pcs)))) return;
    state.ancestors.push_back(std::move(ancestor));
  }
}

/// The pollDesc is not reachable from the g. netpollblock keeps it on the stack, and puts the g
/// into its rg or wg, so the word that points to a pollDesc naming this very g is the right one.
void Gatherer::read_poll(GoroutineState& state) {
  const auto& l = context_.layout->poll_desc;
  std::vector<std::byte> raw(l.size.value());
  for (const Address candidate : pointers_on_stack(state)) {
    if (!memory_->read(candidate, raw)) continue;
    const Address reader{l.rg.load(raw)}, writer{l.wg.load(raw)};
    if (reader != state.g && writer != state.g) continue;
    state.poll = PollState{static_cast<int>(l.fd.load(raw)), writer == state.g};
    return;
  }
}

/// From go1.26 on g.waiting.elem is the notifyList. Before, neither the g nor the sudog (on no
/// table) tells; the notifyList and the sudog are both named on the stack of notifyListWait, and
/// each must name the other.
void Gatherer::read_notify_list(GoroutineState& state) {
  if (!state.sudogs.empty() && !state.sudogs[0].channel && state.sudogs[0].element) {
    state.notify_list = state.sudogs[0].element;
    return;
  }
  const auto& sl = context_.layout->sudog;
  const auto& nl = context_.layout->notify_list;
  const std::vector<Address> candidates = pointers_on_stack(state);
  Address own;
  std::uint32_t ticket = 0;
  for (const Address candidate : candidates) {
    auto g = memory_->read_pointer(candidate + sl.g);
    if (!g || *g != state.g) continue;
    auto t = memory_->read<std::uint32_t>(candidate + sl.ticket);
    if (!t) continue;
    own = candidate;
    ticket = *t;
    for (const Address list : candidates) {
      auto wait = memory_->read<std::uint32_t>(list + nl.wait);
      auto notify = memory_->read<std::uint32_t>(list + nl.notify);
      auto head = memory_->read_pointer(list + nl.head);
      if (!wait || !notify || !head || !*head) continue;
      const bool ticket_fits = ticket - *notify < *wait - *notify;  // both wrap: notifyListWait
      if (ticket_fits && notify_list_holds(list, *head, own)) {
        state.notify_list = list;
        return;
      }
    }
  }
}

bool Gatherer::notify_list_holds(Address list, Address head, Address sudog) {
  auto known = notify_lists_.find(list);
  if (known == notify_lists_.end() || known->second.first != head) {
    std::unordered_set<Address> members;
    Address last;
    for (Address at = head; at && members.size() < list_limit;) {
      if (!members.insert(at).second) return false;
      last = at;
      auto next = memory_->read_pointer(at + context_.layout->sudog.next);
      if (!next) return false;
      at = *next;
    }
    auto tail = memory_->read_pointer(list + context_.layout->notify_list.tail);
    if (!tail || *tail != last) return false;
    known = notify_lists_.insert_or_assign(list, std::pair(head, std::move(members))).first;
  }
  return known->second.second.contains(sudog);
}

}  // namespace weir::gortime
