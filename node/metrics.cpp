#include "node/metrics.h"

#include <cstdio>

namespace kms::node {

void MetricsText::family(std::string_view name, std::string_view type, std::string_view what) {
  text_.append("# HELP ").append(name).append(" ").append(what).append("\n");
  text_.append("# TYPE ").append(name).append(" ").append(type).append("\n");
}

void MetricsText::gauge(std::string_view name, std::string_view what, double value) {
  family(name, "gauge", what);
  char number[40];
  std::snprintf(number, sizeof number, " %.10g\n", value);
  text_.append(name).append(number);
}

void MetricsText::counter(std::string_view name, std::string_view what, std::uint64_t value) {
  family(name, "counter", what);
  text_.append(name).append(" ").append(std::to_string(value)).append("\n");
}

void MetricsText::gauge(std::string_view name, std::string_view what, std::size_t value) {
  gauge(name, what, static_cast<double>(value));
}

void MetricsText::counters(std::initializer_list<Counter> counters) {
  for (const Counter& one : counters) counter(one.name, one.what, one.value);
}

void MetricsText::value(std::string_view name, std::string_view label, std::string_view label_value,
                        std::uint64_t value) {
  text_.append(name).append("{").append(label).append("=\"");
  for (char c : label_value) {
    if (c == '"' || c == '\\') text_.push_back('\\');
    text_.push_back(c == '\n' ? ' ' : c);
  }
  text_.append("\"} ").append(std::to_string(value)).append("\n");
}

}  // namespace kms::node
