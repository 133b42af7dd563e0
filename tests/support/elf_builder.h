#pragma once
// ElfBuilder: small ELF64 files made by hand, for tests and fuzzers of what reads them.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace weir::test_support {

/// Appends the bytes of an integer, little endian.
template <class T>
void put(std::string& out, T value) {
  char raw[sizeof(T)];
  std::memcpy(raw, &value, sizeof raw);
  out.append(raw, sizeof raw);
}

/// Collects segments and sections; build() lays them out: header, program headers, contents,
/// section headers. Contents of PT_LOAD segments start at file offsets congruent to nothing in
/// particular: no reader of ours may rely on alignment.
class ElfBuilder {
 public:
  std::uint16_t type = 2;      // ET_EXEC
  std::uint16_t machine = 62;  // EM_X86_64
  std::uint64_t entry = 0x401000;
  bool section_headers = true;

  struct Part {
    std::uint32_t type = 1;   // p_type (PT_LOAD)
    std::uint32_t flags = 6;  // p_flags: 1 x, 2 w, 4 r
    std::uint64_t address = 0;
    std::string content = {};
    std::uint64_t memory_size = 0;  // at least the content's
    std::string section = {};       // also a section of that name, if not empty
  };

  ElfBuilder& add(Part part) {
    parts_.push_back(std::move(part));
    return *this;
  }

  std::string build() const {
    std::string contents, names(1, '\0'), sections(64, '\0');
    std::string headers;
    const std::uint64_t first = 64 + 56 * parts_.size();
    std::uint16_t section_count = 1;
    for (const Part& part : parts_) {
      const std::uint64_t offset = first + contents.size();
      contents += part.content;
      put_segment(headers, part, offset);
      if (part.section.empty()) continue;
      put_section(sections, names.size(), 1, part.address, offset, part.content.size());
      names += part.section + '\0';
      ++section_count;
    }
    const std::size_t own_name = names.size();
    names += std::string_view(".shstrtab\0", 10);
    const std::uint64_t names_offset = first + contents.size();
    put_section(sections, own_name, 3, 0, names_offset, names.size());
    const std::uint64_t sections_offset = names_offset + names.size();
    std::string file = header(section_headers ? sections_offset : 0,
                              section_headers ? section_count + 1 : 0, section_count);
    file += headers + contents;
    if (section_headers) file += names + sections;
    return file;
  }

 private:
  static void put_segment(std::string& out, const Part& part, std::uint64_t offset) {
    put(out, part.type);
    put(out, part.flags);
    for (const std::uint64_t value :
         {offset, part.address, part.address, std::uint64_t{part.content.size()},
          std::max<std::uint64_t>(part.memory_size, part.content.size()), std::uint64_t{8}}) {
      put(out, value);
    }
  }

  static void put_section(std::string& out, std::size_t name, std::uint32_t type,
                          std::uint64_t address, std::uint64_t offset, std::uint64_t size) {
    put(out, static_cast<std::uint32_t>(name));
    put(out, type);
    for (const std::uint64_t value : {std::uint64_t{0}, address, offset, size}) put(out, value);
    put(out, std::uint64_t{0});  // sh_link, sh_info
    put(out, std::uint64_t{1});
    put(out, std::uint64_t{0});
  }

  std::string header(std::uint64_t sections_offset, int section_count, int names_index) const {
    std::string out("\177ELF\2\1\1", 7);
    out.resize(16);
    put(out, type);
    put(out, machine);
    put(out, std::uint32_t{1});
    put(out, entry);
    put(out, std::uint64_t{64});
    put(out, sections_offset);
    put(out, std::uint32_t{0});
    put(out, std::uint16_t{64});
    put(out, std::uint16_t{56});
    put(out, static_cast<std::uint16_t>(parts_.size()));
    put(out, std::uint16_t{64});
    put(out, static_cast<std::uint16_t>(section_count));
    put(out, static_cast<std::uint16_t>(section_count == 0 ? 0 : names_index));
    return out;
  }

  std::vector<Part> parts_;
};

}  // namespace weir::test_support
