#include "node/io/process.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace kms::node::io {
namespace {

// Leak detection attaches to the process at its end, which the hardening forbids.
constexpr bool under_sanitizer() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return true;
#else
  return false;
#endif
}

constexpr rlim_t kDescriptorsWanted = 65536;
constexpr rlim_t kDescriptorsEnough = 2048;  // the default limits of HTTP and p2p connections, and files

// Shells and services start with 1024 at most open, whatever they may have.
void raise_descriptor_limit(std::vector<std::string>& missing) {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  if (files.rlim_cur < kDescriptorsWanted) {
    files.rlim_cur = std::min(files.rlim_max, kDescriptorsWanted);
    if (setrlimit(RLIMIT_NOFILE, &files) != 0) return;
  }
  if (files.rlim_cur < kDescriptorsEnough) {
    missing.push_back("only " + std::to_string(files.rlim_cur) +
                      " files and connections may be open at once: further ones wait (raise LimitNOFILE)");
  }
}

// What one large request took must go back to the system: a block of this size or more is mapped on its own. Without a
// fixed bound glibc raises it with every large block that is freed, up to 32 MiB, and locked memory inside the heap is
// not given back.
constexpr int kMappedBytesMin = 128 * 1024;

}  // namespace

std::vector<std::string> harden_process() {
  mallopt(M_MMAP_THRESHOLD, kMappedBytesMin);
  mallopt(M_TRIM_THRESHOLD, 2 * kMappedBytesMin);
  std::vector<std::string> missing;
  raise_descriptor_limit(missing);
  if (under_sanitizer()) {
    missing.push_back("built with a sanitizer: core dumps and ptrace stay possible, memory is not locked");
    return missing;
  }
  rlimit none{0, 0};
  if (setrlimit(RLIMIT_CORE, &none) != 0) missing.push_back(std::string("core dumps stay on: ") + strerror(errno));
  if (prctl(PR_SET_DUMPABLE, 0) != 0) missing.push_back(std::string("ptrace stays possible: ") + strerror(errno));
  if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0) {
    missing.push_back(std::string("memory is not locked, so secrets may reach swap: ") + strerror(errno) +
                      " (raise LimitMEMLOCK or switch swap off)");
  }
  return missing;
}

std::size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  if (!(file >> total >> resident)) return 0;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

double cpu_seconds() {
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
  auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace kms::node::io
