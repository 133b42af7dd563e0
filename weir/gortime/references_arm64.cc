// Encodings: Arm Architecture Reference Manual for A-profile, C4.1 (A64 instruction set encoding).
#include "weir/gortime/references_arm64.h"

#include <array>

namespace weir::gortime::arm64 {
namespace {

using Kind = Reference::Kind;

constexpr std::uint32_t register_zero = 31;

constexpr std::uint32_t bits(std::uint32_t word, unsigned low, unsigned count) {
  return (word >> low) & ((1u << count) - 1);
}
constexpr std::int64_t signed_bits(std::uint32_t word, unsigned low, unsigned count) {
  const std::uint64_t value = bits(word, low, count);
  const std::uint64_t sign = std::uint64_t{1} << (count - 1);
  return static_cast<std::int64_t>((value ^ sign) - sign);
}

/// Follows constants through registers, in straight lines: any other write to a register forgets
/// it.
class Decoder {
 public:
  void decode(std::uint32_t word, std::uint64_t at) {
    at_ = at;
    const std::uint32_t rd = bits(word, 0, 5), rn = bits(word, 5, 5);
    if ((word & 0x9f000000) == 0x90000000) {  // ADRP
      const std::int64_t pages = signed_bits(word, 5, 19) * 4 + bits(word, 29, 2);
      set(rd, (at & ~std::uint64_t{0xfff}) + static_cast<std::uint64_t>(pages) * 4096);
    } else if ((word & 0x9f000000) == 0x10000000) {  // ADR
      const std::int64_t distance = signed_bits(word, 5, 19) * 4 + bits(word, 29, 2);
      set(rd, at + static_cast<std::uint64_t>(distance));
      take_address(rd);
    } else if ((word & 0xff800000) == 0x91000000) {  // ADD Xd, Xn, #imm
      add(rd, rn, std::uint64_t{bits(word, 10, 12)} << (bits(word, 22, 1) * 12));
    } else if ((word & 0x7f800000) == 0x52800000) {  // MOVZ
      set(rd, std::uint64_t{bits(word, 5, 16)} << (bits(word, 21, 2) * 16));
    } else if ((word & 0x3b000000) == 0x39000000) {  // LDR/STR, unsigned offset
      load_store(word, rd, rn);
    } else if ((word & 0x3f800000) == 0x29000000) {  // LDP/STP, signed offset, 32 or 64 bit
      pair(word, rd, rn);
    } else if ((word & 0x3f800000) == 0x08800000) {  // LDAR, STLR
      const bool load = bits(word, 22, 1) != 0;
      access(load ? Kind::load : Kind::store, rn, 0, 1u << bits(word, 30, 2), rd);
    } else if ((word & 0x3f200c00) == 0x38200000) {  // LDADD, SWP and the like
      access(Kind::update, rn, 0, 1u << bits(word, 30, 2), register_zero);
      forget(rd);
    } else if ((word & 0xfc000000) == 0x94000000 || (word & 0xfffffc1f) == 0xd63f0000) {  // BL, BLR
      known_.fill({});
    } else if ((word & 0x7f80001f) == 0x7100001f) {  // CMP Xn, #imm
      compare(std::uint64_t{bits(word, 10, 12)} << (bits(word, 22, 1) * 12));
    } else if ((word & 0x7fe0fc1f) == 0x6b00001f) {  // CMP Xn, Xm
      if (const auto value = known_[bits(word, 16, 5)]) compare(*value);
    } else if (!is_branch(word)) {
      forget(rd);
    }
  }

  std::vector<Reference> references;
  std::vector<Comparison> comparisons;

 private:
  static bool is_branch(std::uint32_t word) { return (word & 0x1c000000) == 0x14000000; }
  void compare(std::uint64_t constant) { comparisons.push_back({constant, LinkAddr{at_}}); }
  void set(std::uint32_t reg, std::uint64_t value) {
    if (reg != register_zero) known_[reg] = value;
  }
  void forget(std::uint32_t reg) {
    if (reg != register_zero) known_[reg].reset();
  }

  void take_address(std::uint32_t reg) {
    references.push_back({Kind::address, LinkAddr{*known_[reg]}, 0, {}, LinkAddr{at_}});
  }

  void add(std::uint32_t rd, std::uint32_t rn, std::uint64_t amount) {
    if (rn == register_zero || !known_[rn]) return forget(rd);
    set(rd, *known_[rn] + amount);
    if (rd != register_zero) take_address(rd);
  }

  /// ADRP, ADD, LDR is one use of a variable, not two: the address was only on its way into the
  /// load.
  void drop_address_of(const Reference& access) {
    if (references.empty()) return;
    const Reference& last = references.back();
    if (last.kind == Kind::address && last.target == access.target && last.at + 4 == access.at) {
      references.pop_back();
    }
  }

  void load_store(std::uint32_t word, std::uint32_t rt, std::uint32_t rn) {
    if (bits(word, 26, 1) != 0) return;  // a vector register
    const std::uint32_t size = bits(word, 30, 2);
    const bool load = bits(word, 22, 2) != 0;
    access(load ? Kind::load : Kind::store, rn, std::int64_t{bits(word, 10, 12)} << size,
           1u << size, rt);
  }

  void pair(std::uint32_t word, std::uint32_t rt, std::uint32_t rn) {
    const std::uint32_t width = bits(word, 31, 1) != 0 ? 8 : 4;
    const bool load = bits(word, 22, 1) != 0;
    const Kind kind = load ? Kind::load : Kind::store;
    const std::int64_t offset = signed_bits(word, 15, 7) * width;
    const std::uint32_t rt2 = bits(word, 10, 5);
    const auto base = known_[rn];
    access(kind, rn, offset, width, rt);
    known_[rn] = rn == rt2 ? std::nullopt : base;
    access(kind, rn, offset + width, width, rt2);
    if (load) forget(rt);
  }

  void access(Kind kind, std::uint32_t rn, std::int64_t offset, std::uint32_t width,
              std::uint32_t rt) {
    if (rn != register_zero && known_[rn]) {
      Reference reference{kind,
                          LinkAddr{*known_[rn] + static_cast<std::uint64_t>(offset)},
                          width,
                          {},
                          LinkAddr{at_}};
      if (kind == Kind::store) {
        reference.immediate = rt == register_zero ? std::optional<std::uint64_t>(0) : known_[rt];
      }
      drop_address_of(reference);
      references.push_back(reference);
    }
    if (kind == Kind::load) forget(rt);
  }

  std::array<std::optional<std::uint64_t>, 32> known_;
  std::uint64_t at_ = 0;
};

Decoder decode_all(bytes::Bytes text, LinkAddr start) {
  Decoder decoder;
  std::uint32_t word = 0;
  for (std::size_t pos = 0; bytes::read_at(text, pos, word); pos += 4)
    decoder.decode(word, start.value + pos);
  return decoder;
}

}  // namespace

std::vector<Reference> find_references(bytes::Bytes text, LinkAddr start) {
  return decode_all(text, start).references;
}

std::vector<Comparison> find_comparisons(bytes::Bytes text, LinkAddr start) {
  return decode_all(text, start).comparisons;
}

}  // namespace weir::gortime::arm64
