#pragma once
// Layout: where the fields of the Go runtime's own structs are, for one Go version and
// architecture. Source of truth: the DWARF that each toolchain itself writes (tools/layoutgen).
// Which field is which of the runtime's is listed in layout_fields.inc, which the generator and the
// DWARF reader share; names here are the runtime's, without capitals.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "weir/base/address.h"
#include "weir/base/assert.h"

namespace weir::gortime {

/// Where a field is in its struct, in bytes, and how many bytes it has. A field that this Go
/// version does not have is absent; asking an absent one for its value is a mistake of ours.
class Offset {
 public:
  constexpr Offset() = default;  ///< absent
  constexpr explicit Offset(std::uint32_t value, std::uint32_t width = 0)
      : value_(value), width_(width) {}

  constexpr bool present() const { return value_ != absent_value; }
  constexpr std::uint32_t value() const {
    WEIR_ASSERT(present());
    return value_;
  }
  /// Size of the field: 8 for a pointer, 24 for a slice. 0 if absent.
  constexpr std::uint32_t width() const { return width_; }
  /// One past the field's last byte.
  constexpr std::uint32_t end() const { return value() + width_; }

  /// The field of the object at `object`.
  Address of(Address object) const { return object + value(); }

  /// The field as an unsigned number, from the bytes of its object: as wide as it is in this
  /// version (1, 2, 4 or 8). `otherwise` if it is absent or `object` is too short to hold it.
  std::uint64_t load(std::span<const std::byte> object, std::uint64_t otherwise = 0) const {
    std::uint64_t number = 0;
    if (!present() || width_ > sizeof(number)) return otherwise;
    if (value_ > object.size() || width_ > object.size() - value_) return otherwise;
    std::memcpy(&number, object.data() + value_, width_);
    return number;
  }

  constexpr bool operator==(const Offset&) const = default;

 private:
  static constexpr std::uint32_t absent_value = UINT32_MAX;
  std::uint32_t value_ = absent_value;
  std::uint32_t width_ = 0;
};

inline Address operator+(Address object, Offset field) {
  return field.of(object);
}

/// A number of the runtime that is neither offset nor address: a size, a length, a constant's
/// value. Absent where this Go version has no such thing.
class Number {
 public:
  constexpr Number() = default;  ///< absent
  constexpr explicit Number(std::uint32_t value) : value_(value) {}
  constexpr bool present() const { return value_ != UINT32_MAX; }
  constexpr std::uint32_t value() const {
    WEIR_ASSERT(present());
    return value_;
  }
  /// A raw byte of the target is this (present) number.
  constexpr bool is(std::uint64_t raw) const { return present() && raw == value_; }
  constexpr bool operator==(const Number&) const = default;

 private:
  std::uint32_t value_ = UINT32_MAX;
};

/// All offsets are within the struct named in the comment, nested members already added up:
/// `g.sched_pc` is the offset of runtime.g.sched.pc. The number types are Go's of the newest
/// version; Offset::width() tells the width of the version at hand.
struct Layout {
  /// runtime.g, src/runtime/runtime2.go.
  struct G {
    Number size;
    Offset stack_lo, stack_hi;  ///< [lo, hi)
    Offset stackguard0, stackguard1;
    Offset panic, defer;
    Offset m;
    Offset sched_sp, sched_pc, sched_g, sched_ctxt, sched_lr, sched_bp;
    Offset syscallsp, syscallpc;
    Offset syscallbp;  ///< 1.23+
    Offset stktopsp;
    Offset param;
    Offset atomicstatus;
    Offset goid;
    Offset schedlink;
    Offset waitsince;
    Offset waitreason;
    Offset preempt, preempt_stop, preempt_shrink, async_safe_point;
    Offset active_stack_chans, parking_on_chan;
    Offset throwsplit;
    Offset tracking, tracking_seq;
    Offset lockedm;
    Offset sig, sigcode0, sigcode1, sigpc;
    Offset parent_goid;  ///< 1.21+
    Offset gopc;
    Offset ancestors;  ///< *[]ancestorInfo
    Offset startpc;
    Offset waiting;  ///< *sudog
    Offset cgo_ctxt;
    Offset labels;
    Offset timer;
    Offset sleep_when;  ///< 1.23+
    Offset select_done;
    Offset xregs_state;  ///< 1.26+, amd64: *xRegState, the vector registers of an async-preempted g
    Offset coroarg;      ///< 1.22+; 1.23+ for iter.Pull
    Offset bubble;       ///< *synctestBubble 1.25+, *synctestGroup 1.24
  } g;

