#include "weir/gortime/gather.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <mutex>

namespace weir::gortime {
namespace {

constexpr std::uint32_t scan_bit = 0x1000;  // _Gscan
constexpr std::size_t coalesce_gap = 2048;  // smaller than the tail a span of g structs leaves
constexpr std::size_t block_limit = 256
                                    << 10;  // compared while it is still in the processor's cache
constexpr std::size_t batch = 1024;         // goroutines between two looks at the clock
constexpr std::size_t shared_from = 4;      // blocks; fewer are read before another thread is awake
constexpr std::size_t list_limit =
    1'000'000;  // entries of one wait queue; more is a cycle or a misread

Address address_at(std::span<const std::byte> bytes, Offset offset) {
  return Address{offset.load(bytes)};
}

bool is_semaphore_wait(const std::string& reason) {
  return reason == "semacquire" || reason == "sync.Mutex.Lock" || reason == "sync.RWMutex.RLock" ||
         reason == "sync.RWMutex.Lock" || reason == "sync.WaitGroup.Wait" ||
         reason == "sync.WaitGroup.Wait (durable)";
}

}  // namespace

Gatherer::Gatherer(GatherContext context, target::Memory& memory, GatherLimits limits)
    : context_(context), memory_(&memory), limits_(limits) {
  const auto& g = context.layout->g;
  const std::array<Offset, 9> offsets = {g.stack_lo, g.stack_hi, g.sched_sp,  g.sched_pc, g.goid,
                                         g.waiting,  g.labels,   g.syscallsp, g.syscallpc};
  for (std::size_t i = 0; i < offsets.size(); ++i) identity_offsets_[i] = offsets[i].value();
}

const std::string& Gatherer::reason_of(const GoroutineState& state) const {
  static const std::string none;
  if (!state.waits()) return none;
  return state.wait_reason < context_.wait_reasons->size()
             ? (*context_.wait_reasons)[state.wait_reason]
             : none;
}

Result<std::size_t> Gatherer::read_all_pointers() {
  // allglen is written after allgptr when allgs grows (allgadd, src/runtime/proc.go): read in the
  // reverse order, the length always fits the array.
  WEIR_TRY(const std::uint64_t count, memory_->read<std::uint64_t>(context_.globals->allglen));
  WEIR_TRY(const Address array, memory_->read_pointer(context_.globals->allgptr));
  if (count > limits_.goroutines)
    return fail(ErrorCode::limit,
                fmt::format("runtime.allglen is {}, which cannot be right", count),
                context_.globals->allglen);
  const std::size_t known = pointers_.size();
  if (count < known)
    return fail(ErrorCode::invalid, "runtime.allgs shrank, which Go never does",
                context_.globals->allglen);
  pointers_.resize(count);
  auto read = memory_->read(array, std::as_writable_bytes(std::span(pointers_)));
  if (!read) {
    pointers_.resize(known);
    return fail(std::move(read).error().with("reading runtime.allgs"));
  }
  return count - known;
}

/// Lays out the goroutines from index `from` on, behind what is laid out already.
void Gatherer::plan_blocks(std::size_t from) {
  const std::size_t size = context_.layout->g.size.value();
  if (from == 0) {
    blocks_.clear();
    order_.clear();
    buffer_.clear();
  }
  g_offsets_.resize(pointers_.size());
  readable_.resize(pointers_.size());
  verified_.resize(pointers_.size());
  identities_.resize(pointers_.size());
  wait_since_.resize(pointers_.size());
  states_.resize(pointers_.size());
  const std::size_t first = order_.size();
  for (std::size_t i = from; i < pointers_.size(); ++i) order_.push_back(i);
  std::sort(order_.begin() + static_cast<std::ptrdiff_t>(first), order_.end(),
            [&](std::size_t a, std::size_t b) { return pointers_[a] < pointers_[b]; });
  std::size_t total = buffer_.size();
  bool extendable = false;
  for (std::size_t position = first; position < order_.size(); ++position) {
    const std::size_t index = order_[position];
    const Address g = pointers_[index];
    const bool extend = extendable && g - blocks_.back().start <= block_limit &&
                        g <= blocks_.back().start + blocks_.back().size + coalesce_gap;
    if (!extend) blocks_.push_back({g, 0, total, position, position});
    extendable = true;
    Block& block = blocks_.back();
    const std::size_t at = g - block.start;
    const std::size_t end = std::max(block.size, at + size);
    total += end - block.size;
    block.size = end;
    block.last = position + 1;
    g_offsets_[index] = block.buffer_offset + at;
  }
  if (from == 0)
    buffer_.reserve(total + total / 8 + (64 << 10));  // room for those that appear later
  buffer_.resize(total);
}

Result<void> Gatherer::read_block(const Block& block, std::span<std::byte> into) {
  target::ReadRequest request{block.start, into, 0};
  WEIR_TRY_VOID(memory_->read_many(std::span(&request, 1)));
  const bool whole = request.got == block.size;
  for (std::size_t position = block.first; position < block.last; ++position) {
    const std::size_t index = order_[position];
    readable_[index] = whole ? 1 : 0;
    if (whole) continue;  // else there is a hole in the block: one by one
    const auto g =
        into.subspan(g_offsets_[index] - block.buffer_offset, context_.layout->g.size.value());
    readable_[index] = memory_->read(pointers_[index], g).has_value() ? 1 : 0;
  }
  return {};
}

std::span<const std::byte> Gatherer::g_bytes(std::size_t index) const {
  return std::span<const std::byte>(buffer_).subspan(g_offsets_[index],
                                                     context_.layout->g.size.value());
}

Gatherer::Identity Gatherer::identity_of(std::span<const std::byte> bytes) const {
  const auto& l = context_.layout->g;
  Identity identity;
  for (std::size_t i = 0; i < identity_offsets_.size(); ++i)
    std::memcpy(&identity.words[i], bytes.data() + identity_offsets_[i], 8);
  std::uint32_t status = 0;
  std::memcpy(&status, bytes.data() + l.atomicstatus.value(), 4);
  const auto reason = static_cast<std::uint64_t>(bytes[l.waitreason.value()]);
  const auto sequence = static_cast<std::uint64_t>(bytes[l.tracking_seq.value()]);
  identity.words[9] = (status & ~scan_bit) | reason << 32 | sequence << 40;
  return identity;
}

void Gatherer::parse_g(std::size_t index) {
  GoroutineState s;
  s.g = pointers_[index];
  if (readable_[index] == 0) {
    s.torn = true;
    states_[index] = std::move(s);
    return;
  }
  const auto& l = context_.layout->g;
  const auto bytes = g_bytes(index);
  const auto status = static_cast<std::uint32_t>(l.atomicstatus.load(bytes));
  s.id = Goid{l.goid.load(bytes)};
  s.status = static_cast<GStatus>(status & ~scan_bit);
  s.scanning = (status & scan_bit) != 0;
  s.wait_reason = static_cast<std::uint8_t>(l.waitreason.load(bytes));
  s.tracking_seq = static_cast<std::uint8_t>(l.tracking_seq.load(bytes));
  s.wait_since = static_cast<std::int64_t>(l.waitsince.load(bytes));
  s.stack_lo = address_at(bytes, l.stack_lo);
  s.stack_hi = address_at(bytes, l.stack_hi);
  s.sched_pc = address_at(bytes, l.sched_pc);
  s.sched_sp = address_at(bytes, l.sched_sp);
  s.syscall_pc = address_at(bytes, l.syscallpc);
  s.syscall_sp = address_at(bytes, l.syscallsp);
  s.m = address_at(bytes, l.m);
  s.locked_m = address_at(bytes, l.lockedm);
  s.go_pc = address_at(bytes, l.gopc);
  s.start_pc = address_at(bytes, l.startpc);
  s.parent = Goid{l.parent_goid.load(bytes)};
  s.waiting = address_at(bytes, l.waiting);
  s.labels_at = address_at(bytes, l.labels);
  s.ancestors_at = address_at(bytes, l.ancestors);
  s.timer = address_at(bytes, l.timer);
  s.bubble = address_at(bytes, l.bubble);
  s.closure = address_at(bytes, l.sched_ctxt);
  s.defers = address_at(bytes, l.defer);
  s.sleep_when = static_cast<std::int64_t>(l.sleep_when.load(bytes));
  identities_[index] = identity_of(bytes);
  wait_since_[index] = s.wait_since;
  states_[index] = std::move(s);
}

Result<void> Gatherer::read_headers() {
  pointers_.clear();
  states_.clear();
  WEIR_TRY_VOID(read_all_pointers());
  plan_blocks(0);
  for (const Block& block : blocks_)
    WEIR_TRY_VOID(read_block(block, std::span(buffer_).subspan(block.buffer_offset, block.size)));
  for (std::size_t i = 0; i < states_.size(); ++i) parse_g(i);
  return {};
}

Result<void> Gatherer::gather() {
  WEIR_TRY_VOID(read_headers());
  std::vector<std::size_t> alive;
  for (std::size_t i = 0; i < states_.size(); ++i) {
    if (!states_[i].torn && states_[i].alive()) alive.push_back(i);
  }
  bool complete = true;
  gather_some(alive, {}, complete);
  if (memory_->consistency() == target::Consistency::frozen)
    std::fill(verified_.begin(), verified_.end(), 1);
  return {};
}

/// Reads a block again, marks as verified what is in it as it was, and takes over what is not.
/// Always into the same memory, which stays in the processor's cache: a large stop is bound by how
/// fast memory can be written.
Result<void> Gatherer::compare_block(const Block& block, std::size_t known) {
  thread_local std::vector<std::byte> scratch;
  if (scratch.size() < block.size) scratch.resize(std::max(block.size, block_limit + coalesce_gap));
  const auto fresh = std::span(scratch).first(block.size);
  WEIR_TRY_VOID(read_block(block, fresh));
  const std::size_t size = context_.layout->g.size.value();
  const Offset wait_since = context_.layout->g.waitsince;
  for (std::size_t position = block.first; position < block.last; ++position) {
    const std::size_t index = order_[position];
    const auto bytes = fresh.subspan(g_offsets_[index] - block.buffer_offset, size);
    // What runs keeps its g struct as it is while it does: always take it again.
    const Identity identity = identity_of(bytes);
    const auto status = static_cast<GStatus>(identity.words[9] & 0xffffffff);
    const bool moving = status == GStatus::running || status == GStatus::copystack;
    const bool same =
        readable_[index] != 0 && !moving && index < known && identity == identities_[index];
    verified_[index] = same ? 1 : 0;
    if (same) {
      wait_since_[index] = static_cast<std::int64_t>(wait_since.load(bytes));
    } else {
      std::copy(bytes.begin(), bytes.end(),
                buffer_.begin() + static_cast<std::ptrdiff_t>(g_offsets_[index]));
    }
  }
  return {};
}

Result<void> Gatherer::compare_all(std::size_t known) {
  if (crew_ == nullptr || blocks_.size() < shared_from || !memory_->is_concurrent()) {
    for (const Block& block : blocks_) WEIR_TRY_VOID(compare_block(block, known));
    return {};
  }
  std::mutex lock;
  Result<void> first_error;
  crew_->run(blocks_.size(), [&](std::size_t i) {
    auto compared = compare_block(blocks_[i], known);
    if (compared) return;
    const std::lock_guard<std::mutex> hold(lock);
    first_error = std::move(compared);
  });
  return first_error;
}

Result<Gatherer::Refreshed> Gatherer::refresh(const std::function<bool()>& expired) {
  const std::size_t known = pointers_.size();
  WEIR_TRY(const std::size_t appeared, read_all_pointers());
  if (appeared != 0) plan_blocks(known);
  WEIR_TRY_VOID(compare_all(known));
  std::vector<std::size_t> changed;
  for (const std::size_t index : order_) {
    if (verified_[index] == 0) changed.push_back(index);
  }
  Refreshed result{pointers_.size(), changed.size(), true};
  std::vector<std::size_t> alive;
  for (const std::size_t index : changed) {
    parse_g(index);
    verified_[index] = memory_->consistency() == target::Consistency::frozen ? 1 : 0;
    if (!states_[index].torn && states_[index].alive()) alive.push_back(index);
  }
  gather_some(alive, expired, result.complete);
  return result;
}

std::vector<std::size_t> Gatherer::choose(const std::function<bool(const GoroutineState&)>& which) {
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < states_.size(); ++i) {
    states_[i].verified = verified_[i] != 0;
    if (which(states_[i])) chosen.push_back(i);
  }
  return chosen;
}

