// Plain tables for terminals.
#pragma once

#include <string>
#include <vector>

namespace kms::cli {

// Columns as wide as their longest cell, two spaces between them, no blanks at the end of a line. The first row is the
// heading. Control characters in cells become '?', since cells hold what other machines said.
std::string table(const std::vector<std::vector<std::string>>& rows);

}  // namespace kms::cli
