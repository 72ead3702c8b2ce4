// Prometheus text exposition, version 0.0.4.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kms::node {

class MetricsText {
 public:
  void gauge(std::string_view name, std::string_view what, double value);
  void gauge(std::string_view name, std::string_view what, std::size_t value);
  void counter(std::string_view name, std::string_view what, std::uint64_t value);
  struct Counter {
    std::string_view name, what;
    std::uint64_t value;
  };
  void counters(std::initializer_list<Counter> counters);
  // One metric with several values of a label: call `family` once, then `value` for each.
  void family(std::string_view name, std::string_view type, std::string_view what);
  void value(std::string_view name, std::string_view label, std::string_view label_value, std::uint64_t value);
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

}  // namespace kms::node
