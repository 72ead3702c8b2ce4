// The two ways a benchmark prints: a table for people, JSON for programs.
#pragma once

namespace kms::bench {

enum class Output { table, json };

// Microseconds of one call of each primitive.
void run_primitives(Output output);
// Messages, bytes and signatures of one delegation, by layout of the gossip topics.
void run_router(Output output);
// What one link carries, beside a bare encrypted loop over the same bytes.
void run_link(Output output);
// Items in signed batches through one node, over sockets.
void run_batches(Output output);
// Spread and cost of messages in a mesh of a hundred routers, in virtual time.
void run_mesh(Output output);

}  // namespace kms::bench
