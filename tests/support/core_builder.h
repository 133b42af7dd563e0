#pragma once
// CoreBuilder: core files made by hand, as fs/binfmt_elf.c lays them out.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/elf_builder.h"

namespace weir::test_support {

/// One mapping of a file, for NT_FILE.
struct CoreMapping {
  std::uint64_t start = 0, end = 0, offset = 0;
  std::string path;
};

class CoreBuilder {
 public:
  explicit CoreBuilder(std::uint16_t machine = 62) {
    elf_.type = 4;  // ET_CORE
    elf_.machine = machine;
    elf_.section_headers = false;
  }

  /// NT_PRSTATUS; `registers` in the kernel's order.
  CoreBuilder& thread(int tid, const std::vector<std::uint64_t>& registers) {
    std::string content(112, '\0');
    put_at(content, 32, static_cast<std::uint32_t>(tid));
    for (const std::uint64_t word : registers) put(content, word);
    put(content, std::uint64_t{0});  // pr_fpvalid
    return note("CORE", 1, content);
  }

  /// NT_PRPSINFO.
  CoreBuilder& process(int pid, std::string_view name, std::string_view arguments) {
    std::string content(136, '\0');
    content[1] = 'R';
    put_at(content, 24, static_cast<std::uint32_t>(pid));
    content.replace(40, name.substr(0, 15).size(), name.substr(0, 15));
    content.replace(56, arguments.substr(0, 79).size(), arguments.substr(0, 79));
    return note("CORE", 3, content);
  }

  /// NT_AUXV.
  CoreBuilder& auxv(const std::vector<std::pair<std::uint64_t, std::uint64_t>>& entries) {
    std::string content;
    for (const auto& [type, value] : entries) {
      put(content, type);
      put(content, value);
    }
    content.append(16, '\0');
    return note("CORE", 6, content);
  }

  /// NT_FILE.
  CoreBuilder& files(const std::vector<CoreMapping>& mappings) {
    std::string content;
    put(content, std::uint64_t{mappings.size()});
    put(content, std::uint64_t{4096});
    for (const CoreMapping& mapping : mappings) {
      put(content, mapping.start);
      put(content, mapping.end);
      put(content, mapping.offset / 4096);
    }
    for (const CoreMapping& mapping : mappings) content += mapping.path + '\0';
    return note("CORE", 0x46494c45, content);
  }

  CoreBuilder& note(std::string_view owner, std::uint32_t type, std::string_view content) {
    put(notes_, static_cast<std::uint32_t>(owner.size() + 1));
    put(notes_, static_cast<std::uint32_t>(content.size()));
    put(notes_, type);
    notes_ += owner;
    notes_.append(1 + (3 - owner.size() % 4), '\0');
    notes_ += content;
    notes_.append((4 - content.size() % 4) % 4, '\0');
    return *this;
  }

  /// A PT_LOAD; `size` in memory, at least the content's. Flags: 1 x, 2 w, 4 r.
  CoreBuilder& memory(std::uint64_t address, std::string content, std::uint64_t size = 0,
                      std::uint32_t flags = 6) {
    loads_.push_back({1, flags, address, std::move(content), size, {}});
    return *this;
  }

  /// The notes lie behind the memory, as gdb writes them.
  CoreBuilder& notes_last() {
    notes_last_ = true;
    return *this;
  }

  std::string build() const {
    ElfBuilder elf = elf_;
    const ElfBuilder::Part notes{4, 4, 0, notes_, 0, {}};  // PT_NOTE
    if (!notes_last_) elf.add(notes);
    for (const ElfBuilder::Part& load : loads_) elf.add(load);
    if (notes_last_) elf.add(notes);
    return elf.build();
  }

 private:
  static void put_at(std::string& out, std::size_t at, std::uint32_t value) {
    std::memcpy(out.data() + at, &value, sizeof value);
  }

  ElfBuilder elf_;
  std::string notes_;
  bool notes_last_ = false;
  std::vector<ElfBuilder::Part> loads_;
};

}  // namespace weir::test_support
