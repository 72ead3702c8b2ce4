#include "cli/io/run.h"

int main(int argc, char** argv) {
  return kms::cli::io::run_kmsctl(argc, argv);
}
