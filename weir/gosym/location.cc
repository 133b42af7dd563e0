#include "weir/gosym/location.h"

#include "weir/gosym/pcln_header.h"

namespace weir::gosym {

Location to_location(const ModuleData& data, LoadBias bias, int go_minor) {
  Location location;
  location.pclntab = bias.to_link(data.pc_header);
  location.text = bias.to_link(data.text);
  location.gofunc = bias.to_link(data.gofunc);
  location.types = bias.to_link(data.types);
  location.go_minor = go_minor;
  location.text_sections = data.text_sections;
  for (TextSection& section : location.text_sections) section.base = section.base - bias.value;
  return location;
}

Result<Location> locate(const elf::File& file, int go_minor) {
  WEIR_TRY(const LinkAddr pclntab, find_pclntab(file));
  WEIR_TRY(const ModuleData data, find_static_module_data(file, pclntab, go_minor));
  return to_location(data, LoadBias{}, go_minor);
}

}  // namespace weir::gosym