Result<void> Gatherer::regather(std::span<const std::size_t> chosen) {
  const std::size_t size = context_.layout->g.size.value();
  std::vector<std::size_t> alive;
  for (const std::size_t i : chosen) {
    const auto into = std::span(buffer_).subspan(g_offsets_[i], size);
    readable_[i] = memory_->read(pointers_[i], into).has_value() ? 1 : 0;
    parse_g(i);
    verified_[i] = memory_->consistency() == target::Consistency::frozen ? 1 : 0;
    if (!states_[i].torn && states_[i].alive()) alive.push_back(i);
  }
  bool complete = true;
  gather_some(alive, {}, complete);
  return {};
}

void Gatherer::finish() {
  std::vector<std::byte>().swap(buffer_);  // all that is needed of it is in the states
  for (std::size_t i = 0; i < states_.size(); ++i) {
    states_[i].verified = verified_[i] != 0 && !states_[i].torn;
    // The GC may have noted since when it waits after the draft was made.
    if (readable_[i] != 0 && verified_[i] != 0) states_[i].wait_since = wait_since_[i];
  }
}

void Gatherer::gather_some(const std::vector<std::size_t>& indexes,
                           const std::function<bool()>& expired, bool& complete) {
  for (std::size_t from = 0; from < indexes.size(); from += batch) {
    const auto piece = std::span(indexes).subspan(from, std::min(batch, indexes.size() - from));
    if (expired && expired()) {
      complete = false;
      for (const std::size_t index : std::span(indexes).subspan(from)) states_[index].torn = true;
      return;
    }
    for (const std::size_t index : piece) {
      GoroutineState& state = states_[index];
      if (state.m) read_thread(state);
    }
    read_stacks(piece);
    read_sudogs(piece);
    read_channels(piece);
    label_cache_.clear();
    notify_lists_.clear();
    for (const std::size_t index : piece) read_details(states_[index]);
  }
  read_semaphores(indexes);
}

