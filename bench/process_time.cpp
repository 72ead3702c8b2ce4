#include "bench/process_time.h"

#include <cstdio>
#include <fstream>
#include <sstream>
#include <unistd.h>

namespace kms::bench {

Result<double> processor_seconds_of(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(file, line)) return error("there is no process " + std::to_string(pid));
  // The name in parentheses may hold anything; utime and stime are the 12th and 13th field behind it.
  std::istringstream fields(line.substr(line.rfind(')') + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0, system = 0;
  if (!(fields >> user >> system)) return error("/proc/" + std::to_string(pid) + "/stat cannot be read");
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::vector<double> ProcessTimes::read() const {
  std::vector<double> out;
  for (int pid : pids_) {
    auto seconds = processor_seconds_of(pid);
    out.push_back(seconds ? *seconds : -1);
  }
  return out;
}

void ProcessTimes::begin() {
  began_ = read();
}

void ProcessTimes::end() {
  const std::vector<double> ended = read();
  for (std::size_t i = 0; i < used_.size(); ++i) {
    const bool is_same = began_[i] >= 0 && ended[i] >= began_[i];
    used_[i] = is_same ? ended[i] - began_[i] : 0;
  }
}

double ProcessTimes::total() const {
  double sum = 0;
  for (double seconds : used_) sum += seconds;
  return sum;
}

}  // namespace kms::bench
