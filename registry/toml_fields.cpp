#include "registry/toml_fields.h"

#include <charconv>
#include <sstream>

namespace kms::registry {

struct TomlFields::Shared {
  std::string file_name;
  toml::table root;
  TomlOverrides overrides;
  std::optional<Error> unknown;
  std::optional<Error> first;

  void complain(std::string message) {
    if (!first) first = error(std::move(message));
  }
};

namespace {

std::string position(const std::string& file_name, const toml::source_region& region) {
  if (!region.begin) return file_name;
  return file_name + ":" + std::to_string(region.begin.line) + ":" + std::to_string(region.begin.column);
}

std::string shown_node(const toml::node& node) {
  if (const auto* text = node.as_string()) return "\"" + shown(text->get()) + "\"";
  if (node.is_table()) return "{..}";
  if (node.is_array()) return "[..]";
  std::ostringstream out;
  out << toml::node_view(node);
  return shown(out.str());
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    std::string_view item = text.substr(0, comma);
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    if (!item.empty()) out.emplace_back(item);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return out;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::string shown(std::string_view text) {
  std::string out;
  for (char c : text.substr(0, 80)) out.push_back(c >= 0x20 && c < 0x7f ? c : '?');
  return text.size() > 80 ? out + ".." : out;
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  static constexpr std::pair<std::string_view, std::int64_t> kUnits[] = {
      {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
  for (const auto& [unit, milliseconds] : kUnits) {
    if (!text.ends_with(unit)) continue;
    const auto count = parse_integer(text.substr(0, text.size() - unit.size()));
    if (!count) continue;
    if (*count < 0 || *count > 1'000'000'000) return std::nullopt;
    return std::chrono::milliseconds(*count * milliseconds);
  }
  return std::nullopt;
}

std::string TomlFields::place(const toml::source_region& region) const {
  return position(shared_->file_name, region);
}

TomlFields::Found TomlFields::find(const std::string& key) {
  asked_.insert(key);
  Found out;
  if (shared_->overrides) out.override = shared_->overrides(path_of(key));
  if (table_ != nullptr) out.node = table_->get(key);
  return out;
}

bool TomlFields::has(const std::string& key) {
  const Found found = find(key);
  return found.override || found.node != nullptr;
}

bool TomlFields::has_in_file(const std::string& key) {
  asked_.insert(key);
  return table_ != nullptr && table_->contains(key);
}

void TomlFields::complain_in_file(const std::string& key, const std::string& what) {
  const toml::node* node = table_ != nullptr ? table_->get(key) : nullptr;
  shared_->complain((node != nullptr ? place(node->source()) : shared_->file_name) + ": " + path_of(key) + ": " + what);
}

void TomlFields::complain(const std::string& key, const std::string& what) {
  const Found found = find(key);
  if (found.override) {
    shared_->complain(found.override->origin + " = \"" + shown(found.override->text) + "\": " + what);
  } else if (found.node != nullptr) {
    shared_->complain(place(found.node->source()) + ": " + path_of(key) + " = " + shown_node(*found.node) + ": " +
                      what);
  } else {
    complain_missing(key, what);
  }
}

void TomlFields::complain_here(const std::string& what) {
  shared_->complain((table_ != nullptr ? place(table_->source()) : shared_->file_name) + ": " + what);
}

void TomlFields::complain_elsewhere(const std::string& what) {
  shared_->complain(what);
}

void TomlFields::complain_missing(const std::string& key, const std::string& what) {
  complain_here(path_of(key) + " is missing: " + what);
}

std::optional<std::string> TomlFields::text(const std::string& key) {
  const Found found = find(key);
  if (found.override) return found.override->text;
  if (found.node == nullptr) return std::nullopt;
  if (const auto* value = found.node->as_string()) return value->get();
  complain(key, "must be a text in quotes");
  return std::nullopt;
}

std::optional<std::int64_t> TomlFields::integer(const std::string& key, std::int64_t least, std::int64_t most) {
  const Found found = find(key);
  std::optional<std::int64_t> value;
  if (found.override) {
    value = parse_integer(found.override->text);
  } else if (found.node == nullptr) {
    return std::nullopt;
  } else if (const auto* number = found.node->as_integer()) {
    value = number->get();
  }
  if (value && *value >= least && *value <= most) return value;
  complain(key, "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return std::nullopt;
}

std::optional<bool> TomlFields::flag(const std::string& key) {
  const Found found = find(key);
  if (found.override) {
    if (found.override->text == "true") return true;
    if (found.override->text == "false") return false;
  } else if (found.node == nullptr) {
    return std::nullopt;
  } else if (const auto* value = found.node->as_boolean()) {
    return value->get();
  }
  complain(key, "must be true or false");
  return std::nullopt;
}

std::optional<std::chrono::milliseconds> TomlFields::duration(const std::string& key, std::chrono::milliseconds least,
                                                              std::chrono::milliseconds most) {
  const auto value = text(key);
  if (!value) return std::nullopt;
  const auto parsed = parse_duration(*value);
  if (parsed && *parsed >= least && *parsed <= most) return parsed;
  complain(key, "must be a duration from " + std::to_string(least.count()) + "ms to " + std::to_string(most.count()) +
                    "ms, written like \"50ms\", \"2s\", \"10m\", \"24h\" or \"7d\"");
  return std::nullopt;
}

std::optional<std::vector<std::string>> TomlFields::texts(const std::string& key, std::size_t count_max) {
  const Found found = find(key);
  std::vector<std::string> out;
  if (found.override) {
    out = split(found.override->text);
  } else if (found.node == nullptr) {
    return std::nullopt;
  } else if (const auto* one = found.node->as_string()) {
    out.push_back(one->get());
  } else if (const auto* list = found.node->as_array()) {
    for (const toml::node& item : *list) {
      if (!item.is_string()) {
        complain(key, "must be a list of texts in quotes");
        return std::nullopt;
      }
      out.push_back(item.as_string()->get());
    }
  } else {
    complain(key, "must be a text in quotes or a list of them");
    return std::nullopt;
  }
  if (out.size() <= count_max) return out;
  complain(key, std::to_string(out.size()) + " entries, at most " + std::to_string(count_max) + " are accepted");
  return std::nullopt;
}

TomlFields TomlFields::table(const std::string& key) {
  asked_.insert(key);
  const toml::node* node = table_ != nullptr ? table_->get(key) : nullptr;
  if (node != nullptr && !node->is_table()) complain(key, "must be a section, [" + path_of(key) + "]");
  return {node != nullptr ? node->as_table() : nullptr, path_of(key), shared_};
}

std::vector<TomlFields> TomlFields::tables(const std::string& key, std::size_t count_max) {
  asked_.insert(key);
  const toml::node* node = table_ != nullptr ? table_->get(key) : nullptr;
  if (node == nullptr) return {};
  const toml::array* list = node->as_array();
  if (list == nullptr || (!list->empty() && !list->is_array_of_tables())) {
    complain(key, "must be a list of sections, each [[" + path_of(key) + "]]");
    return {};
  }
  if (list->size() > count_max) {
    complain(key, std::to_string(list->size()) + " sections, at most " + std::to_string(count_max) + " are accepted");
    return {};
  }
  std::vector<TomlFields> out;
  for (const toml::node& item : *list) out.push_back(TomlFields(item.as_table(), path_of(key), shared_));
  return out;
}

void TomlFields::refuse_unknown() {
  if (table_ == nullptr || shared_->unknown) return;
  for (const auto& [key, node] : *table_) {
    if (asked_.contains(std::string(key.str()))) continue;
    std::string known;
    for (const std::string& name : asked_) known += (known.empty() ? "" : ", ") + name;
    shared_->unknown =
        error(place(key.source()) + ": unknown key " + path_of(shown(key.str())) + "; known here are " + known);
    return;
  }
}

Result<TomlText> TomlText::parse(std::string_view text, const std::string& file_name, std::size_t bytes_max,
                                 TomlOverrides overrides) {
  if (text.size() > bytes_max) {
    return error(file_name + ": " + std::to_string(text.size()) + " bytes, at most " + std::to_string(bytes_max) +
                 " are accepted");
  }
  TomlText out;
  out.shared_ = std::make_shared<TomlFields::Shared>();
  out.shared_->file_name = file_name;
  out.shared_->overrides = std::move(overrides);
  try {
    out.shared_->root = toml::parse(text, file_name);
  } catch (const toml::parse_error& fault) {
    return error(position(file_name, fault.source()) + ": not valid TOML: " + shown(fault.description()));
  }
  return out;
}

TomlFields TomlText::root() {
  return {&shared_->root, "", shared_};
}

std::optional<Error> TomlText::complaint() const {
  return shared_->unknown ? shared_->unknown : shared_->first;
}

}  // namespace kms::registry