/// Where the goroutine's own frames begin: at the system call it is in, at its thread's stack
/// pointer, or where the scheduler (or systemstack) left it.
Address Gatherer::stack_pointer(const GoroutineState& state) const {
  if (state.status == GStatus::syscall && state.syscall_sp) return state.syscall_sp;
  if (state.status == GStatus::running && state.thread && thread_sp_) {
    const auto sp = thread_sp_(*state.thread);
    if (sp && *sp >= state.stack_lo && *sp < state.stack_hi) return *sp;
    if (state.own_code) return state.own_code->sp;
  }
  return state.sched_sp;
}

void Gatherer::read_stacks(std::span<const std::size_t> indexes) {
  std::vector<target::ReadRequest> requests;
  requests.reserve(indexes.size());
  for (const std::size_t index : indexes) {
    GoroutineState& state = states_[index];
    const Address sp = stack_pointer(state);
    if (sp < state.stack_lo || sp >= state.stack_hi || sp.value % 8 != 0) continue;
    const std::uint64_t size = std::min(state.stack_hi - sp, limits_.stack_bytes);
    state.stack_at = sp;
    state.stack.resize(size / 8);
    state.stack_cut = size < state.stack_hi - sp;
    requests.push_back({sp, std::as_writable_bytes(std::span(state.stack)), 0});
  }
  if (!memory_->read_many(requests)) {
    for (auto& request : requests) request.got = 0;
  }
  std::size_t next = 0;
  for (const std::size_t index : indexes) {
    GoroutineState& state = states_[index];
    if (state.stack.empty()) continue;
    const std::size_t got = requests[next++].got;
    if (got == state.stack.size() * 8) continue;
    state.stack.resize(got / 8);
    state.stack_cut = true;
  }
}