  /// runtime.sudog, src/runtime/runtime2.go. From 1.26 elem and c are pairs {vp, vu}: these are the
  /// offsets of vu, the one that is always true.
  struct Sudog {
    Number size;
    Offset g, next, prev, elem;
    Offset ticket, is_select, success, parent, waitlink, waittail, c;
  } sudog;

  /// runtime.hchan and its waitqs, src/runtime/chan.go.
  struct Hchan {
    Number size;
    Offset qcount, dataqsiz, buf, elemsize, closed;
    Offset timer;  ///< 1.23+
    Offset elemtype, sendx, recvx;
    Offset recvq_first, recvq_last, sendq_first, sendq_last;
    Offset bubble;  ///< 1.25+; synctest bool in 1.24
    Offset lock;    ///< runtime.mutex: a word, 0 when free, at mutex.key
  } hchan;

  /// runtime.mutex, src/runtime/runtime2.go.
  struct RuntimeMutex {
    Number size;
    Offset key;  ///< 0 = unlocked
  } runtime_mutex;

  /// runtime.m, src/runtime/runtime2.go.
  struct M {
    Number size;
    Offset g0, procid, gsignal, curg, p, nextp, oldp, id;
    Offset mallocing, throwing, preemptoff, locks, dying;
    Offset spinning, blocked, incgo;
    Offset isextra;        ///< 1.21+
    Offset is_extra_in_c;  ///< 1.21+
    Offset ncgocall, ncgo;
    Offset alllink, schedlink, lockedg, locked_ext, locked_int;
    Offset waitunlockf, waitlock;
    Offset libcallpc, libcallsp, vdso_sp, vdso_pc;
    /// The per-thread random state of select and maps: fastrand to 1.21, cheaprand from 1.22; u64
    /// or (1.23+) u32.
    Offset cheaprand;
  } m;

  /// runtime.p, src/runtime/runtime2.go.
  struct P {
    Number size;
    Offset id, status, schedtick, syscalltick, m, mcache;
    Offset runqhead, runqtail, runq, runnext;
    Number runq_length;
    Offset gfree;
    Offset sudogcache;
    Offset timers;          ///< to 1.22 []*timer; from 1.23 a struct timers (Layout::Timers)
    Offset num_timers;      ///< to 1.22
    Offset deleted_timers;  ///< to 1.22
    Offset timer0_when;     ///< to 1.22
    Offset preempt;
  } p;

  /// runtime.schedt, the type of runtime.sched, src/runtime/runtime2.go.
  struct Schedt {
    Number size;
    Offset goidgen, lastpoll, poll_until, lock;
    Offset midle;  ///< *m; from 1.26 a list head
    Offset nmidle, nmidlelocked, mnext, maxmcount, nmsys, nmfreed, ngsys;
    Offset pidle, npidle, nmspinning;
    Offset runq_head, runq_tail, runqsize;
    Offset gfree_stack, gfree_nostack;  ///< heads: *g, linked by schedlink
    Offset gfree_n;                     ///< to 1.24
    Offset sudogcache;
    Offset freem;
    Offset gcwaiting, stopwait;
    Offset sysmonwait;
    Offset procresizetime, totaltime;
  } schedt;

