// Checked reading of TOML that people write: every key must be known, every complaint names the place, the value and
// the remedy, and a setting may be overridden from outside the file. Included by .cpp files only (toml++ is large).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <toml++/toml.h>

#include "base/bytes.h"

namespace kms::registry {

// The value of a setting that came from elsewhere; `origin` names it in complaints, "KMS_HTTP__LISTEN" for example.
struct TomlOverride {
  std::string text;
  std::string origin;
};
// Asked with the path of a setting, "http.listen".
using TomlOverrides = std::function<std::optional<TomlOverride>(const std::string& path)>;

// One table of the text. Reads that fail give nothing and leave a complaint; `TomlText::complaint` tells at the end.
class TomlFields {
 public:
  std::optional<std::string> text(const std::string& key);
  std::optional<std::int64_t> integer(const std::string& key, std::int64_t least, std::int64_t most);
  std::optional<bool> flag(const std::string& key);
  // "50ms", "2s", "10m", "24h", "7d".
  std::optional<std::chrono::milliseconds> duration(const std::string& key, std::chrono::milliseconds least,
                                                    std::chrono::milliseconds most);
  // A string or an array of strings; an override separates them by commas.
  std::optional<std::vector<std::string>> texts(const std::string& key, std::size_t count_max);
  // A missing one reads as empty.
  TomlFields table(const std::string& key);
  // [[key]], at most `count_max`.
  std::vector<TomlFields> tables(const std::string& key, std::size_t count_max);
  bool has(const std::string& key);
  // In the text itself, whatever stands over it; the complaint does not show the value.
  bool has_in_file(const std::string& key);
  void complain_in_file(const std::string& key, const std::string& what);

  // "network.toml:3:8: threshold = 9: " in front of `what`.
  void complain(const std::string& key, const std::string& what);
  // "network.toml:3:1: " in front of `what`, where this table starts.
  void complain_here(const std::string& what);
  // `what` as it is, for what came from elsewhere and names its own place: "--peer ..".
  void complain_elsewhere(const std::string& what);
  // "network.toml: name is missing: `what`".
  void complain_missing(const std::string& key, const std::string& what);
  // To call when everything was read: keys that nobody asked for are errors and come before other complaints, which
  // may follow from a misspelt key.
  void refuse_unknown();

 private:
  friend class TomlText;
  struct Shared;
  struct Found {
    const toml::node* node = nullptr;
    std::optional<TomlOverride> override;
  };
  TomlFields(const toml::table* table, std::string path, std::shared_ptr<Shared> shared)
      : table_(table), path_(std::move(path)), shared_(std::move(shared)) {}
  std::string path_of(const std::string& key) const { return path_.empty() ? key : path_ + "." + key; }
  Found find(const std::string& key);
  std::string place(const toml::source_region& region) const;

  const toml::table* table_;  // null: missing
  std::string path_;
  std::shared_ptr<Shared> shared_;
  std::set<std::string> asked_;
};

class TomlText {
 public:
  // An error for a text over `bytes_max` or one that is no TOML.
  static Result<TomlText> parse(std::string_view text, const std::string& file_name, std::size_t bytes_max,
                                TomlOverrides overrides = {});
  TomlFields root();
  // What was wrong first.
  std::optional<Error> complaint() const;

 private:
  TomlText() = default;
  std::shared_ptr<TomlFields::Shared> shared_;
};

// "50ms", "2s", "10m", "24h", "7d"; nothing for anything else.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
// A value as complaints show it: at most 80 characters, printable.
std::string shown(std::string_view text);

}  // namespace kms::registry
