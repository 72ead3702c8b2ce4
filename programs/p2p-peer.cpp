#include "net/io/p2p_peer/p2p_peer.h"

int main(int argc, char** argv) {
  return kms::net::io::run_p2p_peer({argv + 1, argv + argc});
}