  /// runtime.timer, src/runtime/time.go. To 1.22 `status`, from 1.23 `state`.
  struct Timer {
    Number size;
    Offset when, period, f, arg, seq;
    Offset pp, nextwhen, status;                          ///< to 1.22
    Offset state, astate, is_chan, is_fake, blocked, ts;  ///< 1.23+
    Offset lock;                                          ///< 1.23+: mu, a runtime.mutex
  } timer;

  /// runtime.timers and timerWhen, src/runtime/time.go, 1.23+; all absent before.
  struct Timers {
    Number size;
    Offset heap;  ///< []timerWhen
    Offset len, zombies, min_when_heap, min_when_modified, lock;
    Offset entry_timer, entry_when;  ///< timerWhen
    Number entry_size;
  } timers;

  /// runtime.pollDesc, src/runtime/netpoll.go.
  struct PollDesc {
    Number size;
    Offset link, fd, atomic_info, rg, wg, closing, rrun, wrun;
    Offset rseq, rt, rd, wseq, wt, wd;
    Offset lock;
  } poll_desc;

  /// runtime.semaRoot and the table of them, src/runtime/sema.go.
  struct SemaRoot {
    Offset lock, treap, nwait;
    Number stride;  ///< from one root of runtime.semtable to the next
    Number count;   ///< roots in the table
  } sema_root;

  /// runtime.notifyList, src/runtime/sema.go; sync.Cond holds one (Cond::notify).
  struct NotifyList {
    Number size;
    Offset wait, notify, lock, head, tail;
  } notify_list;

  /// sync.Mutex; from 1.24 around internal/sync.Mutex, at the same place.
  struct Mutex {
    Number size;
    Offset state, sema;
  } mutex;
  /// sync.RWMutex; w is its inner Mutex.
  struct RwMutex {
    Number size;
    Offset w, writer_sem, reader_sem, reader_count, reader_wait;
  } rwmutex;
  /// sync.WaitGroup. In 1.19 state1 (u64) and state2 (u32) hold counter, waiters and sema: on
  /// 64-bit machines, where state1 is always 8-aligned, `state` and `sema` are those two.
  struct WaitGroup {
    Number size;
    Offset state, sema;
  } wait_group;
  /// sync.Cond.
  struct Cond {
    Number size;
    Offset l, notify;
  } cond;

  /// runtime.ancestorInfo, src/runtime/runtime2.go.
  struct AncestorInfo {
    Number size;
    Offset pcs, goid, gopc;
  } ancestor_info;

  /// runtime.synctestBubble (1.25+), synctestGroup (1.24), src/runtime/synctest.go.
  struct Bubble {
    Number size;
    Offset id;  ///< 1.25+
    Offset now, root, waiter, waiting, total, running, active;
    Offset timers;  ///< a struct timers
  } bubble;

  /// What g.labels points to. From 1.24 a runtime/pprof.labelMap with a slice of {key, value}
  /// strings: `list` is present. To 1.23 a *map[string]string: `list` is absent and `map` describes
  /// it.
  struct Labels {
    Offset list;  ///< []Label, within the object g.labels points to
    Offset label_key, label_value;
    Number label_size;
  } labels;

  /// runtime.hmap, src/runtime/map.go, to 1.23 (later only with GOEXPERIMENT=noswissmap). A bucket
  /// of a map[string]string has 8 tophash bytes, then 8 keys, 8 values, the overflow pointer.
  struct Hmap {
    Offset count, flags, log2_buckets, buckets, oldbuckets;
  } hmap;

  /// internal/abi.Type (1.21+), runtime._type: what an hchan's elemtype or an eface's first word
  /// points to.
  struct Type {
    Number size;
    Offset size_field;  ///< Size_: bytes of a value of the type
    Offset ptr_bytes, hash, tflag, kind, gc_data, str;
  } type;
  /// internal/abi.ITab (1.22+), runtime.itab: an iface's first word points to one.
  struct Itab {
    Offset inter, type, fun;
  } itab;