void Gatherer::read_sudogs(std::span<const std::size_t> indexes) {
  const auto& l = context_.layout->sudog;
  const std::size_t size = l.size.value();
  struct Pending {
    std::size_t index;
    Address at;
  };
  std::vector<Pending> wave;
  for (const std::size_t index : indexes) {
    if (states_[index].waiting) wave.push_back({index, states_[index].waiting});
  }
  std::vector<std::byte> bytes;
  while (!wave.empty()) {
    bytes.resize(wave.size() * size);
    std::vector<target::ReadRequest> requests;
    for (std::size_t i = 0; i < wave.size(); ++i)
      requests.push_back({wave[i].at, std::span(bytes).subspan(i * size, size), 0});
    if (!memory_->read_many(requests)) return;
    std::vector<Pending> next;
    for (std::size_t i = 0; i < wave.size(); ++i) {
      GoroutineState& state = states_[wave[i].index];
      const auto raw = std::span<const std::byte>(bytes).subspan(i * size, size);
      // From go1.26 on g.waiting is also set for semaphores, whose waitlink chains other
      // goroutines' sudogs.
      if (requests[i].got != size || address_at(raw, l.g) != state.g) continue;
      if (state.sudogs.size() >= limits_.sudogs) continue;
      state.sudogs.push_back({wave[i].at, address_at(raw, l.elem), address_at(raw, l.c), false, 0});
      const Address link = address_at(raw, l.waitlink);
      if (link && state.sudogs.back().channel) next.push_back({wave[i].index, link});
    }
    wave = std::move(next);
  }
}

