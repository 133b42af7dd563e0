#pragma once
// PclntabBuilder: a Go function table made by hand, as cmd/link/internal/ld/pcln.go lays it out.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/elf_builder.h"

namespace weir::test_support {

/// (value, end offset from the function's entry) steps of a pc-value table.
using PcValues = std::vector<std::pair<std::int32_t, std::uint32_t>>;

struct InlinedCallSpec {
  std::uint8_t id = 0;
  std::string name = {};
  std::int32_t parent_pc = 0;
  std::int32_t start_line = 0;
};

struct FunctionSpec {
  std::string name = {};
  std::uint32_t size = 16;
  std::int32_t start_line = 1;
  std::uint8_t id = 0, flags = 0;
  PcValues sp = {}, file = {}, line = {}, unsafe_point = {}, inline_index = {};
  std::vector<InlinedCallSpec> inlined = {};
};

/// Makes table() (pcHeader first) and gofunc() (what FUNCDATA offsets count in). One compilation
/// unit holds all files.
class PclntabBuilder {
 public:
  bool go_1_18 = false;
  std::uint8_t quantum = 1;
  std::vector<std::string> files = {"/src/a.go", "/src/b.go"};

  PclntabBuilder& add(FunctionSpec function) {
    functions_.push_back(std::move(function));
    return *this;
  }

  void build() {
    names_.assign(1, '\0');
    values_.assign(1, '\0');
    gofunc_.clear();
    std::string ftab, records;
    const std::size_t ftab_size = 8 * functions_.size() + 4;
    const std::size_t pad = (8 - ftab_size % 8) % 8;
    std::uint32_t entry = 0;
    for (const FunctionSpec& function : functions_) {
      put(ftab, entry);
      put(ftab, static_cast<std::uint32_t>(ftab_size + pad + records.size()));
      put_record(records, function, entry);
      entry += function.size;
    }
    put(ftab, entry);
    ftab.append(pad, '\0');
    assemble(ftab + records);
  }

  const std::string& table() const { return table_; }
  const std::string& gofunc() const { return gofunc_; }
  static constexpr std::uint64_t names_offset = 72;

 private:
  std::uint32_t add_name(const std::string& name) {
    const std::size_t at = names_.size();
    names_ += name + '\0';
    return static_cast<std::uint32_t>(at);
  }

  static void put_varint(std::string& out, std::uint32_t value) {
    for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
    out.push_back(static_cast<char>(value));
  }

  std::uint32_t add_values(const PcValues& values) {
    if (values.empty()) return 0;
    const std::size_t at = values_.size();
    std::int32_t last = -1;
    std::uint32_t pc = 0;
    for (const auto& [value, end] : values) {
      const auto delta = static_cast<std::uint32_t>(value - last);
      put_varint(values_, delta << 1 ^ (0u - (delta >> 31)));
      put_varint(values_, (end - pc) / quantum);
      last = value;
      pc = end;
    }
    values_.push_back('\0');
    return static_cast<std::uint32_t>(at);
  }

  std::uint32_t add_tree(const std::vector<InlinedCallSpec>& calls) {
    if (calls.empty()) return 0xffffffff;
    const std::size_t at = gofunc_.size();
    for (const InlinedCallSpec& call : calls) {
      const std::uint32_t name = add_name(call.name);
      if (go_1_18) {
        put(gofunc_, std::int16_t{-1});
        put(gofunc_, static_cast<std::uint16_t>(call.id));
        put(gofunc_, std::uint64_t{0});
        put(gofunc_, name);
        put(gofunc_, call.parent_pc);
      } else {
        put(gofunc_, std::uint32_t{call.id});
        put(gofunc_, name);
        put(gofunc_, call.parent_pc);
        put(gofunc_, call.start_line);
      }
    }
    return static_cast<std::uint32_t>(at);
  }

  void put_record(std::string& out, const FunctionSpec& function, std::uint32_t entry) {
    put(out, entry);
    put(out, add_name(function.name));
    put(out, std::int32_t{8});   // args
    put(out, std::uint32_t{0});  // deferreturn
    for (const PcValues* values : {&function.sp, &function.file, &function.line}) {
      put(out, add_values(*values));
    }
    put(out, std::uint32_t{3});  // npcdata
    put(out, std::uint32_t{0});  // cuOffset
    if (!go_1_18) put(out, function.start_line);
    put(out, function.id);
    put(out, function.flags);
    put(out, std::uint8_t{0});
    put(out, std::uint8_t{4});  // nfuncdata
    put(out, add_values(function.unsafe_point));
    put(out, std::uint32_t{0});
    put(out, add_values(function.inline_index));
    for (int i = 0; i < 3; ++i) put(out, std::uint32_t{0xffffffff});
    put(out, add_tree(function.inlined));
  }

  void assemble(const std::string& functions) {
    std::string units, file_names;
    for (const std::string& file : files) {
      put(units, static_cast<std::uint32_t>(file_names.size()));
      file_names += file + '\0';
    }
    table_.clear();
    put(table_, std::uint32_t{go_1_18 ? 0xfffffff0 : 0xfffffff1});
    put(table_, std::uint16_t{0});
    put(table_, quantum);
    put(table_, std::uint8_t{8});
    put(table_, std::uint64_t{functions_.size()});
    put(table_, std::uint64_t{files.size()});
    put(table_, std::uint64_t{0});
    std::uint64_t at = names_offset;
    std::string body;
    for (const std::string* part : std::initializer_list<const std::string*>{
             &names_, &units, &file_names, &values_, &functions}) {
      put(table_, at);
      std::string padded = *part;
      padded.append((8 - padded.size() % 8) % 8, '\0');
      at += padded.size();
      body += padded;
    }
    table_ += body;
  }

  std::vector<FunctionSpec> functions_;
  std::string names_, values_, gofunc_, table_;
};

}  // namespace weir::test_support