  /// testing.common, at the start of testing.T, src/testing/testing.go. Absent from DWARF of
  /// programs that are no tests.
  struct TestingCommon {
    Number size;
    Offset ran, failed, skipped, done, finished;
    Offset has_sub, cleanup_started, runner;
    Offset parent, level, creator, name, start, duration, barrier, signal, sub;
    Offset is_parallel;  ///< in testing.T to 1.20, in common from 1.21; both counted from the T
    Offset bench;
    Offset is_synctest;  ///< 1.25+
    Offset temp_dir;
    Offset state;  ///< in testing.T: *testState (testContext to 1.23)
  } testing_common;
  /// testing.testState (testContext to 1.23): what t.Parallel() waits for.
  struct TestingState {
    Offset running, num_waiting, max_parallel;
  } testing_state;

  /// internal/poll.FD and pollDesc: from a net or os value to its file descriptor.
  struct PollFd {
    Number size;
    Offset sysfd;
    Offset runtime_ctx;  ///< *pollDesc (Layout::PollDesc), as uintptr
  } poll_fd;

  // What follows is for proofs by reachability.

  /// runtime.mspan, src/runtime/mheap.go. freeindex and nelems are uintptr to 1.21, u16 from 1.22.
  struct Mspan {
    Number size;
    Offset start_addr, npages, freeindex, free_index_for_scan, nelems;
    Offset alloc_cache, alloc_bits, gcmark_bits, pinner_bits;
    Offset sweepgen, div_mul, alloc_count, spanclass, state, needzero;
    Offset is_user_arena_chunk, elemsize, limit, specials, large_type;
    Number state_dead, state_in_use, state_manual;  ///< mSpanState
  } mspan;

  /// runtime.mheap, the type of runtime.mheap_, src/runtime/mheap.go.
  struct Mheap {
    Offset lock, sweepgen, allspans, arenas;
    Offset heap_arenas;        ///< allArenas to 1.24
    Offset user_arena_arenas;  ///< 1.25+
    Offset immortal_weak_handles;
  } mheap;

  /// runtime.heapArena.
  struct HeapArena {
    Offset spans, page_in_use, zeroed_base;
  } heap_arena;

  /// runtime.special and its kinds. `offset` is u16 to 1.23, uintptr later.
  struct Special {
    Offset next, offset, kind;
    Number kind_tiny_block, kind_finalizer, kind_weak_handle, kind_profile, kind_reachable;
    Number kind_pin_counter, kind_cleanup, kind_check_finalizer, kind_bubble, kind_secret;
    Offset finalizer_fn, finalizer_fint, finalizer_ot;  ///< specialfinalizer
    Offset cleanup_fn;  ///< specialCleanup: *funcval; from 1.27 a cleanupFn
    Offset cleanup_id;
    Offset weak_handle;  ///< specialWeakHandle
    Offset pin_counter;  ///< specialPinCounter
  } special;

  /// runtime.finBlock (finblock to 1.24) and finalizer: the queue of finalizers to run.
  struct FinBlock {
    Offset alllink, next, count, fin;
    Number finalizer_size;
    Offset finalizer_fn, finalizer_arg, finalizer_fint, finalizer_ot;
  } fin_block;

  /// runtime.cleanupBlock and cleanupQueue, 1.25+.
  struct CleanupBlock {
    Offset alllink, count, cleanups;
    Number cleanup_size;
    Offset queue_all;
  } cleanup_block;

  /// runtime.mcache.
  struct Mcache {
    Offset tiny, tinyoffset, alloc;
  } mcache;

  /// runtime.coro, 1.22+.
  struct Coro {
    Offset gp, f;
  } coro;

  /// Sizes of runtime variables that are no roots of a proof.
  struct Sizes {
    Number work;           ///< runtime.work; absent where its type has no name
    Number gc_controller;  ///< runtime.gcController
  } sizes;

  /// runtime._defer and _panic.
  struct Defer {
    Offset sp, pc, fn, link;
  } defer;
  struct Panic {
    Offset arg, link, goexit, recovered;
  } panic;
};

}  // namespace weir::gortime