void Gatherer::read_channels(std::span<const std::size_t> indexes) {
  const auto& l = context_.layout->hchan;
  const std::size_t size = l.size.value();
  std::vector<Address> wanted;
  for (const std::size_t index : indexes) {
    for (const SudogState& sudog : states_[index].sudogs) {
      if (sudog.channel) wanted.push_back(sudog.channel);
    }
  }
  std::sort(wanted.begin(), wanted.end());
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  std::vector<std::byte> bytes(wanted.size() * size);
  std::vector<target::ReadRequest> requests;
  for (std::size_t i = 0; i < wanted.size(); ++i)
    requests.push_back({wanted[i], std::span(bytes).subspan(i * size, size), 0});
  if (!memory_->read_many(requests)) return;
  for (const std::size_t index : indexes) {
    GoroutineState& state = states_[index];
    for (SudogState& sudog : state.sudogs) {
      if (!sudog.channel) continue;
      const auto found = std::lower_bound(wanted.begin(), wanted.end(), sudog.channel);
      const auto i = static_cast<std::size_t>(found - wanted.begin());
      if (requests[i].got != size) continue;
      const auto raw = std::span<const std::byte>(bytes).subspan(i * size, size);
      ChannelState channel;
      channel.at = sudog.channel;
      channel.length = l.qcount.load(raw);
      channel.capacity = l.dataqsiz.load(raw);
      channel.closed = l.closed.load(raw) != 0;
      channel.element_type = address_at(raw, l.elemtype);
      channel.timer = static_cast<bool>(address_at(raw, l.timer));
      channel.first_receiver = address_at(raw, l.recvq_first);
      channel.first_sender = address_at(raw, l.sendq_first);
      sudog.in_send_queue = !channel.first_receiver && channel.first_sender;
      if (channel.first_receiver && channel.first_sender)  // only selects can wait on both sides
        sudog.in_send_queue = list_holds(channel.first_sender, sudog.at);
      sudog.channel_index = static_cast<std::uint32_t>(state.channels.size());
      state.channels.push_back(channel);
    }
  }
}

bool Gatherer::list_holds(Address head, Address sudog) {
  const auto& l = context_.layout->sudog;
  for (std::size_t n = 0; head && n < list_limit; ++n) {
    if (head == sudog) return true;
    auto next = memory_->read_pointer(head + l.next);
    if (!next) return false;
    head = *next;
  }
  return false;
}

void Gatherer::read_semaphores(std::span<const std::size_t> indexes) {
  std::unordered_map<Address, std::size_t> wanted;  // g → index, of those not yet told by g.waiting
  for (const std::size_t index : indexes) {
    GoroutineState& state = states_[index];
    if (!is_semaphore_wait(reason_of(state))) continue;
    if (!state.sudogs.empty() && !state.sudogs[0].channel) {
      state.semaphore = state.sudogs[0].element;
    } else {
      wanted.emplace(state.g, index);
    }
  }
  if (wanted.empty() || !context_.globals->semtable) return;
  const auto& sl = context_.layout->sudog;
  const auto& rl = context_.layout->sema_root;
  const std::size_t size = sl.size.value(), stride = rl.stride.value(), count = rl.count.value();
  // The treap's nodes and, of each, the list of waiters on the same word: one wave of reads per
  // level.
  std::vector<Address> wave;
  std::vector<std::byte> table(count * stride);
  if (!memory_->read(context_.globals->semtable, table)) return;
  for (std::size_t i = 0; i < count; ++i) {
    const auto root = std::span<const std::byte>(table).subspan(i * stride, stride);
    if (const Address top = address_at(root, rl.treap)) wave.push_back(top);
  }
  std::vector<std::byte> bytes;
  for (std::size_t seen = 0; !wave.empty() && seen < list_limit; seen += wave.size()) {
    bytes.resize(wave.size() * size);
    std::vector<target::ReadRequest> requests;
    for (std::size_t i = 0; i < wave.size(); ++i)
      requests.push_back({wave[i], std::span(bytes).subspan(i * size, size), 0});
    if (!memory_->read_many(requests)) return;
    std::vector<Address> next;
    for (std::size_t i = 0; i < requests.size(); ++i) {
      if (requests[i].got != size) continue;
      const auto raw = std::span<const std::byte>(bytes).subspan(i * size, size);
      const auto found = wanted.find(address_at(raw, sl.g));
      if (found != wanted.end()) states_[found->second].semaphore = address_at(raw, sl.elem);
      for (const Offset link : {sl.prev, sl.next, sl.waitlink}) {
        if (const Address to = address_at(raw, link)) next.push_back(to);
      }
    }
    wave = std::move(next);
  }
}

}  // namespace weir::gortime
